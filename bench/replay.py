"""How fast is a log replayed into all views, and what share is that of merely fetching its rows?

python -m bench.replay [--events 1000000] [--events-per-second 100]

The log is written once to a folder under the system's temporary one, and kept for the next run. What it holds per
thousand events: 300 recommendations, 400 metric points in runs of a hundred, 250 single ones, 40 ratings, 10
registrations and their changes of status, a few jobs. How far apart the events lie (--events-per-second) counts, too:
the sparser they are, the more time buckets there are to write; both ends are measured.
"""

import argparse
import asyncio
import itertools
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from bench.common import resident_mb, save
from events.catalog import (
    Event,
    MetricRecorded,
    ModelRegistered,
    ModelStatus,
    ModelStatusChanged,
    RecipeRated,
    RecommendationServed,
    RetrainJobCompleted,
    RetrainJobCreated,
    RetrainJobStarted,
)
from events.chain import verify
from events.event import Metadata, StreamAppend
from events.sqlite import SqliteEventStore
from projections.runner import Runner
from projections.views import Views
from recsys.commands.all_views import all_views

START = 1_790_000_000_000_000  # microseconds
RUNS = 3
LIFE: tuple[ModelStatus, ...] = ("training", "validation", "production", "archived")
METADATA = Metadata(actor="bench")


def appends(events: int, gap: int) -> Iterator[list[StreamAppend]]:
    """Yield the log, a thousand events at a time. gap: microseconds between events."""
    seeded = random.Random(1)
    for first in range(0, events, 1000):
        thousand: list[StreamAppend] = []
        at = START + first * gap
        thousand += [recommendation(seeded, first + i) for i in range(300)]
        for i in range(4):
            points: list[Event] = [point(seeded, i, at + (i * 100 + j) * gap) for j in range(100)]
            thousand.append(StreamAppend(f"metric-m{i}", points))
        thousand += [StreamAppend(f"metric-m{i % 8}", [point(seeded, i % 8, at + (400 + i) * gap)]) for i in range(250)]
        thousand += [
            StreamAppend(f"feedback-{recipe}", [RecipeRated(recipe_id=f"{recipe}", rating=4, user=f"u{i}")])
            for i in range(40)
            for recipe in [seeded.randrange(3000)]
        ]
        thousand += lifecycle(first)
        seeded.shuffle(thousand)
        yield thousand


def recommendation(seeded: random.Random, number: int) -> StreamAppend:
    total = seeded.lognormvariate(3, 0.5)
    served = RecommendationServed(
        request_id=f"{number:032x}",
        query="recetas con pollo",
        model_id="hybrid_ranker",
        model_version="1.0.0",
        recipe_ids=["wikibooks-paella", "es-arroz-con-pollo", "es-pollo-al-horno"],
        scores=[seeded.random() for _ in range(3)],
        latency_ms={"embedding": total * 0.7, "retrieve": total * 0.2, "rank": total * 0.05, "total": total},
        language="es",
    )
    return StreamAppend(f"recommendation-{number:032x}", [served])


def point(seeded: random.Random, metric: int, at: int) -> MetricRecorded:
    return MetricRecorded(metric=f"m{metric}", value=seeded.lognormvariate(4, 1), at=at)


def lifecycle(first: int) -> list[StreamAppend]:
    """Return ten events: two versions that are registered, tried, and one of them replaced, and a job."""
    model, job = f"model_{first % 50_000}", f"job_{first}"
    versions = [f"{first}.{minor}.0" for minor in range(2)]
    registered: list[Event] = [
        ModelRegistered(
            model_id=model, model_type="hybrid", model_version=version, status="training", metrics={"accuracy": 0.9}
        )
        for version in versions
    ]
    moved: list[Event] = [
        ModelStatusChanged(model_id=model, model_version=versions[0], old_status=old, new_status=new)
        for old, new in itertools.pairwise(LIFE)
    ]
    worked: list[Event] = [
        RetrainJobCreated(job_id=job, model_id=model),
        RetrainJobStarted(job_id=job, worker="w"),
        RetrainJobCompleted(job_id=job, new_version=versions[1]),
    ]
    rest: list[Event] = [RetrainJobCreated(job_id=f"{job}{i}", model_id=model) for i in range(2)]
    return [StreamAppend(f"model-{model}", registered + moved), StreamAppend(f"retrain_job-{job}", worked + rest)]


def ensure_log(folder: Path, events: int, gap: int) -> None:
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        asyncio.run(write_log(unfinished / "log.db", events, gap))
        unfinished.rename(folder)


async def write_log(path: Path, events: int, gap: int) -> None:
    now = START
    async with await SqliteEventStore.open(path, clock=lambda: now) as store:
        for thousand in appends(events, gap):
            # A few to one append, so that recorded times advance inside the thousand as well.
            for i in range(0, len(thousand), 20):
                await store.append_all(thousand[i : i + 20], metadata=METADATA)
                now += gap * sum(len(append.events) for append in thousand[i : i + 20])


def fetch(path: Path) -> float:
    """Return the seconds it takes to fetch the stored columns of all rows."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    begin = time.perf_counter()
    for _ in connection.execute(
        "SELECT position, count, stream, stream_version, type, schema_version, recorded_at, event_id, metadata, data, "
        "hash FROM runs ORDER BY position"
    ):
        pass
    seconds = time.perf_counter() - begin
    connection.close()
    return seconds


async def replay(folder: Path, events: int) -> dict[str, float]:
    """Run the projections from nothing to the head, as a start without views.db does."""
    with tempfile.TemporaryDirectory() as scratch:
        async with await SqliteEventStore.open(folder / "log.db") as store:
            views = await Views.open(Path(scratch) / "views.db", all_views())
            runner = Runner(store, views)
            begin = time.perf_counter()
            running = asyncio.create_task(runner.run(), name="projections")
            await runner.wait_until(events // 4, timeout=600)
            quarter_mb = resident_mb()
            await runner.wait_until(events, timeout=600)
            seconds = time.perf_counter() - begin
            found = {"seconds": seconds, "quarter_mb": quarter_mb, "end_mb": resident_mb()}
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await views.close()
        found["views_mb"] = round((Path(scratch) / "views.db").stat().st_size / 1e6, 1)
    return found


def measure(events: int, per_second: float) -> dict[str, Any]:
    folder = Path(tempfile.gettempdir()) / f"bench-replay-{events}-{per_second:g}"
    ensure_log(folder, events, int(1e6 / per_second))
    path = folder / "log.db"
    fetch(path)  # warm-up: the file comes into the page cache
    fetches, replays, verifies = [], [], []
    for _ in range(RUNS):
        fetches.append(fetch(path))
        replays.append(asyncio.run(replay(folder, events)))
        begin = time.perf_counter()
        verify(path)
        verifies.append(time.perf_counter() - begin)
    fetched, verified = sorted(fetches)[RUNS // 2], sorted(verifies)[RUNS // 2]
    replayed = sorted(replays, key=lambda found: found["seconds"])[RUNS // 2]
    return {
        "events": events,
        "events_per_second_of_the_log": per_second,
        "log_mb": round(path.stat().st_size / 1e6, 1),
        "views_mb": replayed["views_mb"],
        "replay_events_per_second": round(events / replayed["seconds"]),
        "fetch_events_per_second": round(events / fetched),
        "replay_share_of_fetch": round(fetched / replayed["seconds"], 3),
        "verify_events_per_second": round(events / verified),
        "verify_share_of_fetch": round(fetched / verified, 3),
        "resident_mb_at_a_quarter": replayed["quarter_mb"],
        "resident_mb_at_the_end": replayed["end_mb"],
        "seconds_of_each_run": [round(found["seconds"], 2) for found in replays],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--events-per-second", type=float, nargs="*", default=[100.0, 1.0])
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for per_second in options.events_per_second:
        found = measure(options.events, per_second)
        results |= {f"at {per_second:g}/s: {name}": value for name, value in found.items()}
    save("replay", results)


if __name__ == "__main__":
    main()
