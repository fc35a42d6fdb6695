"""What measures are given, checked: numbers, labels and masks, as arrays. Floor 3; numpy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.errors import InvalidInput
from recsys.recommender.arrays import BoolArray, DoubleArray

NUMERIC_KINDS = "biuf"
LABEL_KINDS = "biufU"


class InvalidArgument(InvalidInput, ValueError):
    """An argument of a measure cannot be measured; the message names it, what was found and the mend."""

    def __init__(self, field: str, found: str, fix: str) -> None:
        super().__init__(f"{field}: {found}; {fix}", field=field, found=found, fix=fix)


def judged_scores(y_true: ArrayLike, y_pred: ArrayLike, mask: ArrayLike | None) -> tuple[DoubleArray, DoubleArray]:
    """Return truth and predictions, (queries, documents); where the mask says no document is, 0 and -infinity.

    y_true, y_pred: (documents,) for one query, or (queries, documents). mask: the same shape, True where a document
    is; None: all are. Raises InvalidArgument on other shapes, no documents, and NaN or infinity that the mask leaves.
    """
    truth, predicted = table(y_true, "y_true"), table(y_pred, "y_pred")
    require_same_shape("y_pred", predicted, "y_true", truth)
    if mask is None:
        return finite(truth, "y_true"), finite(predicted, "y_pred")
    present = boolean_table(mask, "mask")
    require_same_shape("mask", present, "y_true", truth)
    finite(np.where(present, predicted, 0), "y_pred")
    return finite(np.where(present, truth, 0), "y_true"), np.where(present, predicted, -np.inf)


def table(values: ArrayLike, field: str) -> DoubleArray:
    """Return numbers as (queries, documents). Raises InvalidArgument."""
    return rows(array(values, field, NUMERIC_KINDS, "give numbers"), field).astype(np.float64, copy=False)


def boolean_table(values: ArrayLike, field: str) -> BoolArray:
    """Return truth values as (queries, documents). Raises InvalidArgument."""
    return rows(array(values, field, "b", "give True and False, by astype(bool) if they are 0 and 1"), field)


def labels(values: ArrayLike, field: str) -> NDArray[Any]:
    """Return the labels of classes, (n,), n >= 1: numbers, truth values or text. Raises InvalidArgument."""
    given = array(text_if_text(values), field, LABEL_KINDS, "give numbers or text, of one kind")
    if given.ndim != 1:
        raise InvalidArgument(field, f"found shape {given.shape}", "give one label a row, shape (n,)")
    return finite(given, field) if given.dtype.kind == "f" else given


def vector(values: ArrayLike, field: str) -> DoubleArray:
    """Return one finite number a query, (queries,), queries >= 1. Raises InvalidArgument."""
    given = array(values, field, NUMERIC_KINDS, "give numbers")
    if given.ndim != 1:
        raise InvalidArgument(field, f"found shape {given.shape}", "give one value a query, shape (queries,)")
    return finite(given.astype(np.float64, copy=False), field)


def array(values: ArrayLike, field: str, kinds: str, fix: str) -> NDArray[Any]:
    """Return the values as a non-empty array whose dtype is of the kinds. Raises InvalidArgument."""
    try:
        given = np.asarray(values)
    except ValueError as error:
        raise InvalidArgument(
            field, "found rows of different lengths", "pad them to one length and say which values count with mask="
        ) from error
    if given.size == 0:
        raise InvalidArgument(field, "found nothing", "give at least one value")
    if given.dtype.kind not in kinds:
        raise InvalidArgument(field, f"found dtype {given.dtype}", fix)
    return given


def rows(given: NDArray[Any], field: str) -> NDArray[Any]:
    if given.ndim not in (1, 2):
        raise InvalidArgument(field, f"found shape {given.shape}", "give (documents,) or (queries, documents)")
    return np.atleast_2d(given)


def finite(values: NDArray[Any], field: str) -> NDArray[Any]:
    """Return the values. Raises InvalidArgument at the first NaN or infinity."""
    is_finite = np.isfinite(values)
    if not is_finite.all():
        at = tuple(int(index) for index in np.argwhere(~is_finite)[0])
        fix = "drop or replace it; if it only fills up a row, say so with mask="
        raise InvalidArgument(field, f"found {values[at]} at {list(at)}", fix)
    return values


def require_same_shape(field: str, given: NDArray[Any], other: str, against: NDArray[Any]) -> None:
    """Raise InvalidArgument unless both arrays have one shape."""
    if given.shape != against.shape:
        found = f"found shape {given.shape}, where {other} has {against.shape}"
        raise InvalidArgument(field, found, "give one value for each")


def require_from(field: str, value: object, least: int) -> None:
    """Raise InvalidArgument unless value is a whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidArgument(field, f"found {value!r}", f"give a whole number from {least} on")


def require_one_of(field: str, value: object, allowed: Sequence[str]) -> None:
    """Raise InvalidArgument unless the value is one of those allowed."""
    if value not in allowed:
        raise InvalidArgument(field, f"found {value!r}", f"give one of {', '.join(allowed)}")


def text_if_text(values: ArrayLike) -> ArrayLike:
    """Return objects that all are text, as a column of a frame holds them, as an array of text; else the values."""
    given = np.asarray(values) if hasattr(values, "dtype") else None
    if given is not None and given.dtype.kind in "OT" and all(isinstance(value, str) for value in given.ravel()):
        return given.astype(str)
    return values
