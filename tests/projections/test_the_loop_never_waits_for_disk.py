"""Opening, projecting, reading and rebuilding keep off the event loop whatever may wait for the disk."""

from pathlib import Path

from blockbuster import blockbuster_ctx

from events.sqlite import SqliteEventStore
from projections.jobs import list_jobs
from projections.rebuild import rebuild
from projections.views import Views
from recsys.commands.all_views import all_views
from tests.projections.harness import ACTOR, point, running


async def test_all_of_it_runs_in_threads(store: SqliteEventStore, tmp_path: Path) -> None:
    """No call that blocks is made on the loop, from the first start to the swap of a rebuild."""
    with blockbuster_ctx():
        async with running(store, tmp_path / "new" / "views.db") as runner:
            appended = await store.append("metric-m", [point()] * 10, metadata=ACTOR)
            await runner.wait_until(appended.position, timeout=5)
            async with runner.views.reader() as db:
                assert await list_jobs(db) == []
            other = await Views.open(runner.views.path, all_views())
            assert (await rebuild(store, other)).is_adopted
            await other.close()
