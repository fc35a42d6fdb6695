"""Drift is an effect that matters and that chance does not explain."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.drift.verdicts import check_drift
from recsys.errors import InvalidInput
from recsys.evaluation.validator import ModelValidator


def normal(size: int, mean: float = 0.0, deviation: float = 1.0, *, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(mean, deviation, size)


def test_the_guides_example() -> None:
    """Three rows of prices that rose by five are drift, marked as too few to start a retraining from."""
    baseline, current = pd.DataFrame({"price": [10, 20, 30]}), pd.DataFrame({"price": [15, 25, 35]})
    found = ModelValidator().check_data_drift(baseline, current, threshold=0.1)
    assert (found["drift_detected"], found["columns_with_drift"]) == (True, ["price"])
    assert found["columns"]["price"]["confidence"] == "insufficient_data"
    assert found["columns"]["price"]["mean_shift"] == 0.25
    assert not found["can_start_retraining"]


@pytest.mark.parametrize(("mean", "deviation"), [(0.25, 1.0), (0.0, 1.5)])
def test_shifts_of_mean_and_spread_are_found(mean: float, deviation: float) -> None:
    """A moved mean and a wider spread are drift, with every measure of it side by side."""
    found = check_drift({"x": normal(5000)}, {"x": normal(5000, mean, deviation, seed=1)})
    column = found["columns"]["x"]
    assert column["drift"] and found["can_start_retraining"]
    assert {"wasserstein", "ks_p", "psi", "mean_shift", "severity"} <= column.keys()


def test_a_tiny_shift_of_many_rows_is_none() -> None:
    """A shift of 0.02 deviations is significant in 200,000 rows, and still no drift."""
    column = check_drift({"x": normal(200_000)}, {"x": normal(200_000, 0.02, seed=1)})["columns"]["x"]
    assert column["ks_p"] < 0.01
    assert not column["drift"]


def test_a_large_effect_of_few_rows_is_none() -> None:
    """With 12 rows an effect above the threshold is what chance does."""
    column = check_drift({"x": normal(12)}, {"x": normal(12, seed=1)})["columns"]["x"]
    assert column["effect"] > 0.1
    assert not column["drift"]


def test_few_rows_against_many_stay_insufficient() -> None:
    """The smaller side decides whether there is enough to judge from."""
    found = check_drift({"x": normal(5000)}, {"x": normal(9, 3)})
    assert found["columns"]["x"]["confidence"] == "insufficient_data"
    assert found["drift_detected"] and not found["can_start_retraining"]


def test_many_columns_raise_no_more_alarms_than_one() -> None:
    """Of 200 columns that have not moved, none is called drift: the p-values are adjusted for their number."""
    random = np.random.default_rng(3)
    before, after = ({f"c{number}": random.normal(size=100) for number in range(200)} for _ in range(2))
    found = check_drift(before, after)
    assert sum(column["ks_p"] < 0.05 for column in found["columns"].values()) >= 1
    assert not found["drift_detected"]


def test_severity_grows_with_the_effect() -> None:
    """From one, two and five thresholds on, drift is low, moderate and high."""
    means = {"low": 0.15, "moderate": 0.3, "high": 1.0}
    columns = check_drift(
        {name: normal(5000) for name in means}, {name: normal(5000, mean, seed=1) for name, mean in means.items()}
    )["columns"]
    assert {name: columns[name]["severity"] for name in means} == {name: name for name in means}


def test_the_answer_is_json() -> None:
    """The whole answer can be stored: no NaN, no infinity, no numpy number."""
    found = check_drift({"x": [1.0, np.nan, np.inf] * 9, "y": list("abc") * 9}, {"x": [0.0] * 27, "y": list("abd") * 9})
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("threshold", [0, -1, float("nan"), float("inf")])
def test_a_threshold_that_says_nothing_is_refused(threshold: float) -> None:
    """A threshold of nothing, or that nothing reaches, is named as the mistake."""
    with pytest.raises(InvalidInput, match="threshold"):
        check_drift({"x": [1]}, {"x": [2]}, threshold=threshold)


def test_what_is_no_table_is_refused() -> None:
    """An array without column names is answered with what to give instead."""
    with pytest.raises(InvalidInput, match="found list"):
        check_drift([1, 2, 3], {"x": [1]})
    with pytest.raises(InvalidInput, match="stands twice"):
        check_drift(pd.DataFrame([[1, 2]], columns=["x", "x"]), {"x": [1]})
    with pytest.raises(InvalidInput, match="shape"):
        check_drift({"x": np.zeros((3, 2))}, {"x": [1]})
    with pytest.raises(InvalidInput, match="complex"):
        check_drift({"x": [1j]}, {"x": [1j]})
