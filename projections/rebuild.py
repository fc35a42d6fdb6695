"""Building views anew: beside the live ones, compared and swapped in, or as of a past position. Floor 2."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

import msgspec

from events.lock import WriterLock
from events.store import EventStore
from projections.errors import ProjectionError, ViewsUnusable
from projections.projection import Projection
from projections.threads import in_thread
from projections.views import Views, database_files
from projections.writer import ViewsWriter, read_only_uri

REPLAY_BATCH_EVENTS: Final = 5000
ADOPTION_WAIT_SECONDS: Final = 60.0
ADOPTION_POLL_SECONDS: Final = 0.1
Progress = Callable[[int], None]


class RebuildRunning(ProjectionError):
    """Another process is rebuilding these views."""


class TableComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A table before and after the rebuild. differing_rows: that only one has; all if one is unreadable."""

    view: str
    table: str
    rows: int
    differing_rows: int


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild found. position: where both were compared. is_adopted: the live views are the rebuilt ones now."""

    position: int
    tables: list[TableComparison]
    is_adopted: bool


async def replay(store: EventStore, writer: ViewsWriter, *, to: int, progress: Progress | None = None) -> None:
    """Apply the log's events up to position `to`. Raises ProjectionFailed."""
    while writer.position < to:
        events = await store.read_all(writer.position, min(REPLAY_BATCH_EVENTS, to - writer.position))
        await in_thread(writer.apply, events)
        if progress is not None:
            progress(writer.position)


@asynccontextmanager
async def views_as_of(
    store: EventStore, position: int, projections: Sequence[Projection], *, progress: Progress | None = None
) -> AsyncIterator[Views]:
    """Lend the views as they were when the log ended at `position`, in a temporary file."""
    with tempfile.TemporaryDirectory(prefix="views-") as folder:
        views = await Views.open(Path(folder) / "views.db", projections)
        try:
            assert views.writer is not None
            await replay(store, views.writer, to=min(position, await store.head()), progress=progress)
            await views.checkpoint()
            yield views
        finally:
            await views.close()


async def rebuild(store: EventStore, views: Views, *, progress: Progress | None = None) -> Rebuilt:
    """Build the views again from the whole log, compare them with the live ones and swap them in.

    Where another process projects, it is left to that one to take them over, which it does within seconds.
    Raises RebuildRunning, ProjectionFailed.
    """
    lock = WriterLock(views.path.with_suffix(".rebuild.lock"))
    if not await in_thread(lock.try_acquire):
        raise RebuildRunning(f"process {lock.holder_pid()} is rebuilding {views.path}: wait for its end")
    try:
        if views.writer is not None:
            await replay(store, views.writer, to=await store.head())
            views.note(views.writer.checkpoints)
        position, tables = await build_beside(store, views, progress)
        await in_thread(rebuild_path(views).replace, next_path(views))
        is_adopted = await (adopt(store, views) if views.writer is not None else adopted_by_other(views))
        return Rebuilt(position=position, tables=tables, is_adopted=is_adopted)
    finally:
        lock.release()


async def build_beside(store: EventStore, views: Views, progress: Progress | None) -> tuple[int, list[TableComparison]]:
    """Build `views.rebuild.db` up to where the live views stand and return that position and the comparison."""
    path = rebuild_path(views)
    await in_thread(drop, path)
    writer = await in_thread(ViewsWriter.open, path, views.projections)
    try:
        await replay(store, writer, to=await views.checkpoint(), progress=progress)
        both, position = await in_thread(open_both, views.path, path)
        with closing(both):
            await replay(store, writer, to=position, progress=progress)
            tables = await in_thread(compare, both, views.projections)
    finally:
        await in_thread(writer.close)
    return position, tables


def open_both(live: Path, rebuilt: Path) -> tuple[sqlite3.Connection, int]:
    """Open both files for reading and return the position of the live views, fixed however they go on meanwhile."""
    connection = sqlite3.connect(":memory:", isolation_level=None, uri=True, check_same_thread=False)
    for name, path in (("live", live), ("rebuilt", rebuilt)):
        connection.execute(f"ATTACH ? AS {name}", (read_only_uri(path),))
    connection.execute("BEGIN")  # each file is fixed by its first read
    [(position,)] = connection.execute("SELECT min(position) FROM live.checkpoints").fetchall()
    return connection, int(position)


def compare(both: sqlite3.Connection, projections: Sequence[Projection]) -> list[TableComparison]:
    """Compare the rows of every table in `live` and `rebuilt`, bit for bit."""
    return [compare_table(both, projection.name, table) for projection in projections for table in projection.tables]


def compare_table(both: sqlite3.Connection, view: str, table: str) -> TableComparison:
    rows = count(both, f"SELECT * FROM rebuilt.{table}")
    try:
        differing_rows = count(both, f"SELECT * FROM live.{table} EXCEPT SELECT * FROM rebuilt.{table}")
        differing_rows += count(both, f"SELECT * FROM rebuilt.{table} EXCEPT SELECT * FROM live.{table}")
    except sqlite3.DatabaseError:  # the live table cannot be read
        differing_rows = max(rows, 1)
    return TableComparison(view=view, table=table, rows=rows, differing_rows=differing_rows)


def count(connection: sqlite3.Connection, select: str) -> int:
    [(rows,)] = connection.execute(f"SELECT count(*) FROM ({select})").fetchall()
    return int(rows)


async def adopt(store: EventStore, views: Views) -> bool:
    """Make the live views those of `views.next.db`, if it is there, usable and not ahead; True if they are now."""
    assert views.writer is not None
    path = next_path(views)
    if not await in_thread(path.exists):
        return False
    try:
        writer = await in_thread(ViewsWriter.open, path, views.projections)
    except ViewsUnusable:  # built by another release
        await in_thread(drop, path)
        return False
    try:
        if writer.position > views.writer.position:
            return False
        await replay(store, writer, to=views.writer.position)
    finally:
        await in_thread(writer.close)
    await in_thread(views.writer.replace_with, path)
    views.note(views.writer.checkpoints)
    await in_thread(drop, path)
    return True


async def adopted_by_other(views: Views) -> bool:
    """Wait until the process that projects has taken `views.next.db` over; False if it does not."""
    try:
        async with asyncio.timeout(ADOPTION_WAIT_SECONDS):
            while await in_thread(next_path(views).exists):  # noqa: ASYNC110  # another process takes it over
                await asyncio.sleep(ADOPTION_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def rebuild_path(views: Views) -> Path:
    return views.path.with_suffix(".rebuild.db")


def next_path(views: Views) -> Path:
    return views.path.with_suffix(".next.db")


def drop(path: Path) -> None:
    for file in database_files(path):
        file.unlink(missing_ok=True)
