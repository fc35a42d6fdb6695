"""The finer buckets are kept for as long as is promised, and a window holds all its points whatever has expired."""

import sqlite3
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from events.catalog import Event, MetricRecorded
from projections.metrics import DAY, HOUR, KEPT, RESOLUTIONS, SECOND, window
from tests.projections.harness import START, apply_in_batches, recorded

DAYS = 80
LAST = START + (DAYS * 24 - 1) * HOUR


def hourly_points() -> list[Event]:
    return [MetricRecorded(metric="m", value=hour, at=START + hour * HOUR) for hour in range(DAYS * 24)]


def starts(path: Path) -> dict[int, list[int]]:
    """Return resolution → the starts of its buckets, in order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT resolution, start FROM metric_buckets ORDER BY start").fetchall()
    return {resolution: [start for its, start in rows if its == resolution] for resolution in RESOLUTIONS}


def test_each_resolution_reaches_back_as_far_as_it_is_kept(tmp_path: Path) -> None:
    """Ten seconds are kept for two days, minutes for thirty, behind the hour of the last event; the rest for ever."""
    apply_in_batches(tmp_path / "views.db", [recorded(hourly_points(), gap=HOUR)])
    found = starts(tmp_path / "views.db")
    for resolution in RESOLUTIONS:
        earliest = max(START, LAST - LAST % HOUR - KEPT.get(resolution, LAST))
        assert earliest - resolution < found[resolution][0] <= earliest + HOUR
    assert len(found[HOUR]) == DAYS * 24


def test_a_late_point_makes_no_expired_bucket(tmp_path: Path) -> None:
    """A point that comes two months late counts in the hours, and not in buckets that are gone."""
    late: list[Event] = [MetricRecorded(metric="m", value=1, at=START), MetricRecorded(metric="m", value=1, at=START)]
    apply_in_batches(tmp_path / "views.db", [recorded(late, gap=60 * DAY)])
    found = starts(tmp_path / "views.db")
    assert [len(found[resolution]) for resolution in RESOLUTIONS] == [0, 0, 1, 1]


@pytest.mark.parametrize("days", [1, 3, 29, 31, 79])
async def test_a_window_holds_all_its_points(days: int, tmp_path: Path) -> None:
    """However far a window reaches, it holds its points: of an older one, with the rest of its first hour."""
    apply_in_batches(tmp_path / "views.db", [recorded(hourly_points(), gap=HOUR)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        stats = await window(db, "m", now=LAST + 5 * SECOND, window_seconds=days * 86_400)
    assert stats is not None
    assert (stats.count, stats.max) == (days * 24 + 1, DAYS * 24 - 1)
