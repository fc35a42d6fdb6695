"""What the tests of the projections share: recorded events without a log, and the rows of a file of views."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from events.catalog import Event, MetricRecorded
from events.event import Metadata, RecordedEvent, Run
from events.store import EventStore
from projections.projection import Projection
from projections.runner import Runner
from projections.views import Views
from projections.writer import ViewsWriter
from recsys.commands.all_views import all_views

START = 1_790_000_000_000_000  # microseconds: a fixed day in 2026
SECOND = 1_000_000
ACTOR = Metadata(actor="ana")


def recorded(events: Iterable[Event], *, first: int = 1, gap: int = SECOND) -> list[RecordedEvent]:
    """Return the events as a log would give them, `gap` microseconds apart."""
    return [record(event, first + i, START + i * gap) for i, event in enumerate(events)]


def record(event: Event, position: int, at: int) -> RecordedEvent:
    name = type(event).__name__
    run = Run(position, "test-1", position, name, 1, at, None, 7, ACTOR, position.to_bytes(32))
    return RecordedEvent(position, position, event, run)


def apply_in_batches(path: Path, batches: Iterable[Sequence[RecordedEvent]]) -> dict[str, list[tuple[Any, ...]]]:
    """Apply the batches to the views in `path` and return all their rows."""
    with closing(ViewsWriter.open(path, all_views())) as writer:
        for batch in batches:
            writer.apply(batch)
    return rows(path)


def rows(path: Path, projections: Sequence[Projection] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Return table → its rows in order."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for projection in projections or all_views()
            for table in projection.tables
        }


@asynccontextmanager
async def running(
    store: EventStore, path: Path, projections: Callable[[], list[Projection]] = all_views
) -> AsyncIterator[Runner]:
    """Lend a runner at work on the views in `path`."""
    views = await Views.open(path, projections())
    runner = Runner(store, views)
    task = asyncio.create_task(runner.run(), name="projections")
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await views.close()


class Stumbling:
    """A view that raises `error` at the points of the metric "bad" while `stumbles` is set."""

    name = "stumbling"
    schema_version = 1
    tables: tuple[str, ...] = ()
    event_types: frozenset[type[Event]] = frozenset({MetricRecorded})

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.stumbles = True

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        if self.stumbles and any(getattr(event.data, "metric", "") == "bad" for event in events):
            raise self.error
        return False


def point(metric: str = "m", value: float = 1.0) -> MetricRecorded:
    return MetricRecorded(metric=metric, value=value, at=START)
