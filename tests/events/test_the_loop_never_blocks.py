"""Nothing that the store does waits for the disk in the event loop's thread."""

import asyncio
import os
import threading
from pathlib import Path
from uuid import uuid4

from blockbuster import blockbuster_ctx

from events.event import NewEvent, StreamAppend
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, traced


async def test_no_blocking_call_while_it_is_used(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """Appending, reading, subscribing and looking up make no blocking call, as the writer and through it."""
    with blockbuster_ctx("events"):
        for each in (store, other):
            await use(each)
    assert await other.head() == 38  # 2 × (16 + 1 + 2)


async def test_no_blocking_call_to_tell_who_writes(store: SqliteEventStore, other: SqliteEventStore) -> None:
    """Whoever asks which process writes, as a health check does, reads no file in the loop."""
    with blockbuster_ctx("events"):
        assert [await each.writer_pid() for each in (store, other)] == [os.getpid()] * 2


async def test_no_sql_in_the_loops_thread(path: Path) -> None:
    """From opening to closing, and while one process takes over from another, SQL runs in other threads only."""
    with traced() as statements:
        store, other = await SqliteEventStore.open(path), await SqliteEventStore.open(path)
        await use(store)
        await use(other)
        await store.close()
        await use(other)
        await other.close()
    assert statements.threads
    assert threading.get_ident() not in statements.threads


async def use(store: SqliteEventStore) -> None:
    """Do everything that a store can, and leave 19 events."""
    batches = store.subscribe(await store.head())
    following = asyncio.ensure_future(anext(batches))
    await asyncio.gather(*[store.append("metric-m", [point()], metadata=ACTOR, key=uuid4().hex) for _ in range(16)])
    await store.append("metric-m", [NewEvent(data=point(), event_id=uuid4())], metadata=ACTOR)
    await store.append_all([StreamAppend("metric-n", [point(), point()])], metadata=ACTOR)
    events = await store.read_all() + await store.read_stream("metric-m")
    await store.find_event(events[0].event_id)
    await store.find_key("k", fingerprint="")
    await store.position_at(events[0].recorded_at)
    await store.stream_version("metric-m")
    assert await following
