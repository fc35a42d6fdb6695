"""How sure a mean over requests is: percentiles of the means of resampled requests. Floor 3; pure, seeded."""

import msgspec
import numpy as np

from recsys.recommender.arrays import DoubleArray

SAMPLES = 2000
SEED = 20
CONFIDENCE = 0.95
SAMPLES_AT_ONCE = 100  # 2,000 samples of 3,000 requests at once would take 50 MB


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A mean and where 95 % of the resampled means lie."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference of this mean is more than chance."""
        return self.low > 0 or self.high < 0


def interval(values: DoubleArray) -> Interval:
    """Return the mean of the requests' values, (n,), n >= 1, with its confidence interval.

    For the difference of two configurations give the differences request by request: what is hard for both then
    cancels out. Source: Efron & Tibshirani 1993, ch. 13 (percentile method).
    """
    means = resampled_means(values, np.random.default_rng(SEED))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def resampled_means(values: DoubleArray, random: np.random.Generator) -> DoubleArray:
    """Return the means of 2,000 samples with replacement, each as large as the values."""
    size = len(values)
    return np.concatenate(
        [
            values[random.integers(size, size=(SAMPLES_AT_ONCE, size))].mean(axis=1)
            for _ in range(SAMPLES // SAMPLES_AT_ONCE)
        ]
    )
