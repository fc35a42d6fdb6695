"""Whether columns have drifted: effect and test together, over all columns at once. Floor 3.

A part of a column drifts when its effect reaches the threshold and its p-value, adjusted by Holm over all parts of all
columns, is below 0.05. With fewer than 10 values on a side the effect decides alone; that is marked, and no retraining
starts from it.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from recsys.drift.columns import Column, Kind
from recsys.drift.counts import Counts
from recsys.drift.difference import Difference, holm
from recsys.drift.multivariate import domain_classifier
from recsys.drift.numeric import Numbers
from recsys.drift.profile import Frame, Reference, ReferenceProfile
from recsys.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

THREADS = 2  # numpy sorts without the interpreter's lock; each more holds another two columns in memory
SIGNIFICANCE = 0.05
SEVERITIES = ((5.0, "high"), (2.0, "moderate"), (1.0, "low"))  # from how many thresholds on
READABLE_AS: dict[Kind, frozenset[Kind]] = {
    "categorical": frozenset({"text"}),
    "text": frozenset({"categorical"}),
    "numeric": frozenset({"boolean"}),
}


class Compared(msgspec.Struct):
    """A column that both sides have, and how far each of its parts has moved; the first speaks for the column."""

    kind: Kind
    found: Kind
    parts: dict[str, Difference]
    adjusted: dict[str, float] = {}


def check_drift(
    baseline: "pd.DataFrame | Mapping[str, Any] | ReferenceProfile",
    current: "pd.DataFrame | Mapping[str, Any]",
    *,
    threshold: float = 0.1,
    multivariate: bool = False,
) -> dict[str, Any]:
    """Return whether current data have drifted from the baseline, with the evidence of each column, as plain JSON.

    threshold: in standard deviations for numbers, in Jensen-Shannon distance for shares; > 0. multivariate: also train
    a classifier to tell the rows apart, which needs the baseline's rows. Raises InvalidInput.
    """
    if not 0 < threshold < float("inf"):
        raise InvalidInput(
            f"the threshold is {threshold}", field="threshold", found=str(threshold), fix="give one above 0, as 0.1"
        )
    reference: Reference = baseline if isinstance(baseline, ReferenceProfile) else Frame(baseline)
    frame = Frame(current)
    shared = [name for name in reference.names() if name in frame.columns]
    with ThreadPoolExecutor(THREADS) as pool:
        compared = dict(zip(shared, pool.map(partial(compare, reference, frame), shared), strict=True))
    adjust(compared.values())
    columns = {name: column_verdict(column, threshold) for name, column in compared.items()}
    lost = [name for name in reference.names() if name not in frame.columns]
    if frame.rows():  # a table without rows says nothing, not even by its columns
        columns |= {name: change_of_schema("lost", threshold) for name in lost}
    rows_told_apart = domain_classifier(baseline, frame, shared) if multivariate else None
    drifted = [name for name, column in columns.items() if column["drift"]]
    verdicts = [*columns.values(), *([rows_told_apart] if rows_told_apart else [])]
    return {
        "drift_detected": any(found["drift"] for found in verdicts),
        "columns_with_drift": drifted,
        "can_start_retraining": any(found["can_start_retraining"] for found in verdicts),
        "threshold": threshold,
        "columns": columns,
        "new_columns": [name for name in frame.names() if name not in columns],
        "lost_columns": lost,
        "multivariate": rows_told_apart,
    }


def compare(reference: Reference, frame: Frame, name: str) -> Compared:
    """Return how far the parts of a column have moved; nothing is compared of one that is now of another kind."""
    ours = reference.column(name)
    found = frame.kind(name)
    if "empty" not in (ours.kind, found) and found not in {ours.kind, *READABLE_AS.get(ours.kind, ())}:
        return Compared(ours.kind, found, {})
    return Compared(ours.kind, ours.kind, compare_parts(ours, frame.column(name, ours.kind)))


def compare_parts(ours: Column, theirs: Column) -> dict[str, Difference]:
    differences = {}
    for name, before in ours.parts.items():
        after = theirs.parts[name]
        if isinstance(before, Numbers) and isinstance(after, Numbers):
            differences[name] = before.compare(after)
        else:
            assert isinstance(before, Counts) and isinstance(after, Counts)  # both were read as one kind
            differences[name] = before.compare(after)
    return differences


def adjust(compared: Iterable[Compared]) -> None:
    """Give each column the p-values of its parts, adjusted over all parts that have the values for a test."""
    tested = [
        (column, name)
        for column in compared
        for name, part in column.parts.items()
        if part.is_tested and part.is_sufficient
    ]
    p_values = holm([column.parts[name].p_value for column, name in tested])
    for (column, name), p_value in zip(tested, p_values, strict=True):
        column.adjusted = {**column.adjusted, name: p_value}


def column_verdict(column: Compared, threshold: float) -> dict[str, Any]:
    """Return a column's verdict: of the drifting part that moved furthest, or of the part that speaks for it."""
    if column.found != column.kind:
        return change_of_schema(f"was {column.kind}, is {column.found}", threshold)
    speaker = next(iter(column.parts))
    parts = {
        name: part_verdict(part, column.adjusted.get(name), threshold)
        for name, part in column.parts.items()
        if part.is_tested or name == speaker
    }
    drifting = [name for name, part in parts.items() if part["drift"]]
    decisive = max(drifting, key=lambda name: (parts[name]["confidence"], parts[name]["effect"]), default=speaker)
    return {
        "type": column.kind,
        "decided_by": decisive,
        **parts[decisive],
        "can_start_retraining": any(parts[name]["confidence"] == "sufficient" for name in drifting),
        **column.parts[speaker].details,
        "parts": {name: part | column.parts[name].details for name, part in parts.items() if name != speaker}
        | {speaker: parts[speaker]},
    }


def part_verdict(part: Difference, adjusted: float | None, threshold: float) -> dict[str, Any]:
    is_sure = adjusted < SIGNIFICANCE if adjusted is not None else not part.is_sufficient
    drift = part.is_tested and part.effect >= threshold and is_sure
    return {
        "drift": drift,
        "effect": part.effect,
        "statistic": part.statistic,
        "p_value": part.p_value,
        "p_adjusted": adjusted,
        "threshold": threshold,
        "confidence": part.confidence,
        "severity": severity(part.effect / threshold) if drift else "none",
    }


def severity(thresholds: float) -> str:
    return next(name for least, name in SEVERITIES if thresholds >= least)


def change_of_schema(change: str, threshold: float) -> dict[str, Any]:
    """Return the verdict of a column that is lost or of another kind: no retraining would mend that."""
    return {
        "type": change,
        "decided_by": "schema",
        "drift": True,
        "effect": 1.0,
        "statistic": None,
        "p_value": None,
        "p_adjusted": None,
        "threshold": threshold,
        "confidence": "sufficient",
        "severity": "high",
        "can_start_retraining": False,
        "parts": {},
    }
