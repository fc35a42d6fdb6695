"""GET /events: the log itself, in pages after a position. Floor 3."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from events.catalog import type_names
from events.event import Metadata, RecordedEvent
from events.store import EventStore
from recsys.errors import InvalidInput
from recsys.http.routing import Answer, Call, Route
from recsys.services import Services
from recsys.times import from_iso, iso

SCAN_EVENTS_MAX: Final = 100_000  # a page looks through no more of the log; `next` then leads on
Position = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Time = Annotated[str, Meta(max_length=40, description="ISO 8601; UTC where no zone is given.")]


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events: those after a position, of one stream, of one type, recorded from `since` to `until`."""

    after: Position = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    stream: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    type: Annotated[str, Meta(max_length=100)] | None = None
    since: Time | None = None
    until: Time | None = None


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event. data: its fields, as the type has them. hash: the chain's value after its append, in hex."""

    position: int
    event_id: str
    stream: str
    stream_version: int
    type: str
    schema_version: int
    recorded_at: str
    data: Any
    metadata: Metadata
    hash: str


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page. next: send it as `after` for the next one. is_at_end: nothing more is there at present."""

    count: int
    events: list[EventAnswer]
    next: int
    head: int
    is_at_end: bool


async def list_events(services: Services, call: Call) -> Answer:
    query: EventsQuery = call.query
    if query.type is not None and query.type not in type_names:
        raise InvalidInput(
            f"there is no event type {query.type}",
            field="type",
            found=query.type,
            fix=f"use one of {', '.join(sorted(type_names))}",
        )
    head = await services.store.head()
    first, last = await bounds(services.store, query, head)
    events, looked_through = await page(services.store, query, first, last)
    at_end = looked_through >= last
    return Answer(
        body=EventsAnswer(
            count=len(events),
            events=[event_answer(event) for event in events],
            next=looked_through,
            head=head,
            is_at_end=at_end,
        )
    )


async def bounds(store: EventStore, query: EventsQuery, head: int) -> tuple[int, int]:
    """Return the positions (after, up to and with) between which the query's events stand."""
    after, last = query.after, head
    if query.since is not None:
        after = max(after, await store.position_at(from_iso(query.since, field="since") - 1))
    if query.until is not None:
        last = min(last, await store.position_at(from_iso(query.until, field="until")))
    return after, last


async def page(store: EventStore, query: EventsQuery, after: int, last: int) -> tuple[list[RecordedEvent], int]:
    """Return the page's events, and the position up to which the log was looked through for them."""
    if after >= last:
        return [], after
    if query.stream is not None:
        found = await stream_page(store, query.stream, after=after, limit=query.limit)
        scanned = found[-1].position if len(found) == query.limit else last
    else:
        types = () if query.type is None else (query.type,)
        found = await store.read_all(after, query.limit, types=types, scan_max=SCAN_EVENTS_MAX)
        scanned = found[-1].position if len(found) == query.limit else after + SCAN_EVENTS_MAX
    wanted = [event for event in found if event.position <= last and query.type in (None, event.type)]
    return wanted, min(scanned, last)


async def stream_page(store: EventStore, stream: str, *, after: int, limit: int) -> list[RecordedEvent]:
    """Return the stream's first `limit` events above position `after`.

    Positions rise with stream versions, so the place is found by halving: 20 reads in a stream of a million events.
    """
    low, high = 0, await store.stream_version(stream) if after else 0
    while low < high:
        middle = (low + high) // 2
        following = await store.read_stream(stream, after=middle, limit=1)
        low, high = (middle + 1, high) if following and following[0].position <= after else (low, middle)
    return await store.read_stream(stream, after=low, limit=limit)


def event_answer(event: RecordedEvent) -> EventAnswer:
    return EventAnswer(
        position=event.position,
        event_id=event.event_id,
        stream=event.stream,
        stream_version=event.stream_version,
        type=event.type,
        schema_version=event.schema_version,
        recorded_at=iso(event.recorded_at),
        data=event.data,
        metadata=event.metadata,
        hash=event.hash.hex(),
    )


ROUTES = [
    Route(
        method="GET",
        path="/events",
        handler=list_events,
        summary="Read the log: what happened, in order",
        query=EventsQuery,
        answer=EventsAnswer,
    )
]
