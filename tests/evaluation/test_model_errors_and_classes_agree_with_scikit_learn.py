"""Errors of predicted values and measures of predicted classes, against scikit-learn."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
)

from recsys.evaluation.classification import Average
from recsys.evaluation.evaluator import ModelEvaluator

exact = partial(pytest.approx, rel=1e-9, abs=1e-9)
Pairs = Sequence[tuple[float, float]]

evaluator = ModelEvaluator()
numbers = st.integers(-1000, 1000).map(lambda n: n / 8)


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40))
def test_errors_are_those_of_scikit_learn(pairs: Pairs) -> None:
    """mse, mae, rmse and r2_score, a constant truth included."""
    truth, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = evaluator.calculate_ranking_metrics(truth, predicted)
    assert found["mse"] == exact(mean_squared_error(truth, predicted))
    assert found["rmse"] == exact(mean_squared_error(truth, predicted) ** 0.5)
    assert found["mae"] == exact(mean_absolute_error(truth, predicted))
    assert found["r2_score"] == exact(r2_score(truth, predicted))


def test_the_guides_example_has_its_true_values() -> None:
    """Errors of 0.2, 0.2, 0.1, 0.3 and 0.1 against grades of variance 2."""
    found = evaluator.calculate_ranking_metrics(np.array([4, 3, 5, 2, 1]), np.array([3.8, 3.2, 5.1, 2.3, 1.1]))
    assert found == pytest.approx({"mse": 0.038, "mae": 0.18, "rmse": 0.038**0.5, "r2_score": 0.981})


def test_what_the_mask_hides_has_no_error() -> None:
    """Ragged queries are pooled over the documents that are there, whatever fills the others."""
    mask = [[True, True], [True, False]]
    found = evaluator.calculate_ranking_metrics([[1, 2], [4, 9]], np.array([[1, 3], [4, np.nan]]), mask=mask)
    assert found == pytest.approx(evaluator.calculate_ranking_metrics([1, 2, 4], [1, 3, 4]))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=30),
    st.sampled_from(["macro", "micro", "weighted"]),
)
def test_classes_are_averaged_as_in_scikit_learn(pairs: Sequence[tuple[str, str]], average: Average) -> None:
    """Accuracy, precision, recall and F1 over classes of text, those never true or never guessed included."""
    truth, predicted = (list(values) for values in zip(*pairs, strict=True))
    precision, recall, f1_score, _ = precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
    found = evaluator.calculate_classification_metrics(truth, predicted, average)
    expected = {"precision": precision, "recall": recall, "f1_score": f1_score}
    assert found == exact(expected | {"accuracy": accuracy_score(truth, predicted)})


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_two_classes_are_measured_by_the_positive_one(pairs: Sequence[tuple[bool, bool]]) -> None:
    """Labels of 0 and 1 are binary by themselves, as scikit-learn's default is."""
    truth, predicted = (np.array(values) for values in zip(*pairs, strict=True))
    expected = precision_recall_fscore_support(truth, predicted, average="binary", zero_division=0)[:3]
    found = evaluator.calculate_classification_metrics(truth, predicted)
    assert [found["precision"], found["recall"], found["f1_score"]] == exact(list(expected))


def test_the_positive_label_can_be_named() -> None:
    """Of two classes of text the one named is measured."""
    found = evaluator.calculate_classification_metrics(["a", "b", "b"], ["a", "a", "b"], positive_label="b")
    assert found == pytest.approx({"accuracy": 2 / 3, "precision": 1, "recall": 1 / 2, "f1_score": 2 / 3})
