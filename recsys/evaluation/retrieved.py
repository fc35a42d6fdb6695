"""What sets of retrieved documents are worth: counts, precision, recall, f1_score, specificity. Floor 3; numpy only."""

from collections.abc import Collection, Hashable

import numpy as np

from recsys.evaluation.arguments import InvalidArgument, boolean_table, require_from, require_same_shape
from recsys.recommender.arrays import BoolArray

Measures = dict[str, float | int | None]


def retrieval(
    relevant: Collection[Hashable] | BoolArray, retrieved: Collection[Hashable] | BoolArray, total: int | None = None
) -> Measures:
    """Return precision, recall, f1_score and specificity, in [0, 1], and the counts tp, fp, tn and fn.

    relevant, retrieved: ids, each counted once, of `total` documents that there are; or both truth values of one shape,
    (documents,) or (queries, documents), whose counts are pooled, and total is not needed. Without total, tn and
    specificity are not known: None. What has nothing to divide by is 0. Raises InvalidArgument, a ValueError.
    """
    if is_flags(relevant) or is_flags(retrieved):
        return of_flags(
            boolean_table(np.asarray(relevant), "relevant"), boolean_table(np.asarray(retrieved), "retrieved")
        )
    wanted, found = ids(relevant, "relevant"), ids(retrieved, "retrieved")
    seen = len(wanted | found)
    if total is not None:
        require_from("total", total, seen)
    tn = None if total is None else int(total) - seen
    return measures(tp=len(wanted & found), fp=len(found - wanted), tn=tn, fn=len(wanted - found))


def of_flags(relevant: BoolArray, retrieved: BoolArray) -> Measures:
    require_same_shape("retrieved", retrieved, "relevant", relevant)
    return measures(
        tp=int(np.count_nonzero(relevant & retrieved)),
        fp=int(np.count_nonzero(~relevant & retrieved)),
        tn=int(np.count_nonzero(~relevant & ~retrieved)),
        fn=int(np.count_nonzero(relevant & ~retrieved)),
    )


def measures(*, tp: int, fp: int, tn: int | None, fn: int) -> Measures:
    """Return the measures of these counts, and the counts."""
    return {
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "f1_score": share(2 * tp, 2 * tp + fp + fn),
        "specificity": None if tn is None else share(tn, tn + fp),
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
    }


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def is_flags(values: object) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "b"


def ids(values: Collection[Hashable], field: str) -> set[Hashable]:
    """Return the ids as a set. Raises InvalidArgument for a single text and for what has no ids in it."""
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise InvalidArgument(field, f"found {values!r:.100}", "give a list or a set of ids")
    try:
        return set(values)
    except TypeError as error:
        raise InvalidArgument(field, f"found values that are no ids ({error})", "give texts or numbers") from error
