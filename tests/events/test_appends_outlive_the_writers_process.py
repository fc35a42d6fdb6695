"""When the writing process dies, stops or refuses, the appends of the others are answered: written once, or refused."""

import asyncio
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from events import chain, request, sqlite, wire
from events.errors import EventStoreError, StoreUnavailable
from events.event import NewEvent
from events.sqlite import SqliteEventStore
from tests.crash.harness import Child, started
from tests.events.harness import ACTOR, point


async def through(child: Child, path: Path) -> SqliteEventStore:
    """Return a store that appends through the child."""
    assert await child.reports(1) == ["writer"]
    store = await SqliteEventStore.open(path)
    assert not store.is_writer
    return store


def appender(path: Path) -> AbstractAsyncContextManager[Child]:
    return started("-m", "tests.events.appender", str(path))


async def test_appends_under_way_survive_the_writers_sigkill(path: Path) -> None:
    """Appends that the dead writer had or had not committed are each there once, with no retry by the caller."""
    async with appender(path) as child, await through(child, path) as store:
        appends = [asyncio.create_task(store.append("metric-m", [point(n)], metadata=ACTOR)) for n in range(5000)]
        await appends[100]
        await child.kill()
        positions = [(await append).position for append in appends]
        events = await store.read_all(limit=10_000)
        assert (store.is_writer, sorted(positions)) == (True, list(range(1, 5001)))
        assert {event.position: event.data for event in events} == {
            position: point(n) for n, position in enumerate(positions)
        }
    assert chain.verify(path).events == 5000


async def test_a_callers_keys_outlive_the_writer(path: Path) -> None:
    """A key and an event id that the dead writer acknowledged are repeats for its successor."""
    event = NewEvent(data=point(), event_id=uuid4())
    async with appender(path) as child, await through(child, path) as store:
        await child.send("k")
        await child.reports(2)
        await store.append("metric-m", [event], metadata=ACTOR)
        await child.kill()
        assert (await store.append("metric-m", [point()], metadata=ACTOR, key="k")).position == 1
        assert (await store.append("metric-m", [event], metadata=ACTOR)).position == 2
        assert (store.is_writer, await store.head()) == (True, 2)


async def test_one_of_several_takes_over(path: Path) -> None:
    """Of three that appended through the dead writer one writes, and the two others append through it."""
    async with appender(path) as child:
        stores = [await through(child, path) for _ in range(3)]
        await child.kill()
        appends = [store.append("metric-m", [point()], metadata=ACTOR) for store in stores * 5]
        assert sorted([answer.position for answer in await asyncio.gather(*appends)]) == list(range(1, 16))
        assert [store.is_writer for store in stores].count(True) == 1
        for store in stores:
            await store.close()


@pytest.mark.usefixtures("no_polling")
async def test_a_subscription_goes_on_under_the_next_writer(path: Path) -> None:
    """Who follows the log sees no gap and no repeat when the writer changes."""
    async with appender(path) as child, await through(child, path) as store:
        batches, seen = store.subscribe(), list[int]()
        await child.send("k")
        seen += [event.position for event in await anext(batches)]
        await child.kill()
        following = asyncio.ensure_future(anext(batches))
        await store.append("metric-m", [point()], metadata=ACTOR)
        seen += [event.position for event in await following]
        assert seen == [1, 2]


async def test_a_writer_that_closes_hands_over(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """Appends through a writer that closes in good order are not lost either."""
    appends = [asyncio.create_task(other.append("metric-m", [point()], metadata=ACTOR)) for _ in range(2000)]
    await appends[10]
    await store.close()
    assert sorted([(await append).position for append in appends]) == list(range(1, 2001))
    assert other.is_writer


async def test_a_lost_connection_writes_nothing_twice(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """Appends sent again to the same writer, which had some of them written and some of them queued, are there once."""
    appends = [asyncio.create_task(other.append("metric-m", [point()], metadata=ACTOR)) for _ in range(3000)]
    for answered in (10, 1500):
        await appends[answered]
        assert other._client is not None
        other._client.transport.abort()
    assert sorted([(await append).position for append in appends]) == list(range(1, 3001))
    assert await store.head() == 3000


async def test_a_forked_process_does_not_keep_the_lock(path: Path) -> None:
    """A process that the writer had forked, and that lives on, does not keep the others from writing."""
    async with appender(path) as child, await through(child, path) as store:
        await child.send("fork")
        await child.reports(2)
        child.send_signal_alone(signal.SIGKILL)
        async with asyncio.timeout(3):  # forever, if the lock is kept
            await store.append("metric-m", [point()], metadata=ACTOR)
        assert store.is_writer


async def test_a_writer_that_hangs_is_not_waited_for_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An append that a stopped writer does not answer in time is refused as retryable."""
    async with appender(path) as child:
        monkeypatch.setattr(sqlite, "WRITER_WAIT_SECONDS", 0.05)
        async with await through(child, path) as store:
            child.send_signal(signal.SIGSTOP)
            async with asyncio.timeout(3):  # forever, if nobody looks at the clock
                with pytest.raises(StoreUnavailable):
                    await store.append("metric-m", [point()], metadata=ACTOR)


async def test_an_append_larger_than_a_frame_is_refused(
    store: SqliteEventStore, other: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the writer would not take is refused for good at once, and does not stop what comes after it."""
    monkeypatch.setattr(request, "CHARACTERS_PER_APPEND_MAX", 10_000)
    async with asyncio.timeout(3):  # forever, if it is sent again and again
        with pytest.raises((ValueError, EventStoreError)) as caught:
            await other.append("metric-m", [point(note="x" * 20_000)], metadata=ACTOR)
        assert not getattr(caught.value, "retryable", False)
        assert (await other.append("metric-m", [point()], metadata=ACTOR)).position == 1


async def test_many_appends_at_once_fit_into_frames(
    store: SqliteEventStore, other: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appends of which each fits are all written, also when those of one turn of the loop do not fit together."""
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 10_000)
    monkeypatch.setattr(wire, "FRAME_CHARACTERS", 4_000)
    async with asyncio.timeout(3):  # forever, if they are sent as one frame
        appends = [other.append("metric-m", [point(note="x" * 4000)], metadata=ACTOR) for _ in range(10)]
        assert len(await asyncio.gather(*appends)) == 10
