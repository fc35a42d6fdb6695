"""Closing answers every accepted append, frees the log for others, and refuses what comes later."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from events import sqlite
from events.errors import StoreClosed
from events.event import RecordedEvent
from events.lock import WriterLock
from events.reading import LogReader
from events.sqlite import SqliteEventStore
from events.writer import LogWriter
from tests.events.harness import ACTOR, point, traced


@pytest.fixture(params=["store", "other"])
def closing(request: pytest.FixtureRequest, store: SqliteEventStore, other: SqliteEventStore) -> SqliteEventStore:
    """The store of the writing process, and one that appends through it."""
    return {"store": store, "other": other}[request.param]


async def test_accepted_appends_are_answered(closing: SqliteEventStore) -> None:
    """A thousand appends that are under way when the store closes are all acknowledged."""
    appends = [asyncio.create_task(closing.append("metric-m", [point()], metadata=ACTOR)) for _ in range(1000)]
    await asyncio.sleep(0)  # lets each task hand over its append
    await closing.close()
    assert sorted([(await append).position for append in appends]) == list(range(1, 1001))


async def test_a_closed_store_says_so(closing: SqliteEventStore) -> None:
    """After closing, and closing again, appends and reads are refused."""
    for _ in range(2):
        await closing.close()
    with pytest.raises(StoreClosed):
        await closing.append("metric-m", [point()], metadata=ACTOR)
    with pytest.raises(StoreClosed):
        await closing.read_all()
    with pytest.raises(StoreClosed):
        await closing.find_key("k", fingerprint="")


async def test_closing_is_no_fault(closing: SqliteEventStore) -> None:
    """A store that closes in good order reports nothing to the loop's exception handler."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
    await closing.append("metric-m", [point()], metadata=ACTOR)
    await closing.close()
    for _ in range(10):  # the transports close in later turns of the loop
        await asyncio.sleep(0)
    assert faults == []


async def test_closing_leaves_no_connection(path: Path) -> None:
    """After the last close the log is one file that nobody holds: what was in the write-ahead log is in it."""
    with traced() as statements:
        async with await SqliteEventStore.open(path) as store:
            await store.append("metric-m", [point()], metadata=ACTOR)
            await store.read_all()
    assert statements.open_connections(readonly=True) + statements.open_connections(readonly=False) == []
    assert {file.name for file in path.parent.iterdir()} == {"log.db", "log.lock"}


async def test_an_abandoned_append_does_no_harm(store: SqliteEventStore) -> None:
    """A caller that is cancelled leaves its append to be written once or not at all; its key tells which."""
    appends = [asyncio.create_task(store.append("metric-m", [point()], metadata=ACTOR, key="k")) for _ in range(3)]
    await asyncio.sleep(0)  # lets each task hand over its append
    appends[0].cancel()
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert await store.head() == 1


@pytest.mark.usefixtures("no_polling")
async def test_a_subscription_that_reads_while_the_store_closes_ends(
    closing: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber whose last read finds nothing does not wait for the head of a closed store to move."""
    reading, may_read = threading.Event(), threading.Event()

    def nothing_slowly(*_: Any) -> list[RecordedEvent]:
        reading.set()
        may_read.wait()
        return []

    monkeypatch.setattr(LogReader, "read_all", nothing_slowly)
    following = asyncio.ensure_future(anext(closing.subscribe(), None))
    await asyncio.to_thread(reading.wait)
    ending = asyncio.create_task(closing.close())
    await asyncio.wait([ending], timeout=0.1)  # as far as it gets while the read is under way
    may_read.set()
    await ending
    async with asyncio.timeout(3):  # until the next poll, if the wake-up came too early
        assert await following is None


async def test_closing_while_taking_over_keeps_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store closed in the middle of becoming the writer holds the lock for as long as its connection is open."""
    opening, may_open, lock_was_free = threading.Event(), threading.Event(), list[bool]()

    class SlowWriter(LogWriter):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            opening.set()
            may_open.wait()
            lock = WriterLock(path.with_suffix(".lock"))
            lock_was_free.append(lock.try_acquire())
            lock.release()

    store = await SqliteEventStore.open(path)
    other = await SqliteEventStore.open(path)
    monkeypatch.setattr(sqlite, "LogWriter", SlowWriter)
    await store.close()
    await asyncio.to_thread(opening.wait)
    closing = asyncio.create_task(other.close())
    await asyncio.wait([closing], timeout=0.1)  # as far as it gets while the writer is being made
    may_open.set()
    await closing
    await asyncio.get_running_loop().shutdown_default_executor()
    assert lock_was_free == [False]
