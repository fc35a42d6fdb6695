"""POST /metrics: points of metrics, one or thousands at a time. Floor 3."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from events.catalog import Event, MetricRecorded
from events.event import NewEvent, StreamAppend
from recsys.errors import InvalidInput
from recsys.http.batches import NDJSON, BatchDecoder
from recsys.http.decoding import converted
from recsys.http.routing import JSON, Answer, Call, Route
from recsys.identifiers import IDENTIFIER_PATTERN, Identifier
from recsys.registry import MetricValue
from recsys.services import Services
from recsys.times import from_iso

LABELS_MAX: Final = 16
# 2000-01-01 to 2100-01-01: a time outside of it is in the wrong unit.
EARLIEST_SECONDS: Final = 946_684_800
LATEST_SECONDS: Final = 4_102_444_800
Seconds = Annotated[float, Meta(ge=EARLIEST_SECONDS, lt=LATEST_SECONDS)]

# The pattern is checked once a name, not once a point: it would cost more than all the rest of decoding.
MetricName = Annotated[
    str, Meta(min_length=1, max_length=128, extra_json_schema={"pattern": IDENTIFIER_PATTERN, "examples": ["accuracy"]})
]


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A value of a metric. timestamp: seconds since the Unix epoch, or ISO 8601; without one, the time of arrival."""

    metric: MetricName
    value: MetricValue
    timestamp: Seconds | Annotated[str, Meta(max_length=40)] | None = None
    labels: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=256)]],
        Meta(max_length=LABELS_MAX),
    ] = {}


POINTS: Final = BatchDecoder(MetricPoint, noun="points")


class MetricsRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """How many points are on disk."""

    recorded: int


async def record_points(services: Services, call: Call) -> Answer:
    """Record each point as one event, all of them in one atomic append."""
    points: list[MetricPoint] = call.body
    appended = await services.store.append_all(
        appends_of(points, now=services.clock()),
        metadata=call.metadata,
        key=call.key,
        fingerprint=call.fingerprint,
    )
    return Answer(
        body=MetricsRecorded(recorded=len(points)),
        status=201,
        position=appended.position,
        is_repeat=appended.is_repeat,
    )


def appends_of(points: Iterable[MetricPoint], *, now: int) -> list[StreamAppend]:
    """Return one append a metric; now: microseconds since the epoch, for the points without a timestamp.

    Raises InvalidInput if a name is none, or a time too far away.
    """
    events: defaultdict[str, list[Event | NewEvent]] = defaultdict(list)
    for point in points:
        at = now if point.timestamp is None else microseconds(point.timestamp)
        events[point.metric].append(MetricRecorded(metric=point.metric, value=point.value, at=at, labels=point.labels))
    return [
        StreamAppend(f"metric-{converted(metric, Identifier, place='metric')}", of_metric)
        for metric, of_metric in events.items()
    ]


def microseconds(timestamp: float | str) -> int:
    if isinstance(timestamp, str):
        at = from_iso(timestamp, field="timestamp")
        if not EARLIEST_SECONDS * 1_000_000 <= at < LATEST_SECONDS * 1_000_000:
            raise InvalidInput(
                "timestamp is too far away",
                field="timestamp",
                found=timestamp,
                fix="stay between the years 2000 and 2099",
            )
        return at
    return round(timestamp * 1_000_000)


ROUTES = [
    Route(
        method="POST",
        path="/metrics",
        handler=record_points,
        summary="Record points of metrics: one, an array, or lines of JSON",
        body=POINTS.body_type,
        decoder=POINTS.decode,
        media_types=(JSON, NDJSON),
        answer=MetricsRecorded,
        statuses=(201,),
    )
]
