"""A full queue refuses: nothing of the refused append is written, all of the accepted ones is."""

import asyncio
from collections.abc import Awaitable

import pytest

from events.errors import StoreOverloaded
from events.event import Appended, StreamAppend
from events.group_commit import QUEUED_EVENTS_MAX
from events.request import EVENTS_PER_APPEND_MAX
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point

FITTING = QUEUED_EVENTS_MAX // EVENTS_PER_APPEND_MAX


@pytest.fixture(params=["store", "other"])
def appending(request: pytest.FixtureRequest, store: SqliteEventStore, other: SqliteEventStore) -> SqliteEventStore:
    """The store of the writing process, and one that appends through it."""
    return {"store": store, "other": other}[request.param]


def large_append(store: SqliteEventStore, number: int) -> Awaitable[Appended]:
    return store.append_all([StreamAppend(f"metric-{number}", [point()] * EVENTS_PER_APPEND_MAX)], metadata=ACTOR)


async def test_a_full_queue_refuses_whole_appends(appending: SqliteEventStore) -> None:
    """Of eight large appends at once the queue takes five; the others are refused and leave nothing behind."""
    answers = await asyncio.gather(*[large_append(appending, n) for n in range(8)], return_exceptions=True)
    assert [type(answer) for answer in answers] == [Appended] * FITTING + [StoreOverloaded] * (8 - FITTING)
    assert await appending.head() == QUEUED_EVENTS_MAX
    assert await appending.stream_version(f"metric-{FITTING}") == 0


async def test_a_refusal_may_be_retried(appending: SqliteEventStore) -> None:
    """The error says that it is retryable, and the retry is written once there is room."""
    first = asyncio.gather(*[large_append(appending, n) for n in range(FITTING)])
    await asyncio.sleep(0)  # lets the appends take their places
    with pytest.raises(StoreOverloaded) as caught:
        await large_append(appending, FITTING)
    assert caught.value.retryable
    await first
    assert (await large_append(appending, FITTING)).position == QUEUED_EVENTS_MAX + EVENTS_PER_APPEND_MAX


async def test_one_process_does_not_use_up_anothers_room(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """A process that fills its own queue leaves the others theirs."""
    flood = asyncio.gather(*[large_append(store, n) for n in range(FITTING)])
    await asyncio.sleep(0)  # lets the appends take their places
    assert not (await other.append("metric-small", [point()], metadata=ACTOR)).is_repeat
    await flood
