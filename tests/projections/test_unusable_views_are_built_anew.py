"""Views are disposable: deleted, damaged, foreign or stale ones are built anew from the log, and it is said."""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from events.sqlite import SqliteEventStore
from projections.errors import ProjectionLag, ViewsUnavailable
from projections.jobs import list_jobs
from projections.projection import Projection
from projections.registry import RegistryProjection
from projections.views import database_files
from recsys.commands.all_views import all_views
from tests.projections.harness import ACTOR, Stumbling, point, rows, running


class RegistryOfNextRelease(RegistryProjection):
    schema_version = RegistryProjection.schema_version + 1


def next_release() -> list[Projection]:
    return [RegistryOfNextRelease(), *all_views()[1:]]


def delete(path: Path) -> None:
    for file in database_files(path):
        file.unlink(missing_ok=True)


def damage(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def put_ahead(path: Path) -> None:
    edit(path, "UPDATE checkpoints SET position = 1000")


def give_another_log(path: Path) -> None:
    edit(path, "UPDATE checkpoints SET log_hash = x'00'")


def add_later_migration(path: Path) -> None:
    edit(path, "INSERT INTO migrations VALUES (9999, '9999_later', '')")


def give_an_older_schema(path: Path) -> None:
    edit(path, "UPDATE checkpoints SET schema_version = 0 WHERE view = 'jobs'")


CASES = [
    (delete, None),
    (damage, "not a database"),
    (put_ahead, "up to position 1000, but the log ends at 3"),
    (give_another_log, "built from another log"),
    (add_later_migration, "9999_later"),
    (give_an_older_schema, r"built by another release \(jobs\)"),
]


@pytest.mark.parametrize(("change", "notice"), CASES, ids=[change.__name__ for change, _ in CASES])
async def test_what_happened_while_down_is_mended_at_start(
    change: Callable[[Path], None], notice: str | None, store: SqliteEventStore, tmp_path: Path
) -> None:
    """Whatever was done to views.db, the next start serves the rows that the log tells."""
    path = tmp_path / "views.db"
    await store.append("metric-m", [point(value=value) for value in (1, 2, 3)], metadata=ACTOR)
    async with running(store, path) as runner:
        await runner.wait_until(3, timeout=5)
    before = rows(path)
    change(path)
    async with running(store, path) as runner:
        await runner.wait_until(3, timeout=5)
        await store.append("metric-m", [point()], metadata=ACTOR)
        await runner.wait_until(4, timeout=5)
        assert notice is None or (runner.views.notice is not None and re.search(notice, runner.views.notice))
    assert rows(path)["metric_buckets"][0][3] == before["metric_buckets"][0][3] + 1


async def test_a_view_of_another_schema_version_is_built_anew(store: SqliteEventStore, tmp_path: Path) -> None:
    """Raising a projection's schema version is all it takes to have its view rebuilt."""
    await store.append("metric-m", [point()], metadata=ACTOR)
    async with running(store, tmp_path / "views.db") as runner:
        await runner.wait_until(1, timeout=5)
    edit(tmp_path / "views.db", "DELETE FROM metric_buckets")
    async with running(store, tmp_path / "views.db", next_release) as runner:
        await runner.wait_until(1, timeout=5)
    assert len(rows(tmp_path / "views.db")["metric_buckets"]) == 4


async def test_views_deleted_while_in_use_come_back(store: SqliteEventStore, tmp_path: Path) -> None:
    """The running service notices within a second or so, and builds them anew at the old place."""
    path = tmp_path / "views.db"
    async with running(store, path) as runner:
        await store.append("metric-m", [point()], metadata=ACTOR)
        await runner.wait_until(1, timeout=5)
        delete(path)
        while not path.exists():
            # Each append is a reason to look at the file; the look itself comes once a second.
            appended = await store.append("metric-m", [point()], metadata=ACTOR)
            await runner.wait_until(appended.position, timeout=5)
        await runner.wait_until(appended.position, timeout=5)
        async with runner.views.reader() as db:
            [(count,)] = await db.execute_fetchall("SELECT max(count) FROM metric_buckets")
        assert count == appended.position


@pytest.mark.parametrize("table", ["metric_buckets", "checkpoints"])
async def test_a_table_lost_while_in_use_is_built_anew(table: str, store: SqliteEventStore, tmp_path: Path) -> None:
    """A file that was overwritten may look like one without tables: that is damage, and no fault of an event."""
    path = tmp_path / "views.db"
    await store.append("metric-m", [point()], metadata=ACTOR)
    async with running(store, path) as runner:
        await runner.wait_until(1, timeout=5)
        edit(path, f"DROP TABLE {table}")
        await store.append("metric-m", [point()], metadata=ACTOR)
        await runner.wait_until(2, timeout=5)
        assert (runner.failure, runner.views.notice) == (None, f"no such table: {table}")
    assert rows(path)["metric_buckets"][0][3] == 2


async def test_a_read_that_misses_a_table_reports_damage(store: SqliteEventStore, tmp_path: Path) -> None:
    """The reader is told that the views are built anew, and they are."""
    path = tmp_path / "views.db"
    await store.append("metric-m", [point()], metadata=ACTOR)
    async with running(store, path) as runner:
        await runner.wait_until(1, timeout=5)
        edit(path, "DROP TABLE retrain_jobs")
        with pytest.raises(ViewsUnavailable, match="built anew"):
            async with runner.views.reader() as db:
                await list_jobs(db)
        while runner.views.damage is not None:
            await store.append("metric-m", [point()], metadata=ACTOR)
            await runner.wait_until(await store.head(), timeout=5)
        async with runner.views.reader() as db:
            assert await list_jobs(db) == []


async def test_views_that_are_built_anew_are_not_read_before_they_are_whole(
    store: SqliteEventStore, tmp_path: Path
) -> None:
    """Whether they were gone at the start or are dropped later, reads wait until all that was known is there again."""
    await store.append("metric-m", [point()], metadata=ACTOR)
    stumbling = Stumbling(locked())
    await store.append("metric-bad", [point("bad")], metadata=ACTOR)
    async with running(store, tmp_path / "views.db", lambda: [*all_views(), stumbling]) as runner:
        with pytest.raises(ProjectionLag, match="not yet at 2"):
            await runner.wait_until_readable(timeout=0.2)
        stumbling.stumbles = False
        await runner.wait_until_readable(timeout=5)
        assert runner.views.position == 2
        stumbling.stumbles = True
        delete(tmp_path / "views.db")
        while runner.is_readable:  # noqa: ASYNC110  # until the once-a-second look at the file
            await asyncio.sleep(0.01)
        stumbling.stumbles = False
        await runner.wait_until_readable(timeout=5)
        assert runner.views.position == 2


async def test_views_that_stand_still_are_read_as_they_are(store: SqliteEventStore, tmp_path: Path) -> None:
    """What cannot move on, for an event or for the disk, is old, but it is the truth of its position."""
    await store.append("metric-m", [point()], metadata=ACTOR)
    async with running(store, tmp_path / "views.db") as runner:
        await runner.wait_until(1, timeout=5)
    await store.append("metric-bad", [point("bad")], metadata=ACTOR)
    async with running(store, tmp_path / "views.db", lambda: [*all_views(), Stumbling(ValueError("no"))]) as runner:
        with pytest.raises(ProjectionLag):
            await runner.wait_until(2, timeout=5)
        await runner.wait_until_readable(timeout=5)


def locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error
