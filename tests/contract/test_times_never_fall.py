"""recorded_at never falls along the log, so that a time names a position."""

from pathlib import Path

from events.sqlite import SqliteEventStore
from tests.contract.harness import ACTOR, point


async def test_a_clock_that_goes_back_does_not_take_the_log_along(tmp_path: Path) -> None:
    """While the clock stands behind the last event, events are recorded at that one's time; also after reopening."""
    times = iter([1000, 5000, 3000, 4000, 6000, 2000])
    for _ in range(2):
        async with await SqliteEventStore.open(tmp_path / "log.db", clock=lambda: next(times)) as store:
            for _ in range(2):
                await store.append("metric-m", [point()], metadata=ACTOR)
            recorded = [event.recorded_at for event in await store.read_all()]
    assert recorded == [5000, 5000, 5000, 6000]


async def test_a_time_names_the_last_position_recorded_by_then(tmp_path: Path) -> None:
    """`position_at` answers for times before, at, between and after the events, and inside runs."""
    times = iter([0, 1000, 2000, 2000, 5000])
    async with await SqliteEventStore.open(tmp_path / "log.db", clock=lambda: next(times)) as store:
        assert await store.position_at(10_000) == 0
        for count in (1, 3, 1, 2):
            await store.append("metric-m", [point()] * count, metadata=ACTOR)
        asked = [0, 999, 1000, 1999, 2000, 4999, 5000, 10_000]
        assert [await store.position_at(time) for time in asked] == [0, 0, 1, 1, 5, 5, 7, 7]
