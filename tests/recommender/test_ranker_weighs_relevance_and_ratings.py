"""The hybrid ranker is alpha · relevance + (1 - alpha) · popularity, and popularity is a Bayesian average."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.recommender.arrays import FloatArray
from recsys.recommender.ranker import NEUTRAL_POPULARITY, Features, HybridRanker, LinearRanker, popularity


def features(relevance: FloatArray, popularity: FloatArray, **others: FloatArray) -> Features:
    zeros = np.zeros_like(relevance)
    plain = dict.fromkeys(
        ("words", "meaning", "share", "name", "time_fit", "language_fit", "technique_fit", "pantry"), zeros
    )
    return Features(relevance=relevance, popularity=popularity, **{**plain, **others})


RELEVANCE = np.array([0.75, 0.85, 0.95], dtype=np.float32)


def test_relevance_is_normalised_before_it_is_mixed() -> None:
    """Cosines that lie close together still decide: 0.7 from the least to the most relevant."""
    scores = HybridRanker().scores(features(RELEVANCE, np.full(3, 0.5, dtype=np.float32)))
    assert scores == pytest.approx([0.15, 0.5, 0.85])


def test_popularity_decides_among_equals() -> None:
    """Equally relevant recipes are ordered by their ratings."""
    liked = np.array([0.9, 0.7], dtype=np.float32)
    scores = HybridRanker().scores(features(np.ones(2, dtype=np.float32), liked))
    assert scores == pytest.approx([0.7 + 0.3 * 0.9, 0.7 + 0.3 * 0.7])


def test_popularity_is_neutral_without_ratings() -> None:
    """While nobody has rated, all recipes stand in the middle."""
    assert popularity(np.zeros(3), np.zeros(3)) == pytest.approx([NEUTRAL_POPULARITY] * 3)


def test_popularity_trusts_many_ratings_more_than_few() -> None:
    """Of two recipes with only fives, the one with more of them is more popular; an unrated one has the mean."""
    counts, sums = np.array([2, 200, 50, 0]), np.array([10.0, 1000, 150, 0])
    few, many, bad, unrated = popularity(counts.astype(np.float64), sums)
    assert many > few > unrated > bad
    assert unrated == pytest.approx(1160 / 252 / 5)


@given(arrays(np.float32, st.integers(0, 30), elements=st.floats(-1, 1, width=32)))
def test_scores_stay_between_zero_and_one(relevance: np.ndarray) -> None:
    """Whatever the relevance, the scores are in [0, 1] and keep its order."""
    scores = HybridRanker().scores(features(relevance, np.full(len(relevance), 0.5, dtype=np.float32)))
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores[np.argsort(relevance)]) >= -1e-6).all()


def test_the_linear_ranker_prefers_the_dish_that_is_named() -> None:
    """Of equally relevant recipes the one that bears the request's name comes first."""
    ones = np.ones(2, dtype=np.float32)
    scores = LinearRanker().scores(features(ones, ones, name=np.array([0, 1], dtype=np.float32)))
    assert scores[1] > scores[0]
    assert scores.max() <= 1
