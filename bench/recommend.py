"""How long does a recommendation take, and where? At the recipes of the first start, in this process, without HTTP.

    python bench/recommend.py [RECIPES ...]     # default: recsys/data/recipes_es.jsonl and the fetched Wikibooks wheel

A new request is one whose text was never asked: the judged ones of every kind, keywords to misspelt sentences; those
that are left serve for the rate. A repeated one was, of a catalogue and ratings unchanged since. `embedded_share` of
the new ones needed their meaning: no recipe held all that they ask for.
It cannot tell the cost of HTTP and of the durable event of each answer: bench/http.py does.
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import resident_mb, save, spread
from events.event import Metadata
from events.sqlite import SqliteEventStore
from projections.runner import Runner
from projections.views import Views
from recsys.evaluation.engine import search_views
from recsys.evaluation.judged import read_judged
from recsys.recommender.importing import import_source
from recsys.recommender.service import Recommender

SPANISH = Path(__file__).parents[1] / "recsys" / "data" / "recipes_es.jsonl"
WHEELS = Path(sys.prefix) / "share" / "recipes"
JUDGED = Path(__file__).parents[1] / "recsys" / "data" / "judged" / "default"
REQUESTS = 300
AT_ONCE = 16


async def main(sources: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results: dict[str, object] = {}
        async with kitchen(Path(folder)) as (store, runner, recommender):
            start = perf_counter()
            for number, path in enumerate(sources):
                await import_source(store, path, source=f"bench-{number}", metadata=Metadata(actor="bench"))
            results["import_seconds"] = round(perf_counter() - start, 2)
            await runner.wait_until(await store.head(), timeout=60)
            results["first_load_seconds"] = await timed_load(recommender)
            assert recommender.moment is not None
            results["recipes"] = len(recommender.moment.catalogue.recipes)
            results |= await latencies(recommender)
            results["resident_mb"] = resident_mb()
        async with kitchen(Path(folder)) as (_, _, recommender):
            results["warm_load_seconds"] = await timed_load(recommender)
    save("recommend", results)


@asynccontextmanager
async def kitchen(folder: Path) -> AsyncIterator[tuple[SqliteEventStore, Runner, Recommender]]:
    async with await SqliteEventStore.open(folder / "log.db") as store:
        views = await Views.open(folder / "views.db", search_views())
        runner, recommender = Runner(store, views), Recommender(views, folder / "cache")
        projecting = asyncio.create_task(runner.run())
        try:
            yield store, runner, recommender
        finally:
            recommender.close()
            projecting.cancel()
            await asyncio.gather(projecting, return_exceptions=True)
            await views.close()


async def timed_load(recommender: Recommender) -> float:
    start = perf_counter()
    await recommender.load()
    return round(perf_counter() - start, 3)


async def latencies(recommender: Recommender) -> dict[str, object]:
    """Return the times of new and of repeated requests, one at a time, and the rate of several at once."""
    queries = [request.query for request in read_judged(JUDGED).requests]
    random.Random(7).shuffle(queries)
    new, again = queries[:REQUESTS], queries[REQUESTS:]
    stages: dict[str, list[float]] = {"understand": [], "embedding": [], "retrieve": [], "rank": [], "total": []}
    for query in new:
        for stage, milliseconds in (await recommender.recommend(query, 3)).latency_ms.items():
            stages[stage].append(milliseconds)
    repeated = [(await recommender.recommend(query, 3)).latency_ms["total"] for query in new]
    at_once = await rate(recommender, again)
    new_ms: dict[str, object] = {f"new_{stage}_ms": spread(samples) for stage, samples in stages.items()}
    new_ms["embedded_share"] = round(len(stages["embedding"]) / len(new), 3)
    return {**new_ms, "repeated_total_ms": spread(repeated, digits=4), f"new_a_second_{AT_ONCE}_at_once": at_once}


async def rate(recommender: Recommender, queries: list[str]) -> float:
    """Return how many new requests a second are answered when sixteen wait at any time."""
    waiting = iter(queries)

    async def ask() -> None:
        for query in waiting:
            await recommender.recommend(query, 3)

    start = perf_counter()
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return round(len(queries) / (perf_counter() - start), 1)


if __name__ == "__main__":
    asyncio.run(main([Path(name) for name in sys.argv[1:]] or [SPANISH, *WHEELS.glob("*.whl")]))
