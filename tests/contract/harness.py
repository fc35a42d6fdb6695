"""What the contract's tests share: the store under test, which can be reopened, and events to put into it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from events.catalog import MetricRecorded
from events.event import Metadata, RecordedEvent
from events.sqlite import SqliteEventStore

ACTOR: Final = Metadata(actor="test")


class Log:
    """A log and the store under test on it: the one that writes, or one that appends through another's socket."""

    def __init__(self, path: Path, *, through_another: bool) -> None:
        self.path = path
        self._stores_wanted = 2 if through_another else 1
        self._stores: list[SqliteEventStore] = []

    @property
    def store(self) -> SqliteEventStore:
        return self._stores[-1]

    async def open(self) -> None:
        for _ in range(self._stores_wanted):
            self._stores.append(await SqliteEventStore.open(self.path))

    async def close(self) -> None:
        while self._stores:
            await self._stores.pop().close()

    async def reopen(self) -> None:
        await self.close()
        await self.open()


def point(value: float = 1.0, **labels: str) -> MetricRecorded:
    return MetricRecorded(metric="m", value=value, at=1, labels=labels)


def values(events: Sequence[RecordedEvent]) -> list[float]:
    """Return the values of the `point`s that were recorded."""
    return [event.data.value for event in events if isinstance(event.data, MetricRecorded)]
