"""run.py replay: the registry, the jobs and the metrics as they were. Floor 3."""

import argparse
import asyncio

import msgspec
from tqdm import tqdm

from events.sqlite import SqliteEventStore
from events.store import EventStore
from projections.jobs import list_jobs
from projections.metrics import WindowStats, all_windows
from projections.rebuild import views_as_of
from projections.registry import list_models
from recsys.commands.all_views import all_views
from recsys.commands.outcome import DONE, show
from recsys.commands.surroundings import writable_log
from recsys.config import Settings
from recsys.http.models import ModelVersionAnswer, ordered, version_answer
from recsys.http.retraining import JobAnswer, job_answer
from recsys.times import from_iso, iso

WINDOW_SECONDS = 3600  # of the metrics: the hour before


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """What was known when the log ended at `position`. metrics: of the hour before. recorded_at: of the last event."""

    position: int
    recorded_at: str
    models: list[ModelVersionAnswer]
    jobs: list[JobAnswer]
    metrics: dict[str, WindowStats]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what was known at the position or time."""
    as_of = asyncio.run(replay(settings, arguments.to))
    show(as_of, in_words(as_of), as_json=arguments.json)
    return DONE


async def replay(settings: Settings, to: str) -> AsOf:
    """Build the views up to there in a temporary file and read them."""
    async with await SqliteEventStore.open(writable_log(settings.data_dir)) as store:
        position = min(await position_of(store, to), await store.head())
        at = await recorded_at(store, position)
        with tqdm(total=position, unit=" events", disable=None, leave=False) as bar:
            async with (
                views_as_of(store, position, all_views(), progress=lambda done: bar.update(done - bar.n)) as views,
                views.reader() as db,
            ):
                return AsOf(
                    position=position,
                    recorded_at=iso(at),
                    models=[version_answer(version) for version in ordered(await list_models(db))],
                    jobs=[job_answer(job) for job in await list_jobs(db)],
                    metrics=await all_windows(db, now=at, window_seconds=WINDOW_SECONDS),
                )


async def position_of(store: EventStore, to: str) -> int:
    """Return the position that `to` names: itself, or the last one at that time. Raises InvalidInput."""
    return int(to) if to.isdecimal() else await store.position_at(from_iso(to, field="--to"))


async def recorded_at(store: EventStore, position: int) -> int:
    """Return when the event at `position` was recorded; 0 before the first."""
    events = await store.read_all(position - 1, 1) if position else []
    return events[0].recorded_at if events else 0


def in_words(as_of: AsOf) -> str:
    models = [f"  {model.model_key}: {model.status}" for model in as_of.models]
    jobs = [f"  {job.job_id}: {job.status}" for job in as_of.jobs]
    metrics = [
        f"  {name}: {stats.count} points, mean {stats.mean:.6g}, p95 {stats.p95:.6g}, p99 {stats.p99:.6g}"
        for name, stats in as_of.metrics.items()
    ]
    return "\n".join(
        [
            f"as of position {as_of.position}, {as_of.recorded_at}",
            "models:",
            *(models or ["  none"]),
            "retraining jobs:",
            *(jobs or ["  none"]),
            "metrics of the hour before:",
            *(metrics or ["  none"]),
        ]
    )
