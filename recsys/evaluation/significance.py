"""Whether one model is better than another on the same queries, or merely luckier. Floor 3; pure, seeded.

The paired randomisation test: were the models alike, each query's difference could as well have the other sign.
"""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.evaluation.arguments import require_from, require_same_shape, vector
from recsys.evaluation.bootstrap import SEED, Interval, interval
from recsys.recommender.arrays import DoubleArray

SAMPLES = 10_000  # a p-value of 0.05 is then known to ± 0.004
EXACT_QUERIES_MAX = 16  # all assignments of signs to more would take over 8 MB
SIGNIFICANT_BELOW = 0.05
SIGNS_AT_ONCE = 2_000_000  # 16 MB
ROUNDING = 1e-12  # sums that differ by less than this share are taken as equal


class PairedTest(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same queries. difference: first - second. samples: how many assignments of signs were tried."""

    queries: int
    first_mean: float
    second_mean: float
    difference: Interval
    p_value: float
    samples: int
    is_exact: bool

    @property
    def is_significant(self) -> bool:
        """Whether such a difference would come by chance less than once in twenty times."""
        return self.p_value < SIGNIFICANT_BELOW


def paired_test(first: ArrayLike, second: ArrayLike, *, samples: int = SAMPLES, seed: int = SEED) -> PairedTest:
    """Return the two-sided test of the means of one measure; the p-value is never 0.

    first, second: (queries,) the measure of each model, query by query. samples: if there are no more assignments of
    signs than that, and at most 16 queries differ, each is tried and the p-value is exact; else so many are drawn.
    Raises InvalidArgument, a ValueError.  Source: Smucker, Allan & Carterette 2007, CIKM; the p-value of drawn samples:
    Phipson & Smyth 2010.
    """
    ours, theirs = vector(first, "first"), vector(second, "second")
    require_same_shape("second", theirs, "first", ours)
    require_from("samples", samples, 1)
    difference = ours - theirs
    changed = difference[difference != 0]  # the sign of 0 changes nothing
    is_exact = len(changed) <= EXACT_QUERIES_MAX and 2 ** len(changed) <= samples
    return PairedTest(
        queries=len(ours),
        first_mean=float(ours.mean()),
        second_mean=float(theirs.mean()),
        difference=interval(difference),
        p_value=exact_p_value(changed) if is_exact else sampled_p_value(changed, samples, np.random.default_rng(seed)),
        samples=2 ** len(changed) if is_exact else samples,
        is_exact=is_exact,
    )


def exact_p_value(differences: DoubleArray) -> float:
    """Return the share of all assignments of signs that give as large a sum, itself among them."""
    assignments = np.arange(2 ** len(differences))
    is_flipped = (assignments[:, np.newaxis] >> np.arange(len(differences))) & 1
    return as_large(differences, is_flipped) / len(assignments)


def sampled_p_value(differences: DoubleArray, samples: int, random: np.random.Generator) -> float:
    """Return the share of random assignments of signs that give as large a sum, the one found counted in."""
    at_once = max(1, SIGNS_AT_ONCE // len(differences))
    sizes = [min(at_once, samples - start) for start in range(0, samples, at_once)]
    found = sum(as_large(differences, random_bits(size, len(differences), random)) for size in sizes)
    return (found + 1) / (samples + 1)


def as_large(differences: DoubleArray, is_flipped: NDArray[np.integer]) -> int:
    """Return how many of the assignments, (assignments, n), give a sum as far from 0 as the differences, (n,), do."""
    total = differences.sum()
    sums = total - 2 * (is_flipped.astype(np.float64) @ differences)
    return int(np.count_nonzero(np.abs(sums) >= abs(total) - ROUNDING * np.abs(differences).sum()))


def random_bits(rows: int, columns: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return (rows, columns) of 0 and 1, from whole random bytes: a tenth of the time of drawing each."""
    drawn = np.frombuffer(random.bytes(rows * ((columns + 7) // 8)), dtype=np.uint8)
    return np.unpackbits(drawn.reshape(rows, -1), axis=1, count=columns)
