"""`metrics_collector`: metric points and their statistics for scripts and notebooks. Floor 3."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, SupportsFloat

import msgspec

from recsys.api.frames import frame_of, html_of
from recsys.api.runtime import runtime
from recsys.http.decoding import converted

if TYPE_CHECKING:
    from projections.metrics import WindowStats
    from recsys.api.session import Session

# What the service measures of each request.
METRICS_NAMES: Final = (
    "api_latency_ms",
    "translation_latency_ms",
    "embedding_latency_ms",
    "num_recipes",
    "request_count",
    "error_rate",
)
MINUTE: Final = 60_000_000  # microseconds
DAY_MINUTES: Final = 24 * 60
FINEST_SECONDS: Final = 10  # a window reaches to the end of the ten seconds that it ends in


class MetricsCollector:
    """Records metric points, and tells what they come to: all that any process had recorded before the call."""

    def record(
        self,
        name: str,
        value: SupportsFloat,
        labels: Mapping[str, str] | None = None,
        timestamp: float | str | datetime | None = None,
        wait: bool = True,
    ) -> None:
        """Record a point; when this returns, it is on disk.

        value: a number, Python's or numpy's. timestamp: seconds since the Unix epoch, ISO 8601 or a datetime; without
        one, now. Raises InvalidInput, and what the store raises.

        wait=False returns at once. What that gives up: the point is lost if the process is killed within the next
        tenth of a second, and if the disk refuses it, `flush` says so, not this call. An orderly exit writes them all.
        Who records faster than the disk takes waits for room when 100,000 points are queued.
        """
        while True:
            points = runtime.session().points
            if batch := points.record(name, value, labels, timestamp, is_awaited=wait):
                break  # else the log is being closed, such as for a fork: the next session takes the point
        if wait:
            batch.recorded.result()

    def flush(self) -> None:
        """Return when all points of this process are on disk. Raises what befell those that nobody waited for."""
        runtime.call(lambda session: session.points.flush())

    def get_stats(
        self, name: str, window_minutes: int = 60, labels: Mapping[str, str] | None = None
    ) -> dict[str, float]:
        """Return count, mean, std, min, max, p50, p95 and p99 of the last minutes; {"count": 0} if there is nothing.

        labels: of one series; None takes all of the metric's together. Raises InvalidInput.
        """

        async def ask(session: "Session") -> "WindowStats | None":
            from projections.metrics import window
            from recsys.http.metric_windows import MetricsQuery

            query = converted({"window_minutes": window_minutes}, MetricsQuery, strict=True)
            async with session.reader() as db:
                return await window(
                    db,
                    name,
                    now=session.services.clock(),
                    window_seconds=query.window_minutes * 60,
                    labels=None if labels is None else dict(labels),
                )

        found = runtime.call(ask)
        return {"count": 0} if found is None else msgspec.to_builtins(found)

    def get_latest(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """Return the value of the latest point by its own time, of one series or of all; None if there is none."""

        async def ask(session: "Session") -> float | None:
            from projections.metrics import latest

            async with session.reader() as db:
                points = [point for point in await latest(db, name) if labels is None or point.labels == labels]
            return max(points, key=lambda point: point.at).value if points else None

        return runtime.call(ask)

    def frame(self, name: str, window_minutes: int = 60) -> Any:
        """Return the statistics of each minute as a pandas DataFrame by UTC time; of each hour from over a day on.

        Minutes without a point are left out. Raises InvalidInput.
        """
        found = runtime.call(lambda session: stats_by_time(session, name, window_minutes))
        import pandas as pd

        from projections.metrics import WindowStats

        index = pd.to_datetime([start for start, _ in found], unit="us", utc=True).rename("time")
        return frame_of([stats for _, stats in found], WindowStats).set_index(index)

    def _repr_html_(self) -> str:
        async def ask(session: "Session") -> "dict[str, WindowStats]":
            from projections.metrics import all_windows

            async with session.reader() as db:
                return await all_windows(db, now=session.services.clock(), window_seconds=3600)

        windows = runtime.call(ask)
        from projections.metrics import WindowStats

        return html_of(frame_of(list(windows.values()), WindowStats).set_index([list(windows)]))


async def stats_by_time(session: "Session", name: str, window_minutes: int) -> "list[tuple[int, WindowStats]]":
    """Return start and statistics of each minute or hour with a point; times in microseconds since the epoch."""
    from projections.metrics import window
    from recsys.http.metric_windows import MetricsQuery

    minutes = converted({"window_minutes": window_minutes}, MetricsQuery, strict=True).window_minutes
    step = MINUTE if minutes <= DAY_MINUTES else 60 * MINUTE
    async with session.reader() as db:
        now = session.services.clock()
        first = (now - minutes * MINUTE) // step * step
        found = [
            (start, await window(db, name, now=start + step - 1, window_seconds=step // 1_000_000 - FINEST_SECONDS))
            for start in range(first, now + 1, step)
        ]
    return [(start, stats) for start, stats in found if stats is not None]


metrics_collector = MetricsCollector()
