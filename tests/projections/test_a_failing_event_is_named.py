"""What the views cannot apply stops them right before it, says which event it is, and nothing else."""

import sqlite3
from pathlib import Path

import pytest

from events.sqlite import SqliteEventStore
from projections.errors import ProjectionLag
from projections.jobs import list_jobs
from projections.metrics import latest
from projections.projection import Projection
from recsys.commands.all_views import all_views
from tests.projections.harness import ACTOR, Stumbling, point, running


async def test_the_event_and_the_view_are_named(store: SqliteEventStore, tmp_path: Path) -> None:
    """The failure names position, type, view and reason; the events before it are applied, reading goes on."""
    stumbling = Stumbling(KeyError("total"))
    await store.append("metric-m", [point(), point(value=2), point("bad"), point(value=3)], metadata=ACTOR)
    async with running(store, tmp_path / "views.db", lambda: [*all_views(), stumbling]) as runner:
        with pytest.raises(ProjectionLag, match="cannot apply event 3"):
            await runner.wait_until(4, timeout=5)
        assert runner.failure is not None
        assert runner.failure.startswith("the view stumbling cannot apply event 3 of type MetricRecorded: KeyError")
        async with runner.views.reader() as db:
            assert [last.value for last in await latest(db, "m")] == [2.0]
            assert await list_jobs(db) == []
        assert (await runner.views.checkpoint(), runner.is_projecting) == (2, False)


async def test_a_views_own_mistake_is_no_damage(store: SqliteEventStore, tmp_path: Path) -> None:
    """A view that asks for a table that no view owns has failed: to build the file anew would not help."""
    error = sqlite3.OperationalError("no such table: nowhere")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    await store.append("metric-bad", [point("bad")], metadata=ACTOR)
    async with running(store, tmp_path / "views.db", lambda: [*all_views(), Stumbling(error)]) as runner:
        with pytest.raises(ProjectionLag, match=r"cannot apply event 1 of type MetricRecorded: .* nowhere"):
            await runner.wait_until(1, timeout=5)
        assert runner.views.notice is None


async def test_a_release_that_can_apply_it_goes_on(store: SqliteEventStore, tmp_path: Path) -> None:
    """A process that can apply the event takes over while the stopped one still serves, which then is well again."""
    await store.append("metric-bad", [point("bad"), point("bad")], metadata=ACTOR)
    broken, mended = Stumbling(ValueError("no")), Stumbling(ValueError("no"))
    mended.stumbles = False

    def with_view(view: Stumbling) -> list[Projection]:
        return [*all_views(), view]

    async with running(store, tmp_path / "views.db", lambda: with_view(broken)) as stopped:
        with pytest.raises(ProjectionLag):
            await stopped.wait_until(2, timeout=5)
        async with running(store, tmp_path / "views.db", lambda: with_view(mended)) as newer:
            await newer.wait_until(2, timeout=5)
            assert await stopped.views.checkpoint() == 2
            await stopped.wait_until(2, timeout=5)
        await store.append("metric-m", [point()], metadata=ACTOR)
        await stopped.wait_until(3, timeout=5)  # the newer one ended, and nothing is in the way any more
        assert stopped.failure is None


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR])
async def test_trouble_with_the_file_is_waited_out(code: int, store: SqliteEventStore, tmp_path: Path) -> None:
    """A full disk or a locked file is said and tried again, and forgotten when it is over."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    stumbling = Stumbling(error)
    await store.append("metric-bad", [point("bad")], metadata=ACTOR)
    async with running(store, tmp_path / "views.db", lambda: [*all_views(), stumbling]) as runner:
        with pytest.raises(ProjectionLag, match="disk is full"):
            await runner.wait_until(1, timeout=0.2)
        stumbling.stumbles = False
        await runner.wait_until(1, timeout=10)
        assert runner.failure is None
