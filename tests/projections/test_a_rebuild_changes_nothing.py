"""A rebuild makes the live rows again from the log alone, and no reader notices the swap."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from events.catalog import RetrainJobCreated
from events.sqlite import SqliteEventStore
from projections.jobs import list_jobs
from projections.rebuild import next_path, rebuild, views_as_of
from projections.views import Views
from recsys.commands.all_views import all_views
from tests.projections.harness import ACTOR, point, rows, running


async def append_points(store: SqliteEventStore, count: int) -> int:
    return (await store.append("metric-m", [point(value=i) for i in range(count)], metadata=ACTOR)).position


async def test_replay_equals_live(store: SqliteEventStore, tmp_path: Path) -> None:
    """Views that followed append by append are, row for row, those of a replay."""
    async with running(store, tmp_path / "views.db") as runner:
        for count in (1, 700, 3):
            await runner.wait_until(await append_points(store, count), timeout=5)
        other = await Views.open(tmp_path / "views.db", all_views())
        rebuilt = await rebuild(store, other)
        await other.close()
    assert rebuilt.position == 704
    assert rebuilt.is_adopted
    assert {table.table: (table.differing_rows, table.rows) for table in rebuilt.tables}["metric_buckets"] == (0, 4)


async def test_damage_is_counted_and_mended(store: SqliteEventStore, tmp_path: Path) -> None:
    """Rows that someone changed in the live views are counted, and right again after the swap."""
    path = tmp_path / "views.db"
    async with running(store, path) as runner:
        await runner.wait_until(await append_points(store, 3), timeout=5)
    right = rows(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE metric_buckets SET count = 99 WHERE resolution = 10000000")
    views = await Views.open(path, all_views())
    rebuilt = await rebuild(store, views)
    await views.close()
    assert [table.table for table in rebuilt.tables if table.differing_rows == 2] == ["metric_buckets"]
    assert rows(path) == right


async def test_a_damaged_file_is_mended(store: SqliteEventStore, tmp_path: Path) -> None:
    """Tables that cannot be read any more count as differing, and are whole after the swap."""
    path = tmp_path / "views.db"
    async with running(store, path) as runner:
        await runner.wait_until(await append_points(store, 3), timeout=5)
    right = rows(path)
    with closing(sqlite3.connect(path)) as connection:
        [(page_size,)] = connection.execute("PRAGMA page_size")
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'metric_buckets'")
    with path.open("r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(b"\xff" * page_size)
    views = await Views.open(path, all_views())
    rebuilt = await rebuild(store, views)
    await views.close()
    assert [table.table for table in rebuilt.tables if table.differing_rows] == ["metric_buckets"]
    assert rows(path) == right


async def test_readers_and_appends_go_on_meanwhile(store: SqliteEventStore, tmp_path: Path) -> None:
    """While another process rebuilds and the live one swaps, each read finds every row that was there before it."""
    async with running(store, tmp_path / "views.db") as runner:
        await runner.wait_until(await append_points(store, 2000), timeout=5)
        other = await Views.open(tmp_path / "views.db", all_views())
        rebuilding = asyncio.create_task(rebuild(store, other))
        while not rebuilding.done():
            position = await append_points(store, 1)
            await runner.wait_until(position, timeout=5)
            async with runner.views.reader() as db:
                [(count,)] = await db.execute_fetchall("SELECT max(count) FROM metric_buckets")
            assert count == position
        assert (await rebuilding).is_adopted
        assert all(table.differing_rows == 0 for table in (await rebuilding).tables)
        await other.close()
        assert not next_path(other).exists()


async def test_the_past_can_be_looked_at(store: SqliteEventStore, tmp_path: Path) -> None:
    """Views as of a position hold what the log told up to there, and leave no file behind."""
    for job in ("r_1", "r_2", "r_3"):
        await store.append(f"retrain_job-{job}", [RetrainJobCreated(job_id=job, model_id="r")], metadata=ACTOR)
    async with views_as_of(store, 2, all_views()) as past, past.reader() as db:
        assert [job.job_id for job in await list_jobs(db)] == ["r_1", "r_2"]
        assert past.position == 2
    assert not past.path.exists()
