"""What a metric window says is what numpy says of its points."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiosqlite
import numpy as np
import pytest

from events.catalog import Event, MetricRecorded, RecommendationFailed, RecommendationServed
from projections.histogram import FloatArray
from projections.metrics import (
    KEPT,
    RESOLUTIONS,
    WindowStats,
    all_windows,
    cover,
    latest,
    window,
)
from tests.projections.harness import SECOND, START, apply_in_batches, recorded

HOUR = 3600 * SECOND
NOW = START + HOUR


def points(values: FloatArray, *, every: int, labels: dict[str, str] | None = None) -> list[Event]:
    """Return points that lie `every` microseconds apart, the last one right before NOW."""
    times = [NOW - every * (len(values) - i) for i in range(len(values))]
    return [
        MetricRecorded(metric="m", value=value, at=at, labels=labels or {})
        for value, at in zip(values.tolist(), times, strict=True)
    ]


def edge(seconds: int) -> int:
    """Return by how much a window may begin too early: the finest resolution that is kept for so long."""
    return next(r for r in RESOLUTIONS if seconds * SECOND <= KEPT.get(r, NOW))


async def ask(path: Path, events: Sequence[Event], **options: Any) -> WindowStats | None:
    apply_in_batches(path / "views.db", [recorded(events)])
    async with aiosqlite.connect(path / "views.db") as db:
        return await window(db, "m", now=NOW, **options)


def expected(values: FloatArray) -> list[float]:
    return [
        len(values), values.mean(), values.std(), values.min(), values.max(), *np.percentile(values, [50, 95, 99]),
    ]  # fmt: skip


def fields(stats: WindowStats | None) -> list[float]:
    assert stats is not None
    return [getattr(stats, name) for name in WindowStats.__struct_fields__]


async def test_a_window_of_few_points_is_exact(tmp_path: Path) -> None:
    """With at most 512 points a bucket, percentiles too are numpy's."""
    values = np.random.default_rng(1).normal(0, 100, 3000)
    stats = await ask(tmp_path, points(values, every=SECOND), window_seconds=3600)
    assert fields(stats) == pytest.approx(expected(values))


async def test_a_window_of_many_points_errs_by_one_percent_at_most(tmp_path: Path) -> None:
    """Percentiles come within 1 % from the histograms; all else stays exact."""
    values = np.random.default_rng(2).lognormal(4, 1, 20_000)
    stats = await ask(tmp_path, points(values, every=SECOND // 100), window_seconds=3600)
    assert fields(stats)[:5] == pytest.approx(expected(values)[:5])
    assert fields(stats)[5:] == pytest.approx(expected(values)[5:], rel=0.01)


async def test_a_far_offset_does_not_cost_the_deviation_its_digits(tmp_path: Path) -> None:
    """The deviation of values around a billion is that of the values, not of rounding."""
    values = 1e9 + np.random.default_rng(3).normal(0, 1e-2, 2000)
    stats = await ask(tmp_path, points(values, every=SECOND), window_seconds=3600)
    assert stats is not None
    assert stats.std == pytest.approx(values.std(), rel=1e-4)


@pytest.mark.parametrize("seconds", [60, 3600, 7 * 86_400, 365 * 86_400])
async def test_a_window_holds_its_points_and_no_others(seconds: int, tmp_path: Path) -> None:
    """Points before the window and after now are left out, whatever buckets are between."""
    inside = [NOW - seconds * SECOND, NOW - seconds * SECOND // 2, NOW]
    outside = [NOW - seconds * SECOND - edge(seconds) - 1, NOW + 10 * SECOND, NOW + 400 * 86_400 * SECOND]
    events = [MetricRecorded(metric="m", value=float(at in inside), at=at) for at in outside + inside]
    stats = await ask(tmp_path, events, window_seconds=seconds)
    assert stats is not None
    assert (stats.count, stats.min) == (3, 1.0)


@pytest.mark.parametrize("seconds", [60, 3600, 86_400, 365 * 86_400])
def test_any_window_touches_a_few_hundred_buckets(seconds: int) -> None:
    """The pieces follow on each other without gap or overlap, and a year is no more than 300 buckets."""
    pieces = cover(NOW + 123_456_789, seconds)
    assert sum((past - first) // resolution for resolution, first, past in pieces) <= 300
    ordered = sorted((first, past) for _, first, past in pieces if first < past)
    assert all(before[1] == after[0] for before, after in pairwise(ordered))
    assert 0 <= ordered[-1][1] - ordered[0][0] - seconds * SECOND <= RESOLUTIONS[0] + edge(seconds)


async def test_labels_choose_a_series(tmp_path: Path) -> None:
    """With labels a window is of that series alone, without of all series of the metric."""
    events = points(np.ones(3), every=SECOND, labels={"b": "2", "a": "1"}) + points(np.zeros(2), every=SECOND)
    apply_in_batches(tmp_path / "views.db", [recorded(events)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        found = [
            await window(db, "m", now=NOW, window_seconds=60, labels=labels)
            for labels in (None, {"a": "1", "b": "2"}, {}, {"a": "1"})
        ]
        last = await latest(db, "m")
    assert [stats and stats.count for stats in found] == [5, 3, 2, None]
    assert [(point.labels, point.value) for point in last] == [({"a": "1", "b": "2"}, 1.0), ({}, 0.0)]


async def test_the_latest_point_is_the_latest_by_its_own_time(tmp_path: Path) -> None:
    """A point that comes late does not replace a later one; of two at one time the last in the log counts."""
    events = [MetricRecorded(metric="m", value=value, at=at) for value, at in [(1, 5), (2, 9), (3, 9), (4, 7)]]
    apply_in_batches(tmp_path / "views.db", [recorded(events[:2]), recorded(events[2:], first=3)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        assert [(point.at, point.value) for point in await latest(db, "m")] == [(9, 3.0)]


async def test_requests_become_metrics(tmp_path: Path) -> None:
    """Served and failed recommendations make the guide's six metrics."""
    served = RecommendationServed(
        request_id="1", query="pollo", model_id="r", model_version="1.0.0", recipe_ids=["a", "b"], scores=[1.0, 0.5],
        latency_ms={"total": 20.0, "embedding": 12.0, "translation": 3.0, "rank": 1.0},
    )  # fmt: skip
    failed = RecommendationFailed(request_id="2", query="pollo", error="no_recipes", latency_ms={"total": 4.0})
    apply_in_batches(tmp_path / "views.db", [recorded([served, failed])])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        found = await all_windows(db, now=START + 2 * SECOND, window_seconds=60)
    assert {metric: (stats.count, stats.mean) for metric, stats in found.items()} == {
        "api_latency_ms": (2, 12.0),
        "embedding_latency_ms": (1, 12.0),
        "error_rate": (2, 0.5),
        "num_recipes": (1, 2.0),
        "request_count": (2, 1.0),
        "translation_latency_ms": (1, 3.0),
    }
