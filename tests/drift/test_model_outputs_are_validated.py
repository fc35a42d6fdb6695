"""Outputs that nobody could use are found, each check with what it found and what it expected."""

import json
from typing import Any

import numpy as np
import pytest

from recsys.errors import InvalidInput
from recsys.evaluation.validator import ModelValidator

GOOD = np.array([0.5, 0.8, 0.3])


def validate(predictions: Any, **expected: Any) -> dict[str, Any]:
    found = ModelValidator().validate_model_output(predictions, **expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def test_the_guides_example() -> None:
    """Three predictions in the range are valid."""
    found = ModelValidator().validate_model_output(predictions=GOOD, expected_shape=(3,), value_range=(0, 1))
    assert found["valid"] and found["is_valid"] and found["failed"] == []
    assert found["checks"]["range"]["found"] == [0.3, 0.8]


@pytest.mark.parametrize(
    ("predictions", "expected", "failed"),
    [
        (GOOD, {"expected_shape": (4,)}, ["shape"]),
        (GOOD, {"expected_shape": (3, 1)}, ["shape"]),
        (GOOD, {"value_range": (0.4, 1)}, ["range"]),
        ([0.5, np.nan], {"value_range": (0, 1)}, ["nan"]),
        ([0.5, np.inf, 0.1], {}, ["infinite"]),
        ([0.5, -np.inf, 0.1], {"value_range": (0, 1)}, ["infinite", "range"]),
        ([0.5, 0.5, 0.5], {}, ["constant"]),
        ([], {}, ["not_empty"]),
        ([np.nan, np.nan], {"value_range": (0, 1)}, ["nan"]),
    ],
)
def test_each_fault_is_named(predictions: Any, expected: dict[str, Any], failed: list[str]) -> None:
    """Each fault fails its own check and no other, and the whole."""
    found = validate(predictions, **expected)
    assert found["failed"] == failed
    assert not found["valid"]


def test_the_first_fault_is_pointed_at() -> None:
    """The index of the first value that is wrong stands in the answer."""
    assert validate([[1.0, 2.0], [np.nan, 3.0]])["checks"]["nan"]["first"] == [1, 0]


def test_a_size_may_be_left_open() -> None:
    """None in the shape stands for any number of rows; a single constant row is no fault."""
    assert validate([[1.0, 1.0, 2.0]], expected_shape=(None, 3))["valid"]
    assert validate([0.5])["valid"]


def test_outputs_are_compared_with_those_of_before() -> None:
    """Outputs that moved from the reference fail, those that did not pass, and too few are not judged."""
    random = np.random.default_rng(0)
    reference = random.random(500)
    assert validate(random.random(500), reference=reference)["valid"]
    assert validate(random.random(500) / 2, reference=reference)["failed"] == ["distribution"]
    few = validate([0.1, 0.2, 0.15], reference=reference)
    assert few["valid"] and few["checks"]["distribution"]["confidence"] == "insufficient_data"


def test_what_is_no_output_is_refused() -> None:
    """Words, ragged rows and a range upside down are answered with the mend."""
    for predictions in (["a", "b"], [[1.0], [1.0, 2.0]]):
        with pytest.raises(InvalidInput, match="predictions"):
            validate(predictions)
    with pytest.raises(InvalidInput, match="range"):
        validate(GOOD, value_range=(1, 0))
