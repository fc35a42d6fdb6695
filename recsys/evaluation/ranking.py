"""What rankings by score are worth, query by query: nDCG, reciprocal and average precision, precision, recall, hits.

Floor 3; pure numpy. Documents with equal scores have no order of their own. By default (ties="average") a measure is
its mean over all orders of them, in closed form: McSherry & Najork 2008, "Computing information retrieval performance
measures efficiently in the presence of tied scores", ECIR. With ties="trec" they stand as trec_eval puts them: scores
are compared as 32-bit floats, and of equal ones the later document comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.evaluation.arguments import InvalidArgument, judged_scores, require_from, require_one_of
from recsys.recommender.arrays import DoubleArray

Gain = Literal["exp", "linear"]
Ties = Literal["average", "trec"]
Positions = NDArray[np.intp]

VALUES_AT_ONCE = 100_000  # 0.8 MB an array stay in the processor's cache: twice as fast as all at once
EXPONENTIAL_GRADE_MAX = 1000.0  # 2^1024 is beyond a double


def rankings_of(
    y_true: ArrayLike, y_pred: ArrayLike, *, mask: ArrayLike | None = None, ties: Ties = "average"
) -> "Iterator[Rankings]":
    """Yield the rankings of the documents by y_pred, the highest first, some queries at a time, in their order.

    y_true: grades, >= 0, and y_pred: scores, both (documents,) or (queries, documents). mask: the same shape, True
    where there is a document; None: everywhere. Raises InvalidArgument, a ValueError, before the first.
    """
    require_one_of("ties", ties, ("average", "trec"))
    truth, scores = judged_scores(y_true, y_pred, mask)
    if truth.min() < 0:
        raise InvalidArgument("y_true", f"found the grade {truth.min()}", "give grades from 0 (irrelevant) on")
    ranked = Rankings.averaged if ties == "average" else Rankings.as_trec
    queries = max(1, VALUES_AT_ONCE // truth.shape[1])
    for start in range(0, len(truth), queries):
        yield ranked(truth[start : start + queries], scores[start : start + queries])


@dataclass(frozen=True)
class Rankings:
    """Rankings of judged documents, best first, sorted once for all measures; each gives (queries,) in [0, 1].

    grades: (queries, documents) by rank, >= 0; absent documents stand last with 0. starts: where in the flattened
    grades each group of documents begins that share their ranks; every query begins one.
    """

    grades: DoubleArray
    starts: Positions

    @classmethod
    def averaged(cls, truth: DoubleArray, scores: DoubleArray) -> Self:
        """Return the rankings in which equal scores share their ranks."""
        order = np.argsort(-scores, axis=1)
        ranked = np.take_along_axis(scores, order, axis=1)
        is_start = np.ones(ranked.shape, dtype=np.bool_)
        np.not_equal(ranked[:, 1:], ranked[:, :-1], out=is_start[:, 1:])
        return cls(np.take_along_axis(truth, order, axis=1), np.flatnonzero(is_start))

    @classmethod
    def as_trec(cls, truth: DoubleArray, scores: DoubleArray) -> Self:
        """Return the rankings in which each document has its own rank, as in trec_eval."""
        with np.errstate(over="ignore"):  # trec_eval, too, takes what 32 bits cannot hold as infinite
            order = np.argsort(scores.astype(np.float32), axis=1, kind="stable")[:, ::-1]
        return cls(np.take_along_axis(truth, order, axis=1), np.arange(truth.size))

    def ndcg(self, k: int | None = None, *, gain: Gain = "exp") -> DoubleArray:
        """Return the normalised discounted cumulative gain of the first k ranks; 0 where nothing is relevant.

        k: None or more than there are documents: all ranks. gain: of a grade, "exp" 2^grade - 1, "linear" the grade.
        Source: Järvelin & Kekäläinen 2002, TOIS 20(4); exponential gain: Burges et al. 2005, ICML.
        """
        gains = gains_of(self.grades, gain)
        discounts = self.first_ranks(k) / np.log2(np.arange(2, self.documents + 2))
        best = np.sort(gains, axis=1)[:, ::-1] @ discounts
        return np.minimum(ratio(self.weighted(gains, discounts), best), 1.0)  # the last bit of two sums may differ

    def precision(self, k: int, *, relevant_from: float = 1) -> DoubleArray:
        """Return the share of the first k ranks that is relevant; ranks without a document are not.

        relevant_from: the least grade that is relevant.  Source: trec_eval's P.
        """
        return self.weighted(self.relevant(relevant_from), self.first_ranks(k)) / k

    def recall(self, k: int, *, relevant_from: float = 1) -> DoubleArray:
        """Return the share of the relevant documents that stands in the first k ranks; 0 where there is none.

        Source: trec_eval's recall.
        """
        relevant = self.relevant(relevant_from)
        return ratio(self.weighted(relevant, self.first_ranks(k)), relevant.sum(axis=1))

    def hit(self, k: int, *, relevant_from: float = 1) -> DoubleArray:
        """Return 1 where the first k ranks hold a relevant document; with ties, the chance of it.

        Source: trec_eval's success.
        """
        return self.at_first_relevant(self.first_ranks(k), relevant_from)

    def reciprocal_rank(self, k: int | None = None, *, relevant_from: float = 1) -> DoubleArray:
        """Return 1 / the rank of the first relevant document; 0 where none is among the first k (None: all) ranks.

        The mean over queries is the MRR.  Source: Voorhees 1999, TREC-8.
        """
        return self.at_first_relevant(self.first_ranks(k) / np.arange(1, self.documents + 1), relevant_from)

    def average_precision(self, *, relevant_from: float = 1) -> DoubleArray:
        """Return the mean, over the relevant documents, of the precision at the rank of each; 0 where there is none.

        The mean over queries is the MAP. Of `size` tied documents, `hits` of them relevant, the one at place `at`
        (from 0) is relevant with chance hits / size, and then at * (hits - 1) / (size - 1) before it are.
        Source: Buckley & Voorhees 2000, SIGIR; ties: McSherry & Najork 2008.
        """
        relevant = self.relevant(relevant_from)
        hits = np.add.reduceat(relevant.ravel(), self.starts)
        before = (np.cumsum(relevant, axis=1) - relevant).ravel()[self.starts]
        at = np.arange(relevant.size) - np.repeat(self.starts, self.sizes)
        other_hits = at * np.repeat((hits - 1) / np.maximum(self.sizes - 1, 1), self.sizes)
        found = np.repeat(hits / self.sizes, self.sizes) * (np.repeat(before, self.sizes) + 1 + other_hits)
        precisions = found.reshape(relevant.shape) / np.arange(1, self.documents + 1)
        return ratio(precisions.sum(axis=1), relevant.sum(axis=1))

    @property
    def documents(self) -> int:
        return int(self.grades.shape[1])

    @cached_property
    def sizes(self) -> Positions:
        """How many documents each group holds."""
        return np.diff(self.starts, append=self.grades.size)

    def first_ranks(self, k: int | None) -> DoubleArray:
        """Return 1 for the first k ranks (None: for all) and 0 below, (documents,). Raises InvalidArgument."""
        if k is None:
            return np.ones(self.documents)
        require_from("k", k, 1)
        return (np.arange(self.documents) < k).astype(np.float64)

    def relevant(self, relevant_from: float) -> DoubleArray:
        if not relevant_from > 0:
            fix = "give a grade above 0, for 0 is irrelevant"
            raise InvalidArgument("relevant_from", f"found {relevant_from!r}", fix)
        return (self.grades >= relevant_from).astype(np.float64)

    def weighted(self, values: DoubleArray, weights: DoubleArray) -> DoubleArray:
        """Return each query's sum of values times the weights of their ranks; a group shares its mean weight.

        values: (queries, documents). weights: (documents,).
        """
        if len(self.starts) == values.size:
            return values @ weights
        group_weights = np.add.reduceat(np.tile(weights, len(values)), self.starts)
        shares: DoubleArray = np.add.reduceat(values.ravel(), self.starts) * group_weights / self.sizes
        query_starts = np.searchsorted(self.starts, np.arange(len(values)) * self.documents)
        sums: DoubleArray = np.add.reduceat(shares, query_starts)
        return sums

    def at_first_relevant(self, values: DoubleArray, relevant_from: float) -> DoubleArray:
        """Return the expected value at the rank of each query's first relevant document; 0 where there is none.

        values: (documents,) by rank. Only the first group with a relevant document counts: its places are gone
        through until one of its `hits` relevant documents, of which any `left` are as likely, has come.
        """
        relevant = self.relevant(relevant_from)
        has_any = relevant.any(axis=1)
        first = np.flatnonzero(has_any) * self.documents + relevant.argmax(axis=1)[has_any]
        group = np.searchsorted(self.starts, first, side="right") - 1
        hits, left = np.add.reduceat(relevant.ravel(), self.starts)[group], self.sizes[group]
        rank, not_yet, expected = self.starts[group] % self.documents, np.ones(len(first)), np.zeros(len(first))
        for step in range(int((left - hits).max(initial=-1)) + 1):
            chance = not_yet * hits / np.maximum(left - step, 1)
            expected += chance * values[np.minimum(rank + step, self.documents - 1)]
            not_yet -= chance
        found: DoubleArray = np.zeros(len(relevant))
        found[has_any] = np.minimum(expected, 1)  # the chances may add up to more by rounding
        return found


def gains_of(grades: DoubleArray, gain: Gain) -> DoubleArray:
    """Return the gains of grades. Raises InvalidArgument."""
    require_one_of("gain", gain, ("exp", "linear"))
    if gain == "linear":
        return grades
    if grades.max() > EXPONENTIAL_GRADE_MAX:
        raise InvalidArgument(
            "y_true", f"found the grade {grades.max()}", f"give grades up to {EXPONENTIAL_GRADE_MAX}, or gain='linear'"
        )
    gains: DoubleArray = np.exp2(grades) - 1
    return gains


def ratio(parts: DoubleArray, wholes: DoubleArray) -> DoubleArray:
    """Return parts / wholes, rounding never beyond 1; 0 where the whole is 0."""
    shares: DoubleArray = np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)
    return np.minimum(shares, 1)
