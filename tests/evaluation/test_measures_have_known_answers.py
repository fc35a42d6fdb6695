"""The measures, against answers that follow by hand."""

import numpy as np
import pytest

from recsys.evaluation.bootstrap import interval
from recsys.evaluation.metrics import hit, ndcg, recall, reciprocal_rank
from recsys.recommender.arrays import IntArray


def grades(*rows: list[int]) -> IntArray:
    return np.array(rows, dtype=np.int32)


def test_the_best_ranking_has_ndcg_one() -> None:
    """Whatever the grades, the ideal order gives 1, and no relevant answer gives 0."""
    ideal = grades([3, 2, 1, 0], [1, 0, 0, 0], [3, 3, 0, 0])
    assert ndcg(ideal, ideal, k=10).tolist() == [1, 1, 1]
    assert ndcg(np.zeros_like(ideal), ideal, k=10).tolist() == [0, 0, 0]


def test_ndcg_weighs_gains_by_rank() -> None:
    """Gains 3, 0, 7 at ranks 1 to 3 against 7, 3: (3 + 7 / 2) / (7 + 3 / log2 3)."""
    found = ndcg(grades([2, 0, 3]), grades([3, 2, 0]), k=10)
    assert found[0] == pytest.approx((3 + 7 / 2) / (7 + 3 / np.log2(3)))


def test_ndcg_looks_at_k_ranks_only() -> None:
    """What stands below rank k counts neither for the answers nor for the ideal."""
    assert ndcg(grades([0, 3, 3]), grades([3, 3, 3]), k=1)[0] == 0
    assert ndcg(grades([3, 0, 0]), grades([3, 3, 3]), k=1)[0] == 1


def test_nothing_relevant_gives_zero() -> None:
    """A request without relevant recipes divides by nothing, and gives 0."""
    none = grades([0, 0])
    assert ndcg(none, none, k=10)[0] == recall(none, np.array([0], dtype=np.int32), k=50)[0] == 0


def test_reciprocal_rank_is_of_the_first_relevant_answer() -> None:
    """First, third and nowhere: 1, 1/3 and 0; later ones and grades do not matter."""
    found = reciprocal_rank(grades([1, 3, 0], [0, 0, 2], [0, 0, 0]))
    assert found.tolist() == pytest.approx([1, 1 / 3, 0])


def test_recall_is_of_what_k_ranks_could_hold() -> None:
    """Two of four relevant are a half; where k is smaller than what is relevant, k of them are all."""
    ranked = grades([1, 0, 3], [1, 2, 3])
    assert recall(ranked, np.array([4, 9], dtype=np.int32), k=3).tolist() == pytest.approx([2 / 3, 1])


def test_hit_is_of_the_first_answer() -> None:
    """Any grade hits, and the second answer does not."""
    assert hit(grades([1, 0], [0, 3])).tolist() == [1, 0]


def test_an_interval_holds_the_mean_and_repeats() -> None:
    """The interval stands around the mean, is that of the normal approximation for many values, and is seeded."""
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    found = interval(values)
    assert found == interval(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_a_constant_is_sure() -> None:
    """Where all requests give the same, the interval has no width; a difference of zero is not more than chance."""
    assert interval(np.full(5, 0.25)).low == interval(np.full(5, 0.25)).high == 0.25
    assert not interval(np.zeros(5)).excludes_zero
