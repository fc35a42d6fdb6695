"""A point is on disk when `record` returns, or by the end of the process where nobody waited; a bad one is refused."""

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from events.catalog import MetricRecorded
from events.errors import StoreFull
from mlops import metrics_collector
from recsys.api.runtime import runtime
from recsys.errors import InvalidInput
from tests.crash.harness import read_log

ROOT = Path(__file__).parents[2]


def recorded(folder: Path) -> list[MetricRecorded]:
    """Return the points that the log holds on disk."""
    events = [event.data for event in read_log(folder / "data" / "log.db")]
    return [event for event in events if isinstance(event, MetricRecorded)]


def script(folder: Path, lines: str) -> None:
    """Run lines that use the API in a process of their own, without closing anything."""
    code = f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\nfrom mlops import metrics_collector\n{lines}"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, timeout=30)


def test_record_returns_when_the_point_is_on_disk(folder: Path) -> None:
    """A process that is killed right after the call has not lost the point."""
    script(folder, "metrics_collector.record('accuracy', 0.5)\nos._exit(0)")
    assert [point.value for point in recorded(folder)] == [0.5]


def test_an_exit_without_a_close_writes_what_waits(folder: Path) -> None:
    """Points that nobody waited for are on disk when the process has ended, in order, and the log is closed."""
    script(folder, "for number in range(20_000): metrics_collector.record('accuracy', number, wait=False)")
    assert not (folder / "data" / "log.db-wal").exists()
    assert [point.value for point in recorded(folder)] == list(range(20_000))


def test_flush_waits_for_the_disk(folder: Path) -> None:
    """After `flush`, points of before are on disk."""
    for number in range(100):
        metrics_collector.record("accuracy", number, wait=False)
    metrics_collector.flush()
    assert len(recorded(folder)) == 100


def test_a_full_queue_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who records faster than the disk takes loses nothing."""
    monkeypatch.setattr("recsys.api.points.QUEUED_WEIGHT_MAX", 10)
    for number in range(100):
        metrics_collector.record("accuracy", number, wait=False)
    assert metrics_collector.get_stats("accuracy")["count"] == 100


def test_large_labels_fit_into_the_appends() -> None:
    """Thousands of points with the longest labels that there may be are recorded, however JSON spells them."""
    labels = {f"{number:02}" + "\x01" * 62: "\x01" * 256 for number in range(16)}
    for number in range(600):
        metrics_collector.record("accuracy", number, labels, wait=False)
    metrics_collector.flush()
    assert metrics_collector.get_stats("accuracy", labels=labels)["count"] == 600


def test_what_the_disk_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits gets the error from `record`; who does not, from the next `flush`, once."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise StoreFull("the disk is full")

    store = runtime.session().services.store
    monkeypatch.setattr(store, "append_all", refuse)
    with pytest.raises(StoreFull):
        metrics_collector.record("accuracy", 0.9)
    metrics_collector.record("accuracy", 0.9, wait=False)
    with pytest.raises(StoreFull):
        metrics_collector.flush()
    monkeypatch.undo()
    metrics_collector.flush()
    metrics_collector.record("accuracy", 0.9)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "a b", "value": 1.0}, "metric"),
        ({"name": "accuracy", "value": math.nan}, "value"),
        ({"name": "accuracy", "value": "0.9"}, "value"),
        ({"name": "accuracy", "value": 1.0, "labels": {"model": 1}}, "labels[...]"),
        ({"name": "accuracy", "value": 1.0, "timestamp": 1_735_572_600_000}, "timestamp"),
    ],
)
def test_a_bad_point_is_refused(arguments: dict[str, Any], field: str) -> None:
    """The error names the field, and says how to mend it; nothing is recorded."""
    with pytest.raises(InvalidInput) as refused:
        metrics_collector.record(**arguments)
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)
    assert metrics_collector.get_stats("accuracy") == {"count": 0}


def test_times_labels_and_numpy_values_are_taken(folder: Path) -> None:
    """A time may be seconds, ISO 8601 or a datetime; a value may be numpy's; labels make series of their own."""
    at = datetime(2024, 12, 30, 15, 30, tzinfo=UTC)
    for timestamp in (at.timestamp(), at.isoformat(), at):
        metrics_collector.record("accuracy", np.float32(0.5), timestamp=timestamp)
    metrics_collector.record("accuracy", np.int64(1), {"model": "1.0.1"})
    assert len({point.at for point in recorded(folder)[:3]}) == 1
    assert metrics_collector.get_latest("accuracy") == 1
    assert metrics_collector.get_stats("accuracy", labels={"model": "1.0.1"})["count"] == 1
    assert metrics_collector.get_latest("accuracy", {"model": "2"}) is None


def test_a_frame_has_a_row_a_minute() -> None:
    """Each minute's points stand in a row of their own; the whole adds up."""
    now = datetime.now(UTC).timestamp()
    for minutes_ago in (0, 0, 1, 30, 59):
        metrics_collector.record("accuracy", minutes_ago, timestamp=now - 60 * minutes_ago)
    frame = metrics_collector.frame("accuracy", window_minutes=120)
    assert frame["count"].tolist() == [1, 1, 1, 2]
    assert frame["mean"].tolist() == [59, 30, 1, 0]
    assert "accuracy" in metrics_collector._repr_html_()
    assert metrics_collector.frame("nothing").empty
