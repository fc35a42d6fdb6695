"""run.py serve: the composition root. Floor 3, at its top: nothing of recsys imports it."""

import argparse
import asyncio
import gc
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
from recsys.integrations.configured import open_integrations
from recsys.monitoring.alerts import run_alerts
from recsys.recommender.index.chosen import chosen_index
from recsys.recommender.service import Recommender
from recsys.registry import Registry
from recsys.services import Services
from recsys.turn import Turn

SWITCH_SECONDS: Final = 0.0005  # the interpreter's own 5 ms would let a search hold up the loop for that long
COLLECT_AFTER: Final = 20_000  # new objects; the interpreter's own 700 are made by a single request
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
        open_integrations(settings, store) as integrations,
        asyncio.TaskGroup() as tasks,
    ):
        runner, turn = Runner(store, views), Turn(settings.data_dir / "registry.turn")
        recommender = Recommender(
            views,
            settings.data_dir / "cache",
            make_embedder=integrations.make_embedder,
            vectors_fingerprint=integrations.vectors_fingerprint,
            make_index=partial(chosen_index, settings),
        )
        with closing(recommender), closing(integrations), closing(turn):
            services = Services(
                store=store,
                views=views,
                runner=runner,
                registry=Registry(store, turn),
                recommender=recommender,
                settings=settings,
                translations=integrations.translations,
            )
            projecting = tasks.create_task(runner.run(), name="projections")
            await register_first_model(services.registry, store)
            await import_shipped_recipes(store, settings)
            await catch_up(runner, store)
            await recommender.load()
            following = tasks.create_task(recommender.run(), name="recommender")
            translating = tasks.create_task(integrations.run(), name="translations")
            alerting = tasks.create_task(run_alerts(services), name="alerts")
            greet = partial(announce, notices=await notices(store, views), as_json=as_json)
            stop = stopped_by_signals()
            spare_what_stays()
            await serve(build_app(services), settings.host, settings.port, stop=stop, on_listening=greet)
            await catch_up(runner, store)
            projecting.cancel()
            following.cancel()
            translating.cancel()
            alerting.cancel()


def spare_what_stays() -> None:
    """Have the collector of cycles pass over all that was made so far, and come by less often.

    A walk through the recipes, the lexicon and their index holds up every request under way for 0.2 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


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
