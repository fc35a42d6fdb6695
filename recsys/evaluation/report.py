"""The report of a model version's evaluation: metrics, validations and comparisons, as JSON and as a page. Floor 3."""

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np

from recsys.config import load_settings
from recsys.evaluation.arguments import InvalidArgument
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.report_page import page
from recsys.evaluation.significance import PairedTest
from recsys.identifiers import Identifier
from recsys.semver import version_order
from recsys.times import EPOCH, MICROSECOND, iso

FOLDER = "reports"  # in the data directory


class EvaluationReport:
    """What is known of one model version, gathered piece by piece."""

    def __init__(self, model_id: str, version: str, *, created_at: datetime | None = None) -> None:
        """version: semantic. created_at: aware; None: now. Raises InvalidInput."""
        self.model_id = checked_identifier(model_id)
        version_order(version)
        self.version = version
        moment = created_at or datetime.now(UTC)
        if moment.tzinfo is None:
            raise InvalidArgument("created_at", f"found {moment} without a time zone", "give one, such as UTC")
        self.created_at = (moment - EPOCH) // MICROSECOND
        self.report_id = new_report_id(moment)
        self.metrics: dict[str, Any] = {}
        self.validations: dict[str, Any] = {}
        self.comparisons: dict[str, Any] = {}

    def add_metrics(self, metrics: Mapping[str, float | Interval | None]) -> None:
        """Add measures by name, replacing those of the same name. None: not known. Raises InvalidArgument on NaN."""
        self.metrics |= {str(name): checked_metric(str(name), value) for name, value in metrics.items()}

    def add_validation(self, name: str, result: Any) -> None:
        """Add the result of a check, such as that of drift: whatever JSON can hold, numpy's values too.

        NaN and infinity are kept as the texts "NaN", "Infinity" and "-Infinity", as in Protocol Buffers' JSON. Raises
        InvalidArgument on other values.
        """
        self.validations[name] = plain(result, name)

    def add_comparison(self, against: str, tests: Mapping[str, PairedTest]) -> None:
        """Add paired tests by measure. against: the other model, the second of each test."""
        self.comparisons[against] = {
            measure: plain(test, measure) | {"is_significant": test.is_significant} for measure, test in tests.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return evaluation_reported(self) | {"created_at": iso(self.created_at)}

    def to_html(self) -> str:
        """Return the report as one page that needs no other file."""
        return page(self.to_dict())

    def save(self, folder: Path | str | None = None) -> Path:
        """Write the report as JSON, and as a page of the same name that ends in .html; return the path of the JSON.

        folder: made if it is missing; None: reports/ in DATA_DIR. Saving again replaces both.
        """
        chosen = load_settings(os.environ).data_dir / FOLDER if folder is None else Path(folder)
        chosen.mkdir(parents=True, exist_ok=True)
        stem = f"{self.model_id}-{self.version}-{self.report_id}".replace(":", "_")  # Windows forbids colons
        write(chosen / f"{stem}.html", self.to_html())
        return write(chosen / f"{stem}.json", json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n")


def new_report_id(moment: datetime) -> str:
    """Return an id that no other report has, of letters, digits and a hyphen; ids sort by their moments."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:12]}"


def evaluation_reported(report: EvaluationReport) -> dict[str, Any]:
    """Return what the event of a report holds, as plain JSON; created_at in microseconds since the epoch."""
    return {
        "report_id": report.report_id,
        "model_id": report.model_id,
        "version": report.version,
        "created_at": report.created_at,
        "metrics": dict(report.metrics),
        "validations": dict(report.validations),
        "comparisons": dict(report.comparisons),
    }


def checked_identifier(model_id: str) -> str:
    try:
        return msgspec.convert(model_id, Identifier)
    except msgspec.ValidationError as error:
        fix = "give 1 to 128 letters, digits and _ . : - of which the first is a letter or a digit"
        raise InvalidArgument("model_id", f"found {model_id!r:.150}", fix) from error


def checked_metric(name: str, value: object) -> Any:
    """Return a number, an interval as mean, low and high, or None. Raises InvalidArgument."""
    if isinstance(value, Interval):
        return {part: checked_metric(name, number) for part, number in msgspec.structs.asdict(value).items()}
    found = plain(value, name)
    if found is not None and not isinstance(found, int | float):
        fix = "give a finite number, or the interval that calculate_interval returns"
        raise InvalidArgument(f"metrics[{name!r}]", f"found {value!r:.100}", fix)
    return found


def plain(value: Any, name: str) -> Any:
    """Return a value as JSON holds it. name: of the result, for the error. Raises InvalidArgument."""
    match value:
        case None | bool() | str():
            return value
        case np.generic() | np.ndarray():
            return plain(value.tolist(), name)
        case int():
            return int(value)
        case float():
            return plain_float(float(value))
        case datetime() | Path():
            return str(value)
        case msgspec.Struct():
            return plain(msgspec.structs.asdict(value), name)
        case Mapping():
            return {str(key): plain(item, name) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item, name) for item in value]
        case _:
            raise InvalidArgument(name, f"found {value!r:.100}", "give numbers, texts, lists and dictionaries of them")


def plain_float(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def write(path: Path, text: str) -> Path:
    """Write a file in one step, so that nobody reads half of it; return its path."""
    temporary = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    temporary.write_text(text, encoding="utf-8")
    return temporary.replace(path)
