"""A subscription yields every event above its position once, in order: first those that are there, then new ones."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from events import sqlite
from events.event import RecordedEvent
from tests.contract.harness import ACTOR, Log, point


async def take(batches: AsyncIterator[list[RecordedEvent]], count: int) -> list[int]:
    """Return the positions of the next `count` events."""
    positions: list[int] = []
    while len(positions) < count:
        positions += [event.position for event in await anext(batches)]
    return positions


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the poll as a safety net, only a wake-up brings new events."""
    monkeypatch.setattr(sqlite, "POLL_SECONDS", 3600.0)


@pytest.mark.usefixtures("no_polling")
async def test_it_catches_up_then_follows(log: Log) -> None:
    """What is there comes first, then each append as it happens."""
    await log.store.append("metric-m", [point()] * 5, metadata=ACTOR)
    batches = log.store.subscribe(2)
    assert await take(batches, 3) == [3, 4, 5]
    for position in range(6, 16):
        following = asyncio.create_task(take(batches, 1))
        await log.store.append("metric-m", [point()], metadata=ACTOR)
        assert await following == [position]


@pytest.mark.usefixtures("no_polling")
async def test_several_subscribers_each_see_everything(log: Log) -> None:
    """Subscribers that start at different positions and times do not take events from each other."""
    followers = [asyncio.create_task(take(log.store.subscribe(after), 50 - after)) for after in (0, 1, 40)]
    for _ in range(50):
        await log.store.append("metric-m", [point()], metadata=ACTOR)
    assert await asyncio.gather(*followers) == [list(range(after + 1, 51)) for after in (0, 1, 40)]


@pytest.mark.usefixtures("no_polling")
async def test_an_append_between_the_read_and_the_wait_is_not_missed(log: Log) -> None:
    """Concurrent producers never leave a subscriber asleep behind the head."""
    following = asyncio.create_task(take(log.store.subscribe(), 400))
    appends = [log.store.append("metric-m", [point()], metadata=ACTOR) for _ in range(400)]
    await asyncio.gather(*appends)
    assert await following == list(range(1, 401))


async def test_batches_have_their_limit(log: Log) -> None:
    """No batch is larger than was asked for, also when runs are."""
    await log.store.append("metric-m", [point()] * 10, metadata=ACTOR)
    batches = log.store.subscribe(batch_events_max=4)
    assert [len(await anext(batches)) for _ in range(3)] == [4, 4, 2]


async def test_a_position_above_the_head_waits_for_it(log: Log) -> None:
    """A subscriber from the future gets nothing until the log is there."""
    following = asyncio.create_task(take(log.store.subscribe(3), 2))
    await log.store.append("metric-m", [point()] * 5, metadata=ACTOR)
    assert await following == [4, 5]


async def test_it_ends_when_the_store_closes(log: Log) -> None:
    """Closing ends the waiting subscribers, after the events that they have not seen or with them."""
    caught_up = asyncio.Event()

    async def follow() -> list[int]:
        positions: list[int] = []
        async for batch in log.store.subscribe():
            positions += [event.position for event in batch]
            caught_up.set()
        return positions

    following = asyncio.create_task(follow())
    await log.store.append("metric-m", [point()], metadata=ACTOR)
    await caught_up.wait()
    await log.close()
    assert await following == [1]
