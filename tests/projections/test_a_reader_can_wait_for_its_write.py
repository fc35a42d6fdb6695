"""The effects of an append are visible to whoever waits for its position."""

from pathlib import Path

import pytest

from events.catalog import RetrainJobCreated
from events.sqlite import SqliteEventStore
from projections.errors import ProjectionLag
from projections.jobs import get_job
from projections.views import Views
from tests.projections.harness import ACTOR, point, running


async def test_a_write_is_read_after_waiting(store: SqliteEventStore, tmp_path: Path) -> None:
    """Waiting for the position of an append returns when its rows are there."""
    async with running(store, tmp_path / "views.db") as runner:
        created = RetrainJobCreated(job_id="r_1", model_id="r")
        appended = await store.append("retrain_job-r_1", [created], metadata=ACTOR)
        await runner.wait_until(appended.position, timeout=5)
        async with runner.views.reader() as db:
            assert await get_job(db, "r_1") is not None
        assert runner.lag == 0


async def test_waiting_is_bounded(store: SqliteEventStore, tmp_path: Path) -> None:
    """A position that does not come is reported, with where the views stand."""
    async with running(store, tmp_path / "views.db") as runner:
        with pytest.raises(ProjectionLag, match="stand at position 0, not yet at 7"):
            await runner.wait_until(7, timeout=0.01)


async def test_a_view_changes_only_with_its_own_events(store: SqliteEventStore, tmp_path: Path) -> None:
    """changed_at moves with the view's rows, not with the log."""
    async with running(store, tmp_path / "views.db") as runner:
        await store.append("retrain_job-r_1", [RetrainJobCreated(job_id="r_1", model_id="r")], metadata=ACTOR)
        await runner.wait_until(1, timeout=5)
        await store.append("metric-m", [point()], metadata=ACTOR)
        await runner.wait_until(2, timeout=5)
        changed = [runner.views.changed_at(view) for view in ("registry", "jobs", "metrics")]
        assert (changed, await runner.views.checkpoint()) == ([0, 1, 2], 2)


async def test_another_process_waits_likewise(store: SqliteEventStore, tmp_path: Path) -> None:
    """A process that does not project sees the same positions, a poll later."""
    async with running(store, tmp_path / "views.db"), running(store, tmp_path / "views.db") as follower:
        await store.append("metric-m", [point()], metadata=ACTOR)
        await follower.wait_until(1, timeout=5)
        assert not follower.is_projecting
        assert follower.views.changed_at("metrics") == 1


async def test_a_reader_cannot_write(store: SqliteEventStore, tmp_path: Path) -> None:
    """The lent connections are read-only."""
    async with running(store, tmp_path / "views.db") as runner, runner.views.reader() as db:
        with pytest.raises(Exception, match="readonly"):
            await db.execute("DELETE FROM checkpoints")


async def test_one_of_two_projects(store: SqliteEventStore, tmp_path: Path) -> None:
    """The lock lets one process write the views; the next one takes over when it ends."""
    async with running(store, tmp_path / "views.db") as first:
        await store.append("metric-m", [point()], metadata=ACTOR)
        await first.wait_until(1, timeout=5)
        second = await Views.open(tmp_path / "views.db", first.views.projections)
        assert second.writer is None
        assert not await second.try_lead()
    assert await second.try_lead()
    assert second.position == 1
    await second.close()


async def test_a_follower_takes_over(store: SqliteEventStore, tmp_path: Path) -> None:
    """When the process that projects ends, a follower goes on where it stopped."""
    async with running(store, tmp_path / "views.db"):
        following = running(store, tmp_path / "views.db")
        follower = await following.__aenter__()
    await store.append("metric-m", [point()], metadata=ACTOR)
    await follower.wait_until(1, timeout=5)
    assert follower.is_projecting
    await following.__aexit__(None, None, None)
