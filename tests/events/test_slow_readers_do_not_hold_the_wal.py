"""No reader holds a snapshot longer than a read: the write-ahead log is checkpointed and starts anew meanwhile."""

import pytest

from events.catalog import Event, type_names
from events.errors import UnknownEventType
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, pragma, writing_connection

CHECKPOINT_PAGES = 50


async def append_much(store: SqliteEventStore) -> int:
    """Append a good fifty times what one checkpoint takes, and return the size of the write-ahead log in pages."""
    connection = writing_connection(store)
    assert pragma(connection, f"wal_autocheckpoint = {CHECKPOINT_PAGES}") == CHECKPOINT_PAGES
    for _ in range(100):
        await store.append("metric-m", [point(note="x" * 100_000)], metadata=ACTOR)
    wal = store.path.with_name(store.path.name + "-wal")
    return wal.stat().st_size // pragma(connection, "page_size")


@pytest.mark.parametrize("batch_events_max", [1, 1000])
async def test_a_slow_subscriber_does_not(
    store: SqliteEventStore, other: SqliteEventStore, batch_events_max: int
) -> None:
    """Subscribers of both processes that take long over a batch leave the checkpoint its way."""
    await store.append("metric-m", [point()] * 5, metadata=ACTOR)
    await store.append("metric-m", [point()] * 5, metadata=ACTOR)
    subscriptions = [each.subscribe(batch_events_max=batch_events_max) for each in (store, other)]
    batches = [await anext(subscription) for subscription in subscriptions]
    assert [batch[0].position for batch in batches] == [1, 1]
    assert await append_much(store) < 4 * CHECKPOINT_PAGES
    assert len(await anext(subscriptions[0])) > 0


async def test_pages_and_partial_reads_do_not(store: SqliteEventStore) -> None:
    """Reads that stop before the end of what they found, and whose events are kept, hold nothing."""
    await store.append("metric-m", [point()] * 5, metadata=ACTOR)
    await store.append("metric-m", [point()] * 5, metadata=ACTOR)
    kept = [await store.read_all(limit=3), await store.read_stream("metric-m", limit=3), await store.read_all(limit=5)]
    assert await append_much(store) < 4 * CHECKPOINT_PAGES
    assert [len(events) for events in kept] == [3, 3, 5]


async def test_a_failed_read_that_is_remembered_does_not(store: SqliteEventStore) -> None:
    """Whoever keeps the error of an unreadable event, as a stopped projection does, keeps no snapshot with it."""

    class Passing(Event, frozen=True, kw_only=True):
        pass

    await store.append("metric-m", [Passing(), point()], metadata=ACTOR)
    await store.append("metric-m", [point()], metadata=ACTOR)
    del type_names["Passing"]
    with pytest.raises(UnknownEventType) as kept:
        await store.read_all()
    assert await append_much(store) < 4 * CHECKPOINT_PAGES
    assert kept.value.position == 1
