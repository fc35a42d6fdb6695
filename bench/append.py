"""How much of bare SQLite's speed is left in durable, hash-chained appends through the store's public API?

python -m bench.append [--seconds 2] [--rounds 5]

The ceiling, measured right after each run: the very rows of that run, in the very batches in which they were committed,
through `executemany` on a fresh log of the same schema, with the same settings. Events are recommendations of about 400
bytes; each producer appends to a stream of its own, or (`fresh`) to a new one every time, as the service does. What it
cannot tell: how a disk behaves whose wait is longer than this machine's, where more appends share each wait.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import apsw
import uvloop

from bench.common import save, spread
from events.catalog import RecommendationServed
from events.connection import open_read_only, select
from events.event import Metadata
from events.sqlite import SqliteEventStore
from events.writer import INSERT, PRAGMAS, LogWriter

METADATA: Final = Metadata(actor="bench", correlation_id="0192f5c1-aaaa-7bbb-8ccc-ddddeeeeffff")
EVENT: Final = RecommendationServed(
    request_id="0192f5c1-aaaa-7bbb-8ccc-ddddeeeeffff",
    query="recetas con pollo",
    model_id="hybrid_ranker",
    model_version="1.0.0",
    recipe_ids=["pollo-al-horno", "pollo-al-ajillo", "arroz-con-pollo"],
    scores=[0.91, 0.82, 0.73],
    latency_ms={"total": 12.3, "embedding": 8.1, "retrieve": 1.2, "rank": 0.1},
    language="es",
)
PROCESSES: Final = 4
WARM_UP_SECONDS: Final = 0.3


async def produce(path: Path, *, producers: int, seconds: float, fresh: bool, name: str = "p") -> list[float]:
    """Return the latency, in seconds, of every append after the warm-up."""
    latencies: list[float] = []
    async with await SqliteEventStore.open(path) as store:
        start = time.perf_counter() + WARM_UP_SECONDS

        async def producer(number: int) -> None:
            stream, count, before = f"recommendation-{name}-{number}", 0, 0.0
            while before < start + seconds:
                before = time.perf_counter()
                await store.append(f"{stream}-{count}" if fresh else stream, [EVENT], metadata=METADATA)
                count += 1
                if before >= start:
                    latencies.append(time.perf_counter() - before)

        await asyncio.gather(*(producer(number) for number in range(producers)))
    return latencies


def ceiling(log: Path, folder: Path) -> tuple[float, float]:
    """Return the rows a second of bare `executemany`, and the mean batch size, for the batches of `log`."""
    source = open_read_only(log)
    rows = select(source, "SELECT * FROM runs ORDER BY position")
    source.close()
    # A batch is recorded at one instant.
    batches = [list(batch) for _, batch in groupby(rows, key=lambda row: row[6])]
    path = folder / "ceiling.db"
    LogWriter(path).close()
    connection = apsw.Connection(str(path))
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    start = time.perf_counter()
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, batch)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - start
    connection.close()
    return len(rows) / seconds, len(rows) / len(batches)


def in_process(producers: int, *, seconds: float, fresh: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        latencies = uvloop.run(produce(folder / "log.db", producers=producers, seconds=seconds, fresh=fresh))
        bare, batch = ceiling(folder / "log.db", folder)
    rate = len(latencies) / seconds
    milliseconds = spread([1000 * latency for latency in latencies])
    return {"rate": rate, "ceiling": bare, "ratio": rate / bare, "batch": batch, "p50_ms": milliseconds["median"],
            "p99_ms": milliseconds["p99"], "max_ms": milliseconds["max"]}  # fmt: skip


def worker(path: Path, number: int, producers: int, seconds: float, results: Any, barrier: Any) -> None:
    async def run() -> None:
        async with await SqliteEventStore.open(path):
            await asyncio.to_thread(barrier.wait)
            latencies = await produce(path, producers=producers, seconds=seconds, fresh=False, name=str(number))
            results.put(len(latencies) / seconds)
            await asyncio.to_thread(barrier.wait)  # the process that writes serves the others to their end

    sys.setswitchinterval(0.0005)
    uvloop.run(run())


def several_processes(producers: int, *, seconds: float) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=".") as name:
        results, barrier = context.Queue(), context.Barrier(PROCESSES)
        processes = [
            context.Process(
                target=worker,
                args=(Path(name) / "log.db", number, producers // PROCESSES, seconds, results, barrier),
            )
            for number in range(PROCESSES)
        ]
        for process in processes:
            process.start()
        rates = [results.get() for _ in processes]
        for process in processes:
            process.join()
    return {"rate": sum(rates), "slowest_to_fastest": min(rates) / max(rates)}


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sys.setswitchinterval(0.0005)
    results: dict[str, Any] = {}
    for fresh in (False, True):
        for producers in (1, 16, 256):
            rounds = [in_process(producers, seconds=arguments.seconds, fresh=fresh) for _ in range(arguments.rounds)]
            name = f"{producers} producers{', a new stream each time' if fresh else ''}"
            results[name] = medians(rounds)
            print(name, results[name], flush=True)
    rounds = []
    for _ in range(arguments.rounds):
        together = several_processes(256, seconds=arguments.seconds)
        alone = in_process(256, seconds=arguments.seconds, fresh=False)["rate"]
        rounds.append({**together, "in_process": alone, "ratio": together["rate"] / alone})
    results[f"256 producers in {PROCESSES} processes"] = medians(rounds)
    save("append", results)


if __name__ == "__main__":
    main()
