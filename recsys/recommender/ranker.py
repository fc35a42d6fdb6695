"""Ranking: from relevance and ratings to one score a recipe. Floor 3; pure functions of arrays."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsys.recommender.arrays import DoubleArray, FloatArray

RATING_MAX = 5.0
# Shrinking a recipe's mean by 20 ratings predicted later ratings best (RMSE 0.701 against 0.708 unshrunk).
PRIOR_RATINGS = 20.0
NEUTRAL_POPULARITY = 0.5


class Ranker(Protocol):
    """A model version that scores the candidates of one request."""

    @property
    def model_id(self) -> str: ...
    @property
    def model_version(self) -> str: ...

    def scores(self, relevance: FloatArray, popularity: FloatArray) -> FloatArray:
        """Return the candidates' scores, (k,), in [0, 1], higher is better.

        relevance: (k,) of words and meaning, of any range. popularity: (k,) in [0, 1], as `popularity` gives it.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class HybridRanker:
    """alpha · relevance + (1 - alpha) · popularity; the relevance is normalised per query, so alpha is its weight."""

    model_id: str = "hybrid_ranker"
    model_version: str = "1.0.0"
    alpha: float = 0.7

    def scores(self, relevance: FloatArray, popularity: FloatArray) -> FloatArray:
        return self.alpha * min_max(relevance) + (1 - self.alpha) * popularity


def popularity(counts: DoubleArray, sums: DoubleArray) -> FloatArray:
    """Return the Bayesian average of each recipe's ratings, in [0, 1]; equal for all while there are none.

    Twenty ratings at the mean of all are added to a recipe's own, so that one enthusiast lifts it little and an unrated
    one stands in the middle. counts: (n,) ratings a recipe. sums: (n,) their sums, each rating in [0, 5].
    """
    total = float(counts.sum())
    mean = float(sums.sum()) / total if total else RATING_MAX * NEUTRAL_POPULARITY
    average = (PRIOR_RATINGS * mean + sums) / (PRIOR_RATINGS + counts)
    return (average / RATING_MAX).astype(np.float32)


def min_max(values: FloatArray) -> FloatArray:
    """Return the values scaled to [0, 1]; all 1 if they are equal."""
    if not values.size:
        return values
    lowest, highest = values.min(), values.max()
    return (values - lowest) / (highest - lowest) if highest > lowest else np.ones_like(values)
