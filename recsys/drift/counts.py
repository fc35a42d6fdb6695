"""How far the shares of categories have moved: the Jensen-Shannon distance and an exact test. Floor 3; pure."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from recsys.drift.difference import Difference
from recsys.recommender.arrays import DoubleArray

KEPT_CATEGORIES = 1000  # of a column in a profile; the rest is counted together
LISTED_CATEGORIES = 20


class Counts(msgspec.Struct, frozen=True, kw_only=True, tag="counts"):
    """How many rows hold each category; a row may hold several, as a text does words."""

    total: int  # rows that could have held one
    counts: dict[str, int]
    others: int = 0  # holdings of the categories that are not kept

    def bounded(self) -> "Counts":
        """Return them with the 1,000 most frequent categories, the first in the alphabet where they tie."""
        if len(self.counts) <= KEPT_CATEGORIES:
            return self
        kept = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:KEPT_CATEGORIES]
        others = self.others + sum(self.counts.values()) - sum(count for _, count in kept)
        return Counts(total=self.total, counts=dict(kept), others=others)

    def compare(self, current: "Counts") -> Difference:
        """Return how far the current shares are from these; with many categories the distance of the kept ones."""
        kept = self.bounded()
        unseen = [] if kept.others else sorted(current.counts.keys() - kept.counts.keys())
        names = [*sorted(kept.counts), *unseen]
        ours, theirs = kept.held(names), current.held(names)
        if not self.total or not current.total or np.count_nonzero(ours + theirs) < 2:
            return Difference()
        distance = jensen_shannon(ours, theirs)
        lost = [name for name in names if name not in current.counts]
        return Difference(
            effect=beyond_chance(distance, ours, theirs),
            statistic=distance,
            # Not of the others: the kept ones were chosen for being frequent in the reference, and are less so since.
            p_value=exact_p_value(ours[:-1], self.total, theirs[:-1], current.total),
            count=min(self.total, current.total),
            is_tested=True,
            details={
                "jensen_shannon": distance,
                "new_categories": most_frequent(unseen, current.counts),
                "lost_categories": most_frequent(lost, kept.counts),
                "new_share": sum(map(current.counts.__getitem__, unseen)) / current.total,
                "shares": shares(names, ours / self.total, theirs / current.total),
            },
        )

    def held(self, names: list[str]) -> NDArray[np.int64]:
        """Return how many rows hold each name, and last the holdings of all others, (names + 1,)."""
        named = [self.counts.get(name, 0) for name in names]
        return np.array([*named, self.others + sum(self.counts.values()) - sum(named)], dtype=np.int64)


def jensen_shannon(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return the distance of two counts of the same categories, in nats as scipy's, in [0, 0.83]."""
    from scipy.special import rel_entr

    first, second = (counts / max(1, counts.sum()) for counts in (one, other))
    middle = (first + second) / 2
    divergence = rel_entr(first, middle).sum() + rel_entr(second, middle).sum()
    return float(np.sqrt(max(0.0, divergence / 2)))


def beyond_chance(distance: float, one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return the distance without what two samples of the same shares are apart: 0.1 with 200 categories of 5,000 rows.

    Source: of two samples of n rows the squared distance times 4 n is the likelihood ratio's chi-square, whose mean is
    the categories less one (Wilks 1938, Ann. Math. Statist. 9).
    """
    categories = np.count_nonzero(one + other)
    chance = (categories - 1) / 8 * (1 / max(1, one.sum()) + 1 / max(1, other.sum()))
    return float(np.sqrt(max(0.0, distance**2 - chance)))


def exact_p_value(one: NDArray[np.int64], one_total: int, other: NDArray[np.int64], other_total: int) -> float:
    """Return how often chance alone moves any category's share as far as the one that has moved furthest.

    Fisher's exact test of each category, times their number (Bonferroni): it holds for few rows, for rare categories
    and for words, which come together.
    """
    from scipy.stats import hypergeom

    is_tested = one + other > 0
    held, both = one[is_tested], (one + other)[is_tested]
    if not len(held):
        return 1.0
    urn = (one_total + other_total, both, one_total)
    smallest = np.minimum(hypergeom.cdf(held, *urn), hypergeom.sf(held - 1, *urn)).min()
    tests = 1 if len(held) == 2 and both.sum() == one_total + other_total else len(held)  # one share gives the other
    return float(min(1.0, 2 * tests * smallest))


def most_frequent(names: list[str], counts: Mapping[str, int]) -> list[str]:
    return sorted(names, key=lambda name: -counts.get(name, 0))[:LISTED_CATEGORIES]


def shares(names: list[str], ours: DoubleArray, theirs: DoubleArray) -> dict[str, dict[str, float]]:
    """Return the shares of the categories that have moved furthest."""
    moved = np.argsort(-np.abs(theirs - ours)[: len(names)], kind="stable")[:LISTED_CATEGORIES]
    return {names[at]: {"reference": float(ours[at]), "current": float(theirs[at])} for at in moved}
