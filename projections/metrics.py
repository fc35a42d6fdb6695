"""The metrics view: time buckets of every metric, from which a window of any length is put together. Floor 2.

A window of a minute to a year is cut into at most a few hundred buckets: days, hours, minutes, and ten seconds at its
edges. Each bucket holds count, mean, deviation, least and greatest exactly, and for the percentiles its points while
they are few, a histogram beyond that.
"""

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import aiosqlite
import msgspec
import numpy as np

from events.catalog import MetricRecorded, RecommendationFailed, RecommendationServed
from events.event import RecordedEvent
from projections import histogram
from projections.histogram import FloatArray, IntArray

SECOND: Final = 1_000_000
RESOLUTIONS: Final = (10 * SECOND, 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND)
POINTS_MAX: Final = 512  # as many points a bucket keeps; beyond that, the histogram is the smaller
VALUE_MAX: Final = 1e100  # greater magnitudes count as this one, so that squares stay finite
PERCENTS: Final = np.array([50.0, 95.0, 99.0])
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

INSERT_SERIES = "INSERT INTO metric_series (metric, labels, last_at, last_value) VALUES (?, ?, ?, ?)"
SELECT_SERIES = "SELECT series, last_at FROM metric_series WHERE metric = ? AND labels = ?"
UPDATE_SERIES = "UPDATE metric_series SET last_at = ?1, last_value = ?2 WHERE series = ?3 AND last_at <= ?1"
SELECT_BUCKET = """
SELECT count, mean, m2, min, max, sketch
FROM metric_buckets
WHERE series = ? AND resolution = ? AND start = ?
"""
UPSERT_BUCKET = """
INSERT INTO metric_buckets (series, resolution, start, count, mean, m2, min, max, sketch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (series, resolution, start) DO UPDATE SET
    count = excluded.count, mean = excluded.mean, m2 = excluded.m2, min = excluded.min, max = excluded.max,
    sketch = excluded.sketch
"""


class MetricsProjection:
    """Metric windows, from MetricRecorded and from what RecommendationServed and RecommendationFailed tell."""

    name = "metrics"
    schema_version = 1
    tables: tuple[str, ...] = ("metric_series", "metric_buckets")

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Add the batch's points to their buckets; True if there were any."""
        points = points_of(events)
        if not points:
            return False
        batch = Batch(list(points.values()))
        known = [open_series(connection, *series) for series in points.items()]
        for resolution in RESOLUTIONS:
            store_buckets(connection, batch, resolution, known)
        return True


Series = tuple[str, str]  # the metric, and its labels as JSON


class Points(NamedTuple):
    """The points of one series, in the order of the log."""

    ats: list[int]
    values: list[float]


def points_of(events: Sequence[RecordedEvent]) -> dict[Series, Points]:
    """Return the points of each series, the series in the order in which they first come up."""
    points: dict[Series, Points] = defaultdict(lambda: Points([], []))
    for event in events:
        data = event.data
        if isinstance(data, MetricRecorded):
            labels = encode_labels(data.labels).decode() if data.labels else NO_LABELS
            ats, values = points[data.metric, labels]
            ats.append(data.at)
            values.append(data.value)
        elif isinstance(data, (RecommendationServed, RecommendationFailed)):
            for series, value in request_values(data):
                ats, values = points[series]
                ats.append(event.recorded_at)
                values.append(value)
    return points


def request_values(request: RecommendationServed | RecommendationFailed) -> list[tuple[Series, float]]:
    """Return what a request adds to the metrics."""
    values = [(series, request.latency_ms[stage]) for stage, series in STAGE_SERIES if stage in request.latency_ms]
    if isinstance(request, RecommendationServed):
        return [*values, *SERVED, (NUM_RECIPES, len(request.recipe_ids))]
    return [*values, *FAILED]


class Batch:
    """The points of a batch: series by series, each in the order of the log. slots: a number for each series."""

    def __init__(self, points: Sequence[Points]) -> None:
        self.slots = np.repeat(np.arange(len(points)), [len(series.ats) for series in points])
        self.ats = np.array([at for series in points for at in series.ats], np.int64)
        values = np.array([value for series in points for value in series.values], np.float64)
        self.values = np.clip(values, -VALUE_MAX, VALUE_MAX)
        self.bins = histogram.bins_of(self.values)

    def buckets(self, resolution: int) -> Iterator[tuple[int, int, list[float], IntArray]]:
        """Yield slot, start, values and bins of each bucket that has points, these in the order of the log."""
        slots, starts, values, bins = self.slots, self.ats - self.ats % resolution, self.values, self.bins
        if ((slots[1:] == slots[:-1]) & (starts[1:] < starts[:-1])).any():
            order = np.lexsort((starts, slots))  # stable, so each bucket's points stay in order
            slots, starts, values, bins = slots[order], starts[order], values[order], bins[order]
        ends = np.flatnonzero((slots[1:] != slots[:-1]) | (starts[1:] != starts[:-1])) + 1
        begins = np.concatenate(([0], ends))
        floats = values.tolist()
        for slot, start, begin, end in zip(
            slots[begins].tolist(), starts[begins].tolist(), begins.tolist(), [*ends.tolist(), len(floats)], strict=True
        ):
            yield slot, start, floats[begin:end], bins[begin:end]


class OpenSeries(NamedTuple):
    """A series that has points in the batch. last_at: of its latest point before the batch; None if it is new."""

    series: int
    last_at: int | None


def open_series(connection: sqlite3.Connection, series: Series, points: Points) -> OpenSeries:
    """Note the series' latest point, of several at one time the last in the log; make the series if it is new."""
    at = max(points.ats)
    value = points.values[len(points.ats) - 1 - points.ats[::-1].index(at)]
    known = connection.execute(SELECT_SERIES, series).fetchone()
    if known is None:
        number = connection.execute(INSERT_SERIES, (*series, at, value)).lastrowid
        assert number is not None
        return OpenSeries(number, None)
    connection.execute(UPDATE_SERIES, (at, value, known[0]))
    return OpenSeries(*known)


class Bucket(NamedTuple):
    """A bucket of `size` points. m2: the sum of squared deviations from the mean. sketch: see the table."""

    size: int
    mean: float
    m2: float
    min: float
    max: float
    sketch: bytes


EMPTY: Final = Bucket(0, 0.0, 0.0, float("inf"), float("-inf"), b"")


def store_buckets(connection: sqlite3.Connection, batch: Batch, resolution: int, known: Sequence[OpenSeries]) -> None:
    """Add the batch's points to the buckets of one resolution."""
    rows = []
    for slot, start, values, bins in batch.buckets(resolution):
        series, last_at = known[slot]
        # A bucket that begins after the latest point so far is new: there is nothing to look up.
        is_new = last_at is None or start > last_at
        former = None if is_new else connection.execute(SELECT_BUCKET, (series, resolution, start)).fetchone()
        rows.append((series, resolution, start, *extended(former or EMPTY, values, bins)))
    connection.executemany(UPSERT_BUCKET, rows)


def extended(bucket: Bucket, values: list[float], bins: IntArray) -> Bucket:
    """Return the bucket with the points added one by one, so that it does not matter how they are batched.

    Source of the recurrence: Welford 1962, Technometrics 4(3).
    """
    size, mean, m2, least, greatest, sketch = bucket
    sketch = extended_sketch(sketch, size, values, bins)
    for value in values:
        size += 1
        deviation = value - mean
        mean += deviation / size
        m2 += deviation * (value - mean)
    return Bucket(size, mean, m2, min(least, *values), max(greatest, *values), sketch)


def extended_sketch(sketch: bytes, size: int, values: list[float], bins: IntArray) -> bytes:
    """Return the sketch of a bucket of `size` points with the points added."""
    if size + len(values) <= POINTS_MAX:
        return sketch + struct.pack(f"<{len(values)}d", *values)
    if size <= POINTS_MAX:
        former = histogram.counts_of(histogram.bins_of(np.frombuffer(sketch, "<f8")))
    else:
        former = histogram.decode(sketch)
    return histogram.encode(former + histogram.counts_of(bins))


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
    begins with the ten seconds that its first moment is in. labels: one series; None means all of the metric's.
    """
    series = (metric, None if labels is None else encode_labels(labels).decode())
    found = await buckets(db, cover(now, window_seconds), "metric = ? AND labels = coalesce(?, labels)", series)
    return combine(found[metric]) if found else None


async def all_windows(db: aiosqlite.Connection, *, now: int, window_seconds: int) -> dict[str, WindowStats]:
    """Return metric → what it did in the last `window_seconds`, for those that have a point there; see `window`."""
    found = await buckets(db, cover(now, window_seconds), "true", ())
    return {metric: combine(found[metric]) for metric in sorted(found)}


async def latest(db: aiosqlite.Connection, metric: str) -> list[LatestPoint]:
    """Return the latest point of each series of the metric, in the order in which they came up; none if unknown."""
    query = "SELECT labels, last_at, last_value FROM metric_series WHERE metric = ? ORDER BY series"
    rows = await db.execute_fetchall(query, (metric,))
    return [LatestPoint(msgspec.json.decode(labels), at, value) for labels, at, value in rows]


Piece = tuple[int, int, int]  # a resolution and, in it, the first start and the one after the last


def cover(now: int, window_seconds: int) -> list[Piece]:
    """Cut the window that ends with `now` into the fewest buckets."""
    start = floor_to(now - window_seconds * SECOND, RESOLUTIONS[0])
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
        SELECT metric, count, mean, m2, min, max, sketch
        FROM metric_series
        CROSS JOIN pieces
        CROSS JOIN metric_buckets USING (series, resolution)
        WHERE start >= first AND start < past AND {condition}
    """
    found: dict[str, list[Bucket]] = defaultdict(list)
    for metric, *bucket in await db.execute_fetchall(query, (*(v for piece in pieces for v in piece), *parameters)):
        found[metric].append(Bucket(*bucket))
    return found


def combine(found: Iterable[Bucket]) -> WindowStats:
    """Merge buckets. Source of the merged deviation: Chan, Golub & LeVeque 1983, The American Statistician 37(3)."""
    counts, means, m2s, mins, maxs, sketches = zip(*found, strict=True)
    count = sum(counts)
    mean = float(np.dot(counts, means)) / count
    m2 = sum(m2s) + float(np.dot(counts, np.square(np.subtract(means, mean))))
    least, greatest = min(mins), max(maxs)
    p50, p95, p99 = np.clip(window_percentiles(counts, sketches), least, greatest).tolist()
    return WindowStats(count, mean, (m2 / count) ** 0.5, least, greatest, p50, p95, p99)


def window_percentiles(counts: Sequence[int], sketches: Sequence[bytes]) -> FloatArray:
    pairs = list(zip(counts, sketches, strict=True))
    points = np.frombuffer(b"".join(sketch for count, sketch in pairs if count <= POINTS_MAX), "<f8")
    histograms = b"".join(sketch for count, sketch in pairs if count > POINTS_MAX)
    if not histograms:
        return np.asarray(np.percentile(points, PERCENTS))
    return histogram.percentiles(
        histogram.decode(histograms) + histogram.counts_of(histogram.bins_of(points)), PERCENTS
    )
