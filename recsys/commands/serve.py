"""run.py serve: the composition root. Floor 3, at its top: nothing of recsys imports it."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

import uvloop

from events.sqlite import SqliteEventStore
from events.store import EventStore
from projections.errors import ProjectionLag
from projections.runner import Runner
from projections.views import Views
from recsys import logging
from recsys.commands.all_views import all_views
from recsys.commands.first_start import import_shipped_recipes, register_first_model
from recsys.commands.outcome import DONE
from recsys.commands.surroundings import check_surroundings
from recsys.commands.welcome import announce, notices
from recsys.config import Settings
from recsys.http.app import build_app, serve
from recsys.recommender.service import Recommender
from recsys.registry import Registry
from recsys.services import Services

SWITCH_SECONDS: Final = 0.0005  # the interpreter's own 5 ms would let a search hold up the loop for that long
CATCH_UP_SECONDS: Final = 2.0  # at the start and the end; views that need longer catch up while the service runs


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT."""
    sys.setswitchinterval(SWITCH_SECONDS)
    check_surroundings(settings)
    logs = logging.configure(
        settings.log_dir,
        level=settings.log_level,
        size_mb_max=settings.max_log_size_mb,
        backup_count=settings.backup_count,
    )
    with closing(logs), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(compose(settings, as_json=arguments.json))
    return DONE


async def compose(settings: Settings, *, as_json: bool) -> None:
    """Settings → log → views → recommender → site. A task that dies ends the service, and the group says why."""
    async with (
        await SqliteEventStore.open(settings.data_dir / "log.db") as store,
        open_views(settings.data_dir / "views.db") as views,
        asyncio.TaskGroup() as tasks,
    ):
        runner, registry = Runner(store, views), Registry(store)
        with closing(Recommender(views, settings.data_dir / "cache")) as recommender:
            services = Services(
                store=store, views=views, runner=runner, registry=registry, recommender=recommender, settings=settings
            )
            projecting = tasks.create_task(runner.run(), name="projections")
            await register_first_model(registry, store)
            await import_shipped_recipes(store, settings)
            await catch_up(runner, store)
            await recommender.load()
            following = tasks.create_task(recommender.run(), name="recommender")
            greet = partial(announce, notices=await notices(store, views), as_json=as_json)
            stop = stopped_by_signals()
            await serve(build_app(services), settings.host, settings.port, stop=stop, on_listening=greet)
            await catch_up(runner, store)
            projecting.cancel()
            following.cancel()


@asynccontextmanager
async def open_views(path: Path) -> AsyncIterator[Views]:
    views = await Views.open(path, all_views())
    try:
        yield views
    finally:
        await views.close()


async def catch_up(runner: Runner, store: EventStore) -> None:
    with suppress(ProjectionLag):
        await runner.wait_until(await store.head(), timeout=CATCH_UP_SECONDS)


def stopped_by_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; before it is asked for, they end the process as usual."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
