"""The metrics view: time buckets of every metric, from which a window of any length is put together. Floor 2.

A window of a minute to a year is cut into at most a few hundred buckets: four days, hours, minutes, and ten seconds at
its edges. Count, mean, deviation, least and greatest are exact; percentiles are so while the buckets hold few points.

The buckets of ten seconds are kept for two days and those of a minute for thirty, behind the hour in which the log
recorded the view's last event; the others for ever. What a window holds of older times begins with a whole minute, or
a whole hour.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, Final, NamedTuple

import aiosqlite
import msgspec
import numpy as np

from events.catalog import Event, MetricRecorded, RecommendationFailed, RecommendationServed
from events.event import RecordedEvent
from projections.buckets import MOMENTS, POINT_BYTES, Bucket, Moments, combine, moments_in, summarise
from projections.rows import write_rows

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
# Four days: about the square root of a year in hours, so that a year is cut into the fewest buckets.
RESOLUTIONS: Final = (10 * SECOND, 60 * SECOND, HOUR, 4 * DAY)
KEPT: Final = {10 * SECOND: 2 * DAY, 60 * SECOND: 30 * DAY}
PERCENTS: Final = np.array([50.0, 95.0, 99.0])
VALUE_MAX: Final = 1e100  # greater magnitudes count as this one, so that squares stay finite
SUMMARISED_TOGETHER: Final = 200  # bounds the memory: up to 50 kB each
FIRST_START: Final = -(2**63)
NO_LABELS: Final = "{}"
# What a request adds to the metrics.
STAGE_SERIES: Final = (
    ("total", ("api_latency_ms", NO_LABELS)),
    ("embedding", ("embedding_latency_ms", NO_LABELS)),
    ("translation", ("translation_latency_ms", NO_LABELS)),
)
NUM_RECIPES: Final = ("num_recipes", NO_LABELS)
SERVED: Final = ((("request_count", NO_LABELS), 1.0), (("error_rate", NO_LABELS), 0.0))
FAILED: Final = ((("request_count", NO_LABELS), 1.0), (("error_rate", NO_LABELS), 1.0))
encode_labels = msgspec.json.Encoder(order="sorted").encode

UPSERT_SERIES = """
INSERT INTO metric_series (metric, labels, last_at, last_value)
VALUES ?
ON CONFLICT (metric, labels) DO UPDATE SET
    last_value = iif(excluded.last_at >= last_at, excluded.last_value, last_value),
    last_at = max(excluded.last_at, last_at)
RETURNING metric, labels, series
"""
UPSERT_BUCKETS = """
INSERT INTO metric_buckets (series, resolution, start, count, points)
VALUES ?
ON CONFLICT (series, resolution, start) DO UPDATE SET
    count = count + excluded.count, points = CAST(points || excluded.points AS BLOB)
"""
# The condition is that of the index metric_buckets_full: POINTS_MAX, BLOCK_BYTES.
SELECT_FULL = """
SELECT series, resolution, start, count, summary, points
FROM metric_buckets
WHERE count > 512 AND length(points) >= 1024
"""
UPDATE_FULL = """
INSERT INTO metric_buckets (series, resolution, start, count, summary, points)
VALUES ?
ON CONFLICT (series, resolution, start) DO UPDATE SET summary = excluded.summary, points = excluded.points
"""
ADVANCE_EXPIRY = """
INSERT INTO metric_expiry (id, hour)
VALUES (0, ?)
ON CONFLICT (id) DO UPDATE SET hour = excluded.hour WHERE hour < excluded.hour
"""
DELETE_EXPIRED = """
DELETE FROM metric_buckets
WHERE series IN (SELECT series FROM metric_series) AND resolution = ? AND start < ?
"""


class MetricsProjection:
    """Metric windows, from MetricRecorded and from what RecommendationServed and RecommendationFailed tell."""

    name = "metrics"
    schema_version = 2
    tables: tuple[str, ...] = ("metric_series", "metric_buckets", "metric_expiry")
    event_types: frozenset[type[Event]] = frozenset({MetricRecorded, RecommendationServed, RecommendationFailed})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Add the batch's points to their buckets."""
        points = points_of(events)
        batch = Batch(points, store_series(connection, points))
        hour = floor_to(events[-1].recorded_at, HOUR)
        for resolution in RESOLUTIONS:
            write_rows(connection, UPSERT_BUCKETS, batch.rows(resolution, kept_from(resolution, hour)))
        summarise_full(connection)
        expire(connection, hour)
        return True


Series = tuple[str, str]  # the metric, and its labels as JSON


class Points(NamedTuple):
    """The points of one series, in the order of the log."""

    ats: list[int]
    values: list[float]

    @property
    def latest(self) -> tuple[int, float]:
        """The latest point; of several at one time, the last in the log."""
        at = max(self.ats)
        return at, self.values[len(self.ats) - 1 - self.ats[::-1].index(at)]


def points_of(events: Sequence[RecordedEvent]) -> dict[Series, Points]:
    """Return the points of each series, the series in the order in which they first come up."""
    points: dict[Series, Points] = defaultdict(lambda: Points([], []))
    for event in events:
        data = event.data
        if isinstance(data, MetricRecorded):
            ats, values = points[data.metric, encode_labels(data.labels).decode() if data.labels else NO_LABELS]
            ats.append(data.at)
            values.append(data.value)
        elif isinstance(data, (RecommendationServed, RecommendationFailed)):
            at = event.recorded_at
            for series, value in request_values(data):
                ats, values = points[series]
                ats.append(at)
                values.append(value)
    return points


def request_values(request: RecommendationServed | RecommendationFailed) -> list[tuple[Series, float]]:
    """Return what a request adds to the metrics."""
    values = [(series, request.latency_ms[stage]) for stage, series in STAGE_SERIES if stage in request.latency_ms]
    if isinstance(request, RecommendationServed):
        return [*values, *SERVED, (NUM_RECIPES, len(request.recipe_ids))]
    return [*values, *FAILED]


def store_series(connection: sqlite3.Connection, points: Mapping[Series, Points]) -> list[int]:
    """Note the latest point of each series and return their numbers; a new series gets the next one."""
    rows = [(*series, *of_series.latest) for series, of_series in points.items()]
    numbers = {(metric, labels): number for metric, labels, number in write_rows(connection, UPSERT_SERIES, rows)}
    return [numbers[series] for series in points]


class Batch:
    """The points of a batch: series by series, each in the order of the log. numbers: of the series."""

    def __init__(self, points: Mapping[Series, Points], numbers: Sequence[int]) -> None:
        self.series = np.repeat(numbers, [len(of_series.ats) for of_series in points.values()])
        self.ats = np.array(list(chain.from_iterable(of_series.ats for of_series in points.values())), np.int64)
        values = np.array(list(chain.from_iterable(of_series.values for of_series in points.values())), "<f8")
        self.values = np.clip(values, -VALUE_MAX, VALUE_MAX)

    def rows(self, resolution: int, earliest: int) -> list[tuple[int, int, int, int, bytes]]:
        """Return series, resolution, start, count and points of each bucket that starts at `earliest` or later."""
        series, starts, values = self.series, self.ats - self.ats % resolution, self.values
        kept = starts >= earliest
        if not kept.all():
            series, starts, values = series[kept], starts[kept], values[kept]
        if not len(starts):
            return []
        same = series[1:] == series[:-1]
        if (same & (starts[1:] < starts[:-1])).any():
            order = np.lexsort((starts, series))  # stable, so each bucket's points stay in order
            series, starts, values = series[order], starts[order], values[order]
            same = series[1:] == series[:-1]
        edges = [0, *(np.flatnonzero(~same | (starts[1:] != starts[:-1])) + 1).tolist(), len(values)]
        points = values.tobytes()
        return [
            (number, resolution, start, end - begin, points[POINT_BYTES * begin : POINT_BYTES * end])
            for number, start, (begin, end) in zip(
                series[edges[:-1]].tolist(), starts[edges[:-1]].tolist(), pairwise(edges), strict=True
            )
        ]


def summarise_full(connection: sqlite3.Connection) -> None:
    """Have the buckets with enough points for it summarise them."""
    while full := connection.execute(SELECT_FULL).fetchmany(SUMMARISED_TOGETHER):
        summarised = summarise([Bucket(*row[3:]) for row in full])
        write_rows(connection, UPDATE_FULL, [(*row[:3], *bucket) for row, bucket in zip(full, summarised, strict=True)])


def expire(connection: sqlite3.Connection, hour: int) -> None:
    """Delete the buckets whose time is over, if an hour of the log is. hour: the start of its latest."""
    if connection.execute(ADVANCE_EXPIRY, (hour,)).rowcount:
        connection.executemany(DELETE_EXPIRED, [(resolution, kept_from(resolution, hour)) for resolution in KEPT])


def kept_from(resolution: int, hour: int) -> int:
    """Return the start of the first bucket that is kept when the log has reached that hour."""
    return hour - KEPT[resolution] if resolution in KEPT else FIRST_START


class WindowStats(msgspec.Struct, frozen=True, gc=False):
    """What a metric did in a window. std: of the window's points themselves (divided by n, as numpy does).

    p50, p95, p99: exact while every bucket of the window holds at most 512 points; else within 1 % for magnitudes from
    1e-9 to 1e18. The rest is exact.
    """

    count: int
    mean: float
    std: float
    min: float
    max: float
    p50: float
    p95: float
    p99: float


class LatestPoint(msgspec.Struct, frozen=True, gc=False):
    """The latest point of a series by its own time. at: microseconds since the Unix epoch."""

    labels: dict[str, str]
    at: int
    value: float


async def window(
    db: aiosqlite.Connection, metric: str, *, now: int, window_seconds: int, labels: dict[str, str] | None = None
) -> WindowStats | None:
    """Return what the metric did in the last `window_seconds`; None if it has no point there.

    now: microseconds since the Unix epoch. The window reaches to the end of the ten seconds that `now` is in and
    begins with the ten seconds that its first moment is in; with the minute or the hour, where the finer buckets are no
    longer kept. labels: one series; None means all of the metric's.
    """
    series = (metric, None if labels is None else encode_labels(labels).decode())
    found = await buckets(db, cover(now, window_seconds), "metric = ? AND labels = coalesce(?, labels)", series)
    return stats(found[metric]) if found else None


async def all_windows(db: aiosqlite.Connection, *, now: int, window_seconds: int) -> dict[str, WindowStats]:
    """Return metric → what it did in the last `window_seconds`, for those that have a point there; see `window`."""
    found = await buckets(db, cover(now, window_seconds), "true", ())
    return {metric: stats(found[metric]) for metric in sorted(found)}


async def means(
    db: aiosqlite.Connection, metric: str, *, end: int, part_seconds: int, parts: int
) -> list[float | None]:
    """Return the mean of each of so many parts of the time before `end`, the oldest first; None for one without points.

    end: microseconds since the Unix epoch. It and the parts are whole buckets of ten seconds; of a minute or an hour,
    where the finer ones are no longer kept.
    """
    ends = [end - part * part_seconds * SECOND for part in reversed(range(parts))]
    bucket = RESOLUTIONS[0] // SECOND  # a window also holds the bucket that its first moment is in
    pieces = [(part, *piece) for part, past in enumerate(ends) for piece in cover(past - 1, part_seconds - bucket)]
    query = f"""
        WITH pieces (part, resolution, first, past) AS (VALUES {", ".join(["(?, ?, ?, ?)"] * len(pieces))})
        SELECT part, count, substr(summary, 1, {MOMENTS.size}), points
        FROM metric_series
        CROSS JOIN pieces
        CROSS JOIN metric_buckets USING (series, resolution)
        WHERE start >= first AND start < past AND metric = ?
    """
    found: dict[int, list[Bucket]] = defaultdict(list)
    for part, *bucket_row in await db.execute_fetchall(query, (*chain.from_iterable(pieces), metric)):
        found[part].append(Bucket(*bucket_row))
    return [moments_in(found[part]).mean if part in found else None for part in range(parts)]


async def latest(db: aiosqlite.Connection, metric: str) -> list[LatestPoint]:
    """Return the latest point of each series of the metric, in the order in which they came up; none if unknown."""
    query = "SELECT labels, last_at, last_value FROM metric_series WHERE metric = ? ORDER BY series"
    rows = await db.execute_fetchall(query, (metric,))
    return [LatestPoint(msgspec.json.decode(labels), at, value) for labels, at, value in rows]


async def all_time(db: aiosqlite.Connection, metrics: Sequence[str]) -> dict[str, Moments]:
    """Return metric → what all its points without labels ever came to, for those that have any.

    From the coarsest buckets, which are kept for ever: about ninety a year.
    """
    query = f"""
        SELECT metric, count, substr(summary, 1, {MOMENTS.size}), points
        FROM metric_series
        CROSS JOIN metric_buckets USING (series)
        WHERE metric IN ({", ".join("?" * len(metrics))}) AND labels = ? AND resolution = ?
    """
    found: dict[str, list[Bucket]] = defaultdict(list)
    for metric, *bucket in await db.execute_fetchall(query, (*metrics, NO_LABELS, RESOLUTIONS[-1])):
        found[metric].append(Bucket(*bucket))
    return {metric: moments_in(of_metric) for metric, of_metric in found.items()}


async def first_series(db: aiosqlite.Connection, limit: int) -> list[tuple[str, dict[str, str], float]]:
    """Return metric, labels and latest value of the series that came up first, at most `limit`, in that order."""
    query = "SELECT metric, labels, last_value FROM metric_series ORDER BY series LIMIT ?"
    rows = await db.execute_fetchall(query, (limit,))
    return [(metric, msgspec.json.decode(labels), value) for metric, labels, value in rows]


async def count_series(db: aiosqlite.Connection) -> int:
    """Return how many series there are."""
    [(count,)] = await db.execute_fetchall("SELECT count(*) FROM metric_series")
    return int(count)


Piece = tuple[int, int, int]  # a resolution and, in it, the first start and the one after the last


def cover(now: int, window_seconds: int) -> list[Piece]:
    """Cut the window that ends with `now` into the fewest buckets, of those that are still kept."""
    start = now - window_seconds * SECOND
    start = floor_to(start, next(finest for finest in RESOLUTIONS if start >= kept_from(finest, floor_to(now, HOUR))))
    end = floor_to(now, RESOLUTIONS[0]) + RESOLUTIONS[0]
    pieces: list[Piece] = []
    for finer, coarser in pairwise(RESOLUTIONS):
        inner_start, inner_end = -floor_to(-start, coarser), floor_to(end, coarser)
        if inner_start >= inner_end:
            return [*pieces, (finer, start, end)]
        pieces += [(finer, start, inner_start), (finer, inner_end, end)]
        start, end = inner_start, inner_end
    return [*pieces, (RESOLUTIONS[-1], start, end)]


def floor_to(at: int, resolution: int) -> int:
    return at - at % resolution


async def buckets(
    db: aiosqlite.Connection, pieces: Sequence[Piece], condition: str, parameters: tuple[Any, ...]
) -> dict[str, list[Bucket]]:
    """Return metric → its buckets in the pieces, over all series that meet the condition."""
    query = f"""
        WITH pieces (resolution, first, past) AS (VALUES {", ".join(["(?, ?, ?)"] * len(pieces))})
        SELECT metric, count, summary, points
        FROM metric_series
        CROSS JOIN pieces
        CROSS JOIN metric_buckets USING (series, resolution)
        WHERE start >= first AND start < past AND {condition}
    """
    found: dict[str, list[Bucket]] = defaultdict(list)
    for metric, *bucket in await db.execute_fetchall(query, (*chain.from_iterable(pieces), *parameters)):
        found[metric].append(Bucket(*bucket))
    return found


def stats(found: Sequence[Bucket]) -> WindowStats:
    moments, percentiles = combine(found, PERCENTS)
    p50, p95, p99 = np.clip(percentiles, moments.min, moments.max).tolist()
    deviation = (moments.m2 / moments.size) ** 0.5
    return WindowStats(moments.size, moments.mean, deviation, moments.min, moments.max, p50, p95, p99)
