"""How do time, memory and index building grow with the catalogue: from the default recipes to 300,000?

    python -m bench.scale [--sizes 3373 100000 300000]

Catalogues are grown from the default recipes and, where SHARED_DATA (default ../shared/data) has them, some 18,000
others: a grown recipe has its name from two real ones of a language, its ingredients from both, its steps from one, and
in every tenth an invented word, so that the vocabulary grows too. Embedding so many would take a day: their vectors lie
around the shipped ones at the distances that real neighbours have. Requests are new ones, one at a time, in process,
with the real embedding; every third filters. A restart is that of `run.py serve`, from the creation of its process to
the whole answer of a first `POST /recommend`, with recipes, views and caches as the last run left them.
It cannot tell how good the answers are (bench/search_quality.py does), nor what a catalogue with more distinct
ingredient lines would add to the reading of its recipes.
"""

import argparse
import asyncio
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from bench.common import resident_mb, save, spread
from bench.http import free_port
from bench.recommend import JUDGED, kitchen, timed_load
from bench.start import HELLO, answer, service
from events.catalog import Recipe, RecipeStored
from events.event import Metadata
from recsys.commands.first_start import FETCHED_WHEELS, SPANISH_RECIPES
from recsys.evaluation.judged import read_judged
from recsys.recommender.arrays import BoolArray, FloatArray
from recsys.recommender.embedding import DIMENSIONS, fingerprint, passage_text
from recsys.recommender.importing import content_hash
from recsys.recommender.index import Collection
from recsys.recommender.index.exact import nearest
from recsys.recommender.index.graph import Graph
from recsys.recommender.service import SHIPPED_FOLDER, Recommender
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.vectors import RECORD, Vectors, read_records, text_key

SHARED: Final = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SIZES: Final = (3373, 100_000, 300_000)
ACTOR: Final = Metadata(actor="bench")
APPENDED_AT_ONCE: Final = 500
REQUESTS: Final = 300
WARM_UP: Final = 20
FILTERS: Final = ("sin huevo", "vegano", "without milk", "en 30 minutos", "gluten free", "sin frutos secos")
RESTARTS: Final = 3
QUERIES: Final = 100
FOUND: Final = 100  # neighbours a request needs
SHARE_OF_FILTER: Final = 0.05
NOISE: Final = 0.012  # of each number: neighbours then stand at 0.94, as real ones do, and strangers at 0.83
SEED: Final = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--build", nargs=2, metavar=("SIZE", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--use", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        size, folder = arguments.build
        print(json.dumps(asyncio.run(built(int(size), Path(folder)))))
    elif arguments.use:
        print(json.dumps(asyncio.run(used(Path(arguments.use)))))
    else:
        save("scale", {f"{size} recipes": measured(size) for size in arguments.sizes})


def measured(size: int) -> dict[str, Any]:
    """Return all figures of a catalogue. It is built and used by processes of their own: memory tells of one thing."""
    with tempfile.TemporaryDirectory() as folder:
        results = result_of("--build", str(size), folder) | result_of("--use", folder)
        files = (Path(folder) / "cache").iterdir()
        results["files_mb"] = {path.name.split("-")[0]: round(path.stat().st_size / 1e6, 1) for path in files}
        results["restart_seconds"] = spread(list(restarts(Path(folder))))
    return results


def result_of(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.scale", *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


async def built(size: int, folder: Path) -> dict[str, Any]:
    """Fill a log, its views and the caches; return what building the indexes took."""
    recipes = list(islice(grown(real_recipes()), size))
    write_vectors(folder / "cache", recipes)
    async with kitchen(folder) as (store, runner, recommender):
        for start in range(0, size, APPENDED_AT_ONCE):
            run = recipes[start : start + APPENDED_AT_ONCE]
            await store.append("catalogue-bench", [as_event(recipe) for recipe in run], metadata=ACTOR)
        del recipes
        await runner.wait_until(await store.head(), timeout=600)
        before_mb = resident_mb()
        seconds = await timed_load(recommender)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        moment = recommender.moment
        assert moment is not None
        graph = Graph(folder / "cache" / f"graph-{fingerprint()}.hnsw")
        begin = time.perf_counter()
        while graph.advance(moment.collection):
            pass
        return {
            "recipes": len(moment.catalogue.recipes),
            "words_known": len(moment.catalogue.knowledge.speller.words),
            "first_build_seconds": seconds,
            "first_build_peak_mb": round(peak_mb - before_mb, 1),
            "graph_build_seconds": round(time.perf_counter() - begin, 1),
        }


async def used(folder: Path) -> dict[str, Any]:
    """Return how a recommender fares that finds its indexes built."""
    async with kitchen(folder) as (store, runner, recommender):
        await runner.wait_until(await store.head(), timeout=600)
        before_mb = resident_mb()
        results: dict[str, Any] = {"warm_load_seconds": await timed_load(recommender)}
        results |= await latencies(recommender)
        results["memory_mb"] = round(resident_mb() - before_mb, 1)
        moment = recommender.moment
        assert moment is not None
        results["vectors"] = vector_search(moment.collection, Graph(folder / "cache" / f"graph-{fingerprint()}.hnsw"))
        changed = msgspec.structs.replace(moment.catalogue.recipes[0].decode(), name=f"Sopa de ajo {time.time_ns()}")
        appended = await store.append("catalogue-bench", [as_event(changed)], metadata=ACTOR)
        await runner.wait_until(appended.position, timeout=60)
        begin = time.perf_counter()
        await recommender.refresh()
        return results | {"one_changed_recipe_seconds": round(time.perf_counter() - begin, 2)}


async def latencies(recommender: Recommender) -> dict[str, Any]:
    """Return the times of new requests in milliseconds: in all, and without their embedding."""
    queries = list(dict.fromkeys(request.query for request in read_judged(JUDGED).requests))
    random.Random(SEED).shuffle(queries)
    totals: list[float] = []
    rests: list[float] = []
    for number, query in enumerate(queries[: REQUESTS + WARM_UP]):
        asked = query if number % 3 else f"{query} {FILTERS[number // 3 % len(FILTERS)]}"
        took = (await recommender.recommend(asked, 3)).latency_ms
        if number >= WARM_UP:
            totals.append(took["total"])
            rests.append(took["total"] - took.get("embedding", 0))
    return {"new_request_ms": spread(totals), "without_embedding_ms": spread(rests)}


def restarts(folder: Path) -> Iterator[float]:
    """Yield how long each start took; the first one, which imports the shipped recipes, does not count."""
    port = free_port()
    for number in range(RESTARTS + 1):
        with service(folder, port) as begin:
            answer(port, "/recommend", HELLO)
            if number:
                yield time.perf_counter() - begin


def vector_search(collection: Collection, graph: Graph) -> dict[str, Any]:
    """Return the times of exact search and of the graph, how much of the exact the graph finds, and its memory."""
    vectors = collection.vectors
    queries = grown_vectors(QUERIES, np.random.default_rng(SEED + 1))
    some = np.random.default_rng(SEED).random(len(vectors)) < SHARE_OF_FILTER
    before_mb = resident_mb()
    while graph.advance(collection):
        pass
    graph_mb = resident_mb() - before_mb
    exact = [nearest(vectors, query, k=FOUND, eligible=vectors.known).rows for query in queries]
    by_graph = [collection.rows_of(graph.nearest(query, FOUND)) for query in queries]
    return {
        "exact_ms": timed(queries, lambda query: nearest(vectors, query, k=FOUND, eligible=vectors.known)),
        "exact_filtered_5_percent_ms": timed(queries, lambda query: nearest(vectors, query, k=FOUND, eligible=some)),
        "graph_ms": timed(queries, lambda query: graph.nearest(query, FOUND)),
        "graph_recall_at_10": round(recall(vectors, queries, by_graph, exact, k=10), 4),
        "graph_recall_at_100": round(recall(vectors, queries, by_graph, exact, k=FOUND), 4),
        **filtered_by_graph(collection, graph, queries, some),
        "graph_memory_mb": round(graph_mb, 1),
        "vectors_memory_mb": round(vectors.eighths.nbytes / 1e6, 1),
    }


def filtered_by_graph(collection: Collection, graph: Graph, queries: FloatArray, some: BoolArray) -> dict[str, Any]:
    """Return what it would be to find twenty times as many along the graph and keep the one in twenty allowed."""
    vectors = collection.vectors

    def found(query: FloatArray) -> Any:
        rows = collection.rows_of(graph.nearest(query, round(1.5 * FOUND / SHARE_OF_FILTER)))
        return rows[some[rows]][:FOUND]

    exact = [nearest(vectors, query, k=FOUND, eligible=some).rows for query in queries]
    return {
        "graph_filtered_5_percent_ms": timed(queries, found),
        "graph_filtered_recall_at_10": round(recall(vectors, queries, list(map(found, queries)), exact, k=10), 4),
    }


def timed(queries: FloatArray, search: Callable[[FloatArray], object]) -> dict[str, float]:
    samples: list[float] = []
    for query in queries:
        begin = time.perf_counter()
        search(query)
        samples.append((time.perf_counter() - begin) * 1e3)
    return spread(samples)


def recall(vectors: Vectors, queries: FloatArray, found: Sequence[Any], exact: Sequence[Any], *, k: int) -> float:
    """Return the share of the exact `k` nearest that are among the `k` nearest of those found."""
    shares = [
        len(set(rows[np.argsort(-vectors.cosines(query, rows))][:k].tolist()) & set(best[:k].tolist())) / len(best[:k])
        for query, rows, best in zip(queries, found, exact, strict=True)
    ]
    return float(np.mean(shares))


def as_event(recipe: Recipe) -> RecipeStored:
    return RecipeStored(source="bench", recipe=recipe, content_hash=content_hash(recipe))


def real_recipes() -> list[Recipe]:
    """Return the default recipes, then those of the shared sets."""
    found = [row[1] for path in (SPANISH_RECIPES, *FETCHED_WHEELS.glob("*.whl")) for row in usable(path)]
    if (tagged := SHARED / "tagged_recipes.jsonl.gz").exists():
        with gzip.open(tagged, "rt") as lines:
            found += [english(number, json.loads(line)) for number, line in enumerate(lines)]
    if (spanish := SHARED / "recipes_es.csv.gz").exists():
        with tempfile.TemporaryDirectory() as folder, gzip.open(spanish) as content:
            path = Path(folder) / "recipes_es.csv"
            path.write_bytes(content.read())
            found += [row[1] for row in usable(path)]
    return found


def usable(path: Path) -> Iterator[tuple[int, Recipe]]:
    return (row for row in read_source(path) if not isinstance(row, Problem))


def english(number: int, record: dict[str, Any]) -> Recipe:
    return Recipe(
        recipe_id=f"tagged-{number}",
        name=record["name"],
        language="en",
        ingredients=record["ingredients"],
        steps=record["steps"],
        tags=record["tags"],
    )


def grown(real: list[Recipe]) -> Iterator[Recipe]:
    """Yield the recipes, then for ever such as are made of two of a language."""
    yield from real
    chance = random.Random(SEED)
    by_language = {recipe.language: [other for other in real if other.language == recipe.language] for recipe in real}
    number = 0
    while True:
        first = chance.choice(real)
        second = chance.choice(by_language[first.language])
        name, other = first.name.split(), second.name.split()
        lines = [*first.ingredients, *second.ingredients]
        invented = [f"{chance.choice('bcdfglmnprst')}{number:x}".translate(LETTERS)] if number % 10 == 0 else []
        yield msgspec.structs.replace(
            first,
            recipe_id=f"grown-{number}",
            name=" ".join([*name[: len(name) // 2 + 1], *other[len(other) // 2 :], *invented]),
            ingredients=chance.sample(lines, len(lines) // 2 or len(lines)),
        )
        number += 1


LETTERS: Final = str.maketrans("0123456789", "aeioulrnst")


def write_vectors(folder: Path, recipes: Sequence[Recipe]) -> None:
    """Write vectors for the recipes to the cache, as if they had been embedded."""
    folder.mkdir()
    records = np.zeros(len(recipes), dtype=RECORD)
    keys = b"".join(text_key(passage_text(recipe)) for recipe in recipes)
    records["key"] = np.frombuffer(keys, dtype=RECORD["key"])
    chance = np.random.default_rng(SEED)
    for start in range(0, len(recipes), 10_000):
        block = grown_vectors(len(records[start : start + 10_000]), chance)
        records["vector"][start : start + 10_000] = np.rint(127 * block / np.abs(block).max(axis=1, keepdims=True))
    records.tofile(folder / f"vectors-{fingerprint()}.i8")


def grown_vectors(count: int, chance: np.random.Generator) -> FloatArray:
    """Return vectors between two shipped ones and beside them, (count, 384), of length 1."""
    shipped = np.array(list(read_records(SHIPPED_FOLDER / f"vectors-{fingerprint()}.i8").values()), dtype=np.float32)
    shipped /= np.linalg.norm(shipped, axis=1, keepdims=True)
    first, second = (shipped[chance.integers(0, len(shipped), count)] for _ in range(2))
    share = chance.random((count, 1), dtype=np.float32) / 2
    made = (1 - share) * first + share * second + chance.normal(0, NOISE, (count, DIMENSIONS)).astype(np.float32)
    unit: FloatArray = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return unit


if __name__ == "__main__":
    main()
