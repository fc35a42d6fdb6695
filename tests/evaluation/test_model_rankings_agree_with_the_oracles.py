"""Measures of rankings against scikit-learn, trec_eval and the mean over all orders of tied documents."""

from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import ndcg_score

from recsys.evaluation.evaluator import ModelEvaluator
from recsys.evaluation.ranking import Gain, Ties, rankings_of
from recsys.recommender.arrays import BoolArray, DoubleArray

exact = partial(pytest.approx, rel=1e-9, abs=1e-9)
TREC_MEASURES = {
    "ndcg": "ndcg_cut_{k}",
    "precision": "P_{k}",
    "recall": "recall_{k}",
    "hit": "success_{k}",
    "mrr": "recip_rank",
    "map": "map",
}

evaluator = ModelEvaluator()


@st.composite
def judged(draw: st.DrawFn, *, documents_max: int = 12) -> tuple[DoubleArray, DoubleArray, BoolArray]:
    """Draw grades of 0 to 4 and scores with many ties, and which documents there are: at least two a query."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(2, documents_max)))
    grades = draw(hnp.arrays(np.float64, shape, elements=st.integers(0, 4).map(float)))
    scores = draw(hnp.arrays(np.float64, shape, elements=st.integers(-3, 3).map(lambda n: n / 4)))
    mask = draw(hnp.arrays(np.bool_, shape))
    mask[:, :2] = True
    return grades, scores, mask


@settings(deadline=None)
@given(judged(), st.integers(1, 15), st.sampled_from(["exp", "linear"]))
def test_ndcg_is_that_of_scikit_learn(case: tuple[DoubleArray, DoubleArray, BoolArray], k: int, gain: Gain) -> None:
    """Tied, ragged, all-zero and with k beyond the documents: as scikit-learn gives it for these gains."""
    grades, scores, mask = case
    gains = np.exp2(grades) - 1 if gain == "exp" else grades
    rows = zip(gains, scores, mask, strict=True)
    expected = np.mean([ndcg_score([truth[there]], [score[there]], k=k) for truth, score, there in rows])
    assert evaluator.calculate_ndcg(grades, scores, k, gain, mask=mask) == exact(expected)


@settings(deadline=None)
@given(judged(), st.integers(1, 15))
def test_trec_ties_give_what_trec_eval_gives(case: tuple[DoubleArray, DoubleArray, BoolArray], k: int) -> None:
    """Every measure of every query, with linear gains and ties as trec_eval breaks them, equals trec_eval's."""
    grades, scores, mask = case
    expected = trec_eval(grades, scores, mask, k)
    found = measured(case, k, "trec")
    for name, oracle in TREC_MEASURES.items():
        assert found[name] == exact([query[oracle.format(k=k)] for query in expected]), name


def test_trec_scores_have_32_bits() -> None:
    """Scores that only differ beyond 32 bits are tied, as in trec_eval: the later document comes first."""
    grades, scores = np.array([[1.0, 0.0, 2.0]]), np.array([[1.0, 1.0 + 1e-9, 1.0 - 1e-9]])
    (expected,) = trec_eval(grades, scores, np.ones((1, 3), dtype=bool), 3)
    found = evaluator.calculate_ndcg(grades, scores, 3, "linear", "trec")
    assert found == exact(expected["ndcg_cut_3"])


@settings(deadline=None)
@given(judged(documents_max=5), st.integers(1, 6))
def test_averaged_ties_are_the_mean_of_all_orders(case: tuple[DoubleArray, DoubleArray, BoolArray], k: int) -> None:
    """Each measure with ties equals its mean over every order in which the documents of equal score can stand."""
    grades, scores, mask = case
    tied = measured(case, k, "average")
    for query, (truth, score, there) in enumerate(zip(grades, scores, mask, strict=True)):
        orders = np.array(list(permutations(np.arange(there.sum()))))
        # Of equal scores the later document comes first for trec: each permutation of the columns is one order.
        shuffled = truth[there][orders], score[there][orders], np.ones(orders.shape, dtype=bool)
        for name, values in measured(shuffled, k, "trec").items():
            assert tied[name][query] == exact(values.mean()), name


def test_many_queries_are_measured_like_each_alone() -> None:
    """Queries that are measured in parts, as too many for the cache, keep their order and their values."""
    random = np.random.default_rng(5)
    grades, scores = random.integers(0, 4, (45, 5000)), random.integers(0, 900, (45, 5000))
    together = evaluator.measure_queries(grades, scores)
    alone = [evaluator.measure_queries(truth, score) for truth, score in zip(grades, scores, strict=True)]
    for name, values in together.items():
        assert values == exact([query[name][0] for query in alone])


def test_a_constant_model_is_worth_what_chance_is() -> None:
    """Where all scores are equal, one relevant document of four is first in a quarter of the orders."""
    grades, scores = [0, 0, 1, 0], [0.5] * 4
    assert evaluator.calculate_precision_at_k(grades, scores, 1) == pytest.approx(1 / 4)
    assert evaluator.calculate_hit_at_k(grades, scores, 2) == pytest.approx(1 / 2)
    assert evaluator.calculate_mrr(grades, scores) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert evaluator.calculate_mrr(grades, scores, k=2) == pytest.approx((1 + 1 / 2) / 4)


@settings(deadline=None)
@given(judged())
def test_measures_lie_between_zero_and_one(case: tuple[DoubleArray, DoubleArray, BoolArray]) -> None:
    """Each measure of each query is in [0, 1], 0 where nothing is relevant, and the best ranking's nDCG is 1."""
    grades, scores, mask = case
    has_relevant = (grades * mask).any(axis=1)
    for values in evaluator.measure_queries(grades, scores, mask=mask).values():
        assert np.all((values >= 0) & (values <= 1))
        assert not values[~has_relevant].any()
    best = evaluator.measure_queries(grades, grades, mask=mask)["ndcg@10"]
    assert best == exact(has_relevant.astype(float))


def measured(case: tuple[DoubleArray, DoubleArray, BoolArray], k: int, ties: Ties) -> dict[str, DoubleArray]:
    grades, scores, mask = case
    (rankings,) = rankings_of(grades, scores, mask=mask, ties=ties)
    return {
        "ndcg": rankings.ndcg(k, gain="linear"),
        "precision": rankings.precision(k),
        "recall": rankings.recall(k),
        "hit": rankings.hit(k),
        "mrr": rankings.reciprocal_rank(),
        "map": rankings.average_precision(),
    }


def trec_eval(grades: DoubleArray, scores: DoubleArray, mask: BoolArray, k: int) -> list[dict[str, float]]:
    def by_document(values: DoubleArray, there: BoolArray, kind: type) -> dict[str, Any]:
        return {f"{column:03}": kind(values[column]) for column in np.flatnonzero(there)}

    queries = range(len(grades))
    judgements = {str(query): by_document(grades[query], mask[query], int) for query in queries}
    run = {str(query): by_document(scores[query], mask[query], float) for query in queries}
    names = {"recip_rank", "map", f"ndcg_cut.{k}", f"P.{k}", f"recall.{k}", f"success.{k}"}
    found = pytrec_eval.RelevanceEvaluator(judgements, names).evaluate(run)
    return [found[str(query)] for query in queries]
