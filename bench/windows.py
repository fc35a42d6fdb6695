"""What does a metric window cost over a million points, and how far are its percentiles from the exact ones?

python -m bench.windows [--points 1000000]

One metric has all its points in the last hour, another as many over the last year, seeded and log-normal as latencies
are. Each question is asked as the service asks it, through a read-only aiosqlite connection. The peer is numpy on all
points, already in memory.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import save, spread
from events.catalog import MetricRecorded
from events.event import Metadata, RecordedEvent, Run
from projections.histogram import FloatArray
from projections.metrics import MetricsProjection, WindowStats, all_windows, window
from projections.views import Views
from projections.writer import ViewsWriter

NOW = 1_790_003_607_000_000  # microseconds; seven seconds into a minute, so that the window has edges
SECOND = 1_000_000
WINDOWS = {"minute": 60, "hour": 3600, "day": 86_400, "year": 365 * 86_400}
ASKED = 300
WARM_UP = 20
BATCH = 5000


def write_points(path: Path, values: FloatArray) -> float:
    """Write the points of both metrics and return the seconds it took."""
    points = [
        MetricRecorded(metric=name, value=value, at=at)
        for name in ("hour", "year")
        for value, at in zip(
            values.tolist(),
            np.linspace(NOW - WINDOWS[name] * SECOND, NOW, len(values)).astype(np.int64).tolist(),
            strict=True,
        )
    ]
    begin = time.perf_counter()
    with closing(ViewsWriter.open(path, [MetricsProjection()])) as writer:
        for first in range(0, len(points), BATCH):
            batch = points[first : first + BATCH]
            last = first + len(batch)
            run = Run(last, "metric-m", last, "MetricRecorded", 1, NOW, None, 0, Metadata(actor="bench"), b"")
            writer.apply([RecordedEvent(at, at, point, run) for at, point in enumerate(batch, start=first + 1)])
    return time.perf_counter() - begin


async def ask(question: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Return the milliseconds that the answer took, many times over."""
    samples = []
    for _ in range(ASKED + WARM_UP):
        begin = time.perf_counter()
        await question()
        samples.append((time.perf_counter() - begin) * 1000)
    return spread(samples[WARM_UP:])


async def measure(path: Path, values: FloatArray) -> dict[str, Any]:
    views = await Views.open(path, [MetricsProjection()])
    async with views.reader() as db:
        found = await window(db, "hour", now=NOW, window_seconds=WINDOWS["hour"])
        assert found is not None
        results: dict[str, Any] = {
            f"{name}_window_of_{metric}_metric_ms": await ask(
                partial(window, db, metric, now=NOW, window_seconds=seconds)
            )
            for metric in ("hour", "year")
            for name, seconds in WINDOWS.items()
        }
        results["hour_window_of_all_metrics_ms"] = await ask(partial(all_windows, db, now=NOW, window_seconds=3600))
        results["an_empty_query_ms"] = await ask(lambda: db.execute_fetchall("SELECT 1"))
    await views.close()
    results["numpy_ms"] = numpy_ms(values)
    return results | {"points": found.count} | errors(found, values)


def numpy_ms(values: FloatArray) -> float:
    begin = time.perf_counter()
    exact(values)
    return round((time.perf_counter() - begin) * 1000, 3)


def exact(values: FloatArray) -> dict[str, float]:
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    return {
        "mean": float(values.mean()), "std": float(values.std()), "min": float(values.min()),
        "max": float(values.max()), "p50": p50, "p95": p95, "p99": p99,
    }  # fmt: skip


def errors(found: WindowStats, values: FloatArray) -> dict[str, float]:
    """Return the relative error of each number."""
    return {
        f"{name}_relative_error": float(f"{abs(getattr(found, name) / right - 1):.2e}")
        for name, right in exact(values).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    options = parser.parse_args()
    values = np.random.default_rng(1).lognormal(3, 1, options.points)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "views.db"
        written = round(2 * options.points / write_points(path, values))
        save("windows", asyncio.run(measure(path, values)) | {"points_written_per_second": written})


if __name__ == "__main__":
    main()
