"""The search engine in this process, over a catalogue of its own or one that is there. Floor 3."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tqdm import tqdm

from events.sqlite import SqliteEventStore
from events.store import EventStore
from projections.catalogue import CatalogueProjection
from projections.feedback import FeedbackProjection
from projections.projection import Projection
from projections.registry import RegistryProjection
from projections.runner import Runner
from projections.views import Views
from recsys.evaluation.configuration import Configuration
from recsys.recommender.service import Recommender

PROJECTING_SECONDS = 300.0


def search_views() -> list[Projection]:
    """Return the projections that the search reads."""
    return [CatalogueProjection(), FeedbackProjection(), RegistryProjection()]


@asynccontextmanager
async def open_catalogue(
    folder: Path,
    *,
    fill: Callable[[EventStore], Awaitable[object]] | None = None,
    projections: Sequence[Projection] | None = None,
) -> AsyncIterator[Views]:
    """Open the log of the folder, have it filled, and yield its views once they are up to date.

    projections: all of the views' file, if it is there already; by default those that the search reads.
    """
    async with await SqliteEventStore.open(folder / "log.db") as store:
        if fill:
            await fill(store)
        views = await Views.open(folder / "views.db", projections or search_views())
        runner = Runner(store, views)
        projecting = asyncio.create_task(runner.run(), name="projections")
        try:
            await runner.wait_until(await store.head(), timeout=PROJECTING_SECONDS)
            yield views
        finally:
            projecting.cancel()
            await asyncio.gather(projecting, return_exceptions=True)
            await views.close()


@asynccontextmanager
async def open_engine(views: Views, cache_folder: Path, configuration: Configuration) -> AsyncIterator[Recommender]:
    """Yield a recommender that has all its vectors, as after a while of service."""
    with closing(configuration.recommender(views, cache_folder)) as recommender:
        await recommender.load()
        with tqdm(desc="embedding", unit=" recipes", total=recommender.unembedded, disable=None, leave=False) as bar:
            while await recommender.embed_some():
                bar.update(bar.total - recommender.unembedded - bar.n)
        configuration.simplify(recommender)
        yield recommender
