"""The log lines: their fields, their files and what they survive."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.logging import LogHandler, app_logger, configure, get_logger, line_of


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[LogHandler]:
    level = logging.getLogger().level
    handler = configure(tmp_path)
    yield handler
    handler.close()
    logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(level)


def lines_of(handler: LogHandler, folder: Path, channel: str) -> list[dict[str, Any]]:
    handler.flush()
    return [json.loads(line) for path in folder.glob(f"{channel}_*.log") for line in path.read_text().splitlines()]


def test_a_line_with_context_has_the_fields_of_the_guide(handler: LogHandler, tmp_path: Path) -> None:
    """`log_with_context` writes one JSON object with the guide's fields; module and function are the caller's."""
    app_logger.log_with_context(
        level=logging.INFO, msg="Recommendation generated", extra_data={"request_id": "req_12345", "latency_ms": 250.5}
    )
    (line,) = lines_of(handler, tmp_path, "app")
    assert line["timestamp"].startswith("20")
    assert line["line"] > 0
    assert {name: line[name] for name in line if name not in ("timestamp", "line")} == {
        "level": "INFO",
        "logger": "app",
        "message": "Recommendation generated",
        "module": Path(__file__).stem,
        "function": "test_a_line_with_context_has_the_fields_of_the_guide",
        "extra_data": {"request_id": "req_12345", "latency_ms": 250.5},
    }


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("app", "app"),
        ("mlops", "mlops"),
        ("monitoring", "monitoring"),
        ("model_training", "model_training"),
        ("retraining", "retraining"),
        ("monitoring.alerts", "monitoring"),
        ("__main__", "app"),
    ],
)
def test_each_channel_has_its_file(handler: LogHandler, tmp_path: Path, name: str, channel: str) -> None:
    """A logger writes to the file of its channel and of the day; a name that is no channel's writes to app."""
    get_logger(name).warning("a %s", "word")
    (line,) = lines_of(handler, tmp_path, channel)
    (path,) = tmp_path.iterdir()
    assert (line["logger"], line["message"]) == (name, "a word")
    assert path.name == f"{channel}_{line['timestamp'][:10].replace('-', '')}.log"


def test_an_exception_is_written_with_its_traceback(handler: LogHandler, tmp_path: Path) -> None:
    """`exception` adds exc_info: the traceback as text."""
    try:
        json.loads("{")
    except ValueError:
        app_logger.exception("no such spice")
    (line,) = lines_of(handler, tmp_path, "app")
    assert "JSONDecodeError: Expecting" in line["exc_info"]
    assert line["level"] == "ERROR"


@pytest.mark.parametrize("hostile", [float("nan"), {1j: 2}, "\ud800", {1, 2}, object, b"\xff", 2**70])
def test_any_data_can_be_logged(handler: LogHandler, tmp_path: Path, hostile: Any) -> None:
    """Data that JSON cannot hold is written as text, or as null, and never fails the caller."""
    app_logger.log_with_context(level=logging.INFO, msg="odd", extra_data={"value": hostile})
    (line,) = lines_of(handler, tmp_path, "app")
    assert "value" in line["extra_data"]


def test_wrong_arguments_do_not_fail_the_caller() -> None:
    """A log call whose arguments do not fit its message is written as it is."""
    record = logging.LogRecord("app", logging.INFO, __file__, 1, "%d recipes", ("many",), None)
    assert json.loads(line_of(record).text)["message"] == "%d recipes ('many',)"


def test_the_level_is_obeyed(handler: LogHandler, tmp_path: Path) -> None:
    """Lines below LOG_LEVEL are not written."""
    app_logger.debug("whisper")
    app_logger.info("word")
    assert [line["message"] for line in lines_of(handler, tmp_path, "app")] == ["word"]
