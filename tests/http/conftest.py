"""The whole service on a free port of loopback: real store, views and runner; the recommender alone is a fake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from events.sqlite import SqliteEventStore
from projections.runner import Runner
from projections.views import Views
from recsys.commands.all_views import all_views
from recsys.config import Settings
from recsys.http.app import build_app, serve
from recsys.registry import Registry
from recsys.services import Services
from recsys.turn import Turn
from tests.http.harness import Api, Clock, FakeRecommender


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, log_dir=tmp_path / "logs")


@pytest.fixture
async def services(tmp_path: Path, clock: Clock, settings: Settings) -> AsyncIterator[Services]:
    store = await SqliteEventStore.open(tmp_path / "log.db", clock=clock)
    views = await Views.open(tmp_path / "views.db", all_views())
    runner, turn = Runner(store, views), Turn(tmp_path / "registry.turn")
    projecting = asyncio.create_task(runner.run(), name="projections")
    yield Services(
        store=store,
        views=views,
        runner=runner,
        registry=Registry(store, turn),
        recommender=FakeRecommender(),
        settings=settings,
        clock=clock,
    )
    projecting.cancel()
    with suppress(asyncio.CancelledError):
        await projecting
    turn.close()
    await views.close()
    await store.close()


@pytest.fixture
async def api(services: Services) -> AsyncIterator[Api]:
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(build_app(services), "127.0.0.1", 0, stop=stop, on_listening=listening.set_result), name="site"
    )
    async with aiohttp.ClientSession() as session:
        yield Api(await listening, session, services, stop)
    stop.set()
    await serving
