"""Sets of retrieved documents and lists of recommendations, against answers that follow by hand or from scipy."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from recsys.evaluation.evaluator import ModelEvaluator

exact = partial(pytest.approx, rel=1e-9, abs=1e-9)

evaluator = ModelEvaluator()


@settings(deadline=None)
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_retrieval_is_a_binary_classification(relevant: set[int], retrieved: set[int]) -> None:
    """Counts and measures of ids equal scikit-learn's of each document's being relevant and retrieved, as do flags."""
    truth, found = (np.isin(np.arange(10), list(ids)) for ids in (relevant, retrieved))
    tn, fp, fn, tp = confusion_matrix(truth, found, labels=[False, True]).ravel().tolist()
    expected = {
        "precision": precision_score(truth, found, zero_division=0),
        "recall": recall_score(truth, found, zero_division=0),
        "f1_score": f1_score(truth, found, zero_division=0),
        "specificity": recall_score(~truth, ~found, zero_division=0),
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
    }
    assert evaluator.calculate_retrieval_metrics(relevant, retrieved, total=10) == exact(expected)
    flags = truth.reshape(2, 5), found.reshape(2, 5)
    assert evaluator.calculate_retrieval_metrics(*flags) == exact(expected)


def test_without_a_total_true_negatives_are_unknown() -> None:
    """How many documents were rightly left out is not guessed; an id given twice counts once."""
    found = evaluator.calculate_retrieval_metrics(["a", "b"], ["b", "b", "c"])
    assert (found["tp"], found["fp"], found["fn"], found["tn"], found["specificity"]) == (1, 1, 1, None, None)


def test_coverage_is_of_the_catalogue() -> None:
    """Two of four recipes are ever recommended, however often."""
    assert evaluator.calculate_coverage([["a", "b"], ["a"]], ["a", "b", "c", "d"]) == 0.5


def test_diversity_is_the_mean_cosine_distance() -> None:
    """Over the pairs of each list, as scipy gives it, then over lists."""
    vectors = np.random.default_rng(3).normal(size=(6, 5, 8))
    expected = np.mean([pdist(items, "cosine").mean() for items in vectors])
    assert evaluator.calculate_diversity(vectors) == exact(expected)
    assert evaluator.calculate_diversity([[1, 0], [0, 2]]) == pytest.approx(1)


def test_novelty_is_in_bits() -> None:
    """Counts of 5, 1 and 0 over three recipes: chances of 6/9, 2/9 and 1/9; the unused one is novel, not infinitely."""
    uses = {"a": 5, "b": 1, "c": 0}
    assert evaluator.calculate_novelty([["a"], ["c"]], uses) == pytest.approx(-np.mean(np.log2([6 / 9, 1 / 9])))
    assert evaluator.calculate_novelty([["c"]], uses) > evaluator.calculate_novelty([["b"]], uses)
