"""Whether a model gets the data, and gives the outputs, that it should: the guide's `ModelValidator`. Floor 3."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.drift.difference import Difference
from recsys.drift.numeric import Numbers
from recsys.drift.profile import ReferenceProfile
from recsys.drift.verdicts import SIGNIFICANCE, check_drift
from recsys.errors import InvalidInput
from recsys.recommender.arrays import BoolArray, DoubleArray

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

Check = dict[str, Any]  # found, expected, valid
DISTRIBUTION_THRESHOLD = 0.1  # standard deviations of the reference


class ModelValidator:
    """Checks the data that a model gets and the outputs that it gives."""

    def check_data_drift(
        self,
        baseline: "pd.DataFrame | Mapping[str, Any] | ReferenceProfile",
        current: "pd.DataFrame | Mapping[str, Any]",
        threshold: float = 0.1,
        *,
        multivariate: bool = False,
    ) -> dict[str, Any]:
        """Return whether current data have drifted from the baseline: `recsys.drift.verdicts.check_drift`."""
        return check_drift(baseline, current, threshold=threshold, multivariate=multivariate)

    def validate_model_output(
        self,
        predictions: "ArrayLike",
        expected_shape: Sequence[int | None] | None = None,
        value_range: tuple[float, float] | None = None,
        reference: "ArrayLike | None" = None,
    ) -> dict[str, Any]:
        """Return whether the outputs can be used, with each check's finding, as plain JSON.

        expected_shape: None in it stands for any size. value_range: lowest and highest allowed. reference: outputs
        known to be good. Raises InvalidInput if the outputs are no numbers, or the range is upside down.
        """
        outputs = as_outputs(predictions, "predictions")
        checks = {
            "not_empty": check(outputs.size, "1 or more", outputs.size > 0),
            "nan": none_of(np.isnan(outputs)),
            "infinite": none_of(np.isinf(outputs)),
            "constant": varies(outputs),
        }
        if expected_shape is not None:
            checks["shape"] = has_shape(outputs, expected_shape)
        if value_range is not None:
            checks["range"] = within(outputs, value_range)
        if reference is not None:
            checks["distribution"] = distributed_as(outputs, as_outputs(reference, "reference"))
        failed = [name for name, found in checks.items() if not found["valid"]]
        return {"valid": not failed, "is_valid": not failed, "failed": failed, "checks": checks}


def as_outputs(values: "ArrayLike", field: str) -> DoubleArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{field} are not an array of numbers: {error}", field=field, fix="give an array of one shape, of numbers"
        ) from error


def check(found: object, expected: object, valid: bool) -> Check:
    return {"found": found, "expected": expected, "valid": bool(valid)}


def none_of(is_bad: BoolArray) -> Check:
    """Return the check that no value is so, with the index of the first that is."""
    found = check(int(is_bad.sum()), 0, not is_bad.any())
    if is_bad.any():
        found["first"] = [int(index) for index in np.unravel_index(int(is_bad.argmax()), is_bad.shape)]
    return found


def varies(outputs: DoubleArray) -> Check:
    """Return the check that a model says different things of different rows; a single row cannot show it."""
    finite = outputs[np.isfinite(outputs)]
    distinct = len(np.unique(finite))
    return check(distinct, "2 or more distinct values" if finite.size > 1 else "any", finite.size < 2 or distinct > 1)


def has_shape(outputs: DoubleArray, expected: Sequence[int | None]) -> Check:
    fits = len(expected) == outputs.ndim and all(
        size in (None, found) for size, found in zip(expected, outputs.shape, strict=True)
    )
    return check(list(outputs.shape), list(expected), fits)


def within(outputs: DoubleArray, value_range: tuple[float, float]) -> Check:
    """Return the check of the range, with the extremes of the finite values; NaN has its own check."""
    low, high = value_range
    if not low <= high:
        raise InvalidInput(
            f"the range is [{low}, {high}]", field="value_range", found=str(value_range), fix="give the lower end first"
        )
    is_outside = (outputs < low) | (outputs > high)
    found = none_of(is_outside)
    known = outputs[np.isfinite(outputs)]
    extremes = [float(known.min()), float(known.max())] if known.size else None
    return found | {"found": extremes, "expected": [low, high], "outside": int(is_outside.sum())}


def distributed_as(outputs: DoubleArray, reference: DoubleArray) -> Check:
    """Return the check that outputs have not moved from the reference, by the rule of drift; too few are not judged."""
    ours, theirs = (Numbers.of(np.sort(values[np.isfinite(values)])) for values in (reference, outputs))
    moved: Difference = ours.compare(theirs)
    drift = moved.is_sufficient and moved.effect >= DISTRIBUTION_THRESHOLD and moved.p_value < SIGNIFICANCE
    return check(moved.effect, f"below {DISTRIBUTION_THRESHOLD} standard deviations", not drift) | {
        "p_value": moved.p_value,
        "confidence": moved.confidence,
        **moved.details,
    }
