"""Data without variance, without values or without rows get a verdict, and no warning."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.drift.verdicts import check_drift

NORMAL = np.random.default_rng(0).normal(size=100).tolist()
STEADY: dict[str, tuple[list[Any], list[Any]]] = {
    "constant": ([5.0] * 100, [5.0] * 100),
    "constant with noise of rounding": ([0.1 + 0.2] * 100, [0.1 + 0.2] * 50),
    "nothing known": ([np.nan] * 100, [np.nan] * 100),
    "nothing at all": ([None] * 100, [None] * 100),
    "infinite": ([np.inf, -np.inf] * 50, [np.inf, -np.inf] * 50),
    "huge": ([1e308, -1e308] * 50, [1e308, -1e308] * 50),
    "no current rows": (NORMAL, []),
    "no rows": ([], []),
    "decimals": ([Decimal(1), Decimal(2), None] * 30, [Decimal(1), Decimal(2), None] * 30),
    "dates": ([date(2024, 1, 1), date(2024, 1, 2), None] * 30, [date(2024, 1, 1), date(2024, 1, 2), None] * 30),
    "mixed": ([1, "a", None] * 30, [1, "a", None] * 30),
    "identifiers": ([f"id{number}" for number in range(500)], [f"id{number}" for number in range(500, 1000)]),
    "truths beside numbers": ([0, 1] * 50, [False, True] * 50),
}
MOVED: dict[str, tuple[list[Any], list[Any]]] = {
    "a constant that changed": ([5.0] * 100, [6.0] * 100),
    "a constant that varies": ([0.0] * 100, NORMAL),
    "values that are gone": (NORMAL, [np.nan] * 100),
    "objects that are gone": (["a", "b"] * 50, [None] * 100),
    "values that came": ([np.nan] * 100, NORMAL),
    "numbers that became words": (NORMAL, ["a"] * 100),
    "words that became numbers": (["a"] * 100, NORMAL),
    "one row": ([1.0], [2.0]),
}


@pytest.mark.parametrize("name", STEADY)
def test_what_has_not_moved_is_no_drift(name: str) -> None:
    """The same odd data on both sides are no drift."""
    before, after = STEADY[name]
    found = check_drift({"x": before}, {"x": after})
    assert not found["drift_detected"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", MOVED)
def test_what_has_moved_is_drift(name: str) -> None:
    """Odd data that changed are drift, with a finite effect."""
    before, after = MOVED[name]
    found = check_drift({"x": before}, {"x": after})
    assert found["columns_with_drift"] == ["x"]
    json.dumps(found, allow_nan=False)


def test_a_lost_column_is_drift_that_no_retraining_mends() -> None:
    """A column that a model needs and no longer gets is drift; one that came is only named."""
    found = check_drift({"x": NORMAL, "y": NORMAL}, {"x": NORMAL, "z": NORMAL})
    assert (found["lost_columns"], found["new_columns"]) == (["y"], ["z"])
    assert found["columns_with_drift"] == ["y"]
    assert not found["can_start_retraining"]


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame({"x": []}), {}])
def test_a_table_without_rows_says_nothing(empty: Any) -> None:
    """An empty table, with columns or without, is no drift on either side."""
    assert not check_drift({"x": NORMAL}, empty)["drift_detected"]
    assert not check_drift(empty, {"x": NORMAL})["drift_detected"]
