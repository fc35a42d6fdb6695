"""How soon after its append is acknowledged does a reader get the event, in the same process and in another?

python -m bench.wake [--appends 1000]

One process appends single events, with a seeded pause of up to 5 ms before each. A subscription beside it and one in
another process note when they yield each. Between two appends the writer sends a bare datagram over a Unix socket to
that process's event loop: what waking it costs without an event log. Times are of the system-wide monotonic clock.
Not told: readers that have work of their own, and more readers than one.
"""

import argparse
import asyncio
import random
import socket
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Final

import uvloop

from bench.common import save, spread
from events.catalog import MetricRecorded
from events.event import Metadata
from events.sqlite import SqliteEventStore

WARM_UP: Final = 50
PAUSE_SECONDS_MAX: Final = 0.005
CONNECT_SECONDS: Final = 0.005  # between looks for the other process
AIM_MS: Final = 50
Times = dict[int, float]  # position of an event, or number of a datagram → when


async def noted(store: SqliteEventStore, last: int) -> Times:
    """Return when a subscription yielded each event, up to the position `last`."""
    yielded: Times = {}
    async for events in store.subscribe():
        now = perf_counter()
        yielded.update((event.position, now) for event in events)
        if events[-1].position >= last:
            break
    return yielded


@asynccontextmanager
async def receiving(path: Path) -> AsyncIterator[Times]:
    """Note when each datagram arrives, into what is yielded."""
    arrived: Times = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.setblocking(False)
        receiver.bind(str(path))
        asyncio.get_running_loop().add_reader(
            receiver, lambda: arrived.setdefault(int(receiver.recv(16)), perf_counter())
        )
        yield arrived
        asyncio.get_running_loop().remove_reader(receiver)


async def read(folder: Path, last: int) -> tuple[Times, Times]:
    """Return when the events, and when the datagrams, reached this process."""
    async with await SqliteEventStore.open(folder / "log.db") as store, receiving(folder / "ping") as pinged:
        assert not store.is_writer
        return await noted(store, last), pinged


def run_reader(folder: Path, last: int) -> tuple[Times, Times]:
    return uvloop.run(read(folder, last))


async def write(store: SqliteEventStore, folder: Path, appends: int) -> tuple[Times, Times]:
    """Return when the appends were acknowledged, and the datagrams sent."""
    pauses = random.Random(7)
    acknowledged: Times = {}
    pinged: Times = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        await connected(sender, folder / "ping")
        for number in range(appends):
            await asyncio.sleep(pauses.uniform(0, PAUSE_SECONDS_MAX))
            pinged[number] = perf_counter()
            sender.send(str(number).encode())
            await asyncio.sleep(pauses.uniform(0, PAUSE_SECONDS_MAX))
            point = MetricRecorded(metric="bench", value=float(number), at=number)
            appended = await store.append("metric-bench", [point], metadata=Metadata(actor="bench"))
            acknowledged[appended.position] = perf_counter()
    return acknowledged, pinged


async def connected(sender: socket.socket, path: Path) -> None:
    """Return when the other process listens."""
    while sender.connect_ex(str(path)):  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(CONNECT_SECONDS)


async def measure(folder: Path, appends: int) -> dict[str, Times]:
    """Return every time that was noted."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        async with await SqliteEventStore.open(folder / "log.db") as store:
            reading = loop.run_in_executor(other, run_reader, folder, appends)
            beside = asyncio.create_task(noted(store, appends))
            acknowledged, sent = await write(store, folder, appends)
            yielded, arrived = await reading
            return {
                "acknowledged": acknowledged,
                "sent": sent,
                "arrived": arrived,
                "yielded in the same process": await beside,
                "yielded in another process": yielded,
            }


def milliseconds(start: Times, end: Times) -> list[float]:
    """Return how long each took; those of the warm-up are left out. Negative: before the acknowledgement arrived."""
    return [(end[number] - at) * 1000 for number, at in list(start.items())[WARM_UP:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--appends", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        times = uvloop.run(measure(Path(name), WARM_UP + arguments.appends))
    waits = {
        where: milliseconds(times["acknowledged"], times[where])
        for where in ("yielded in the same process", "yielded in another process")
    }
    results: dict[str, object] = {f"{where}, ms": spread(samples) for where, samples in waits.items()}
    results["bare datagram, ms"] = spread(milliseconds(times["sent"], times["arrived"]))
    results[f"share within {AIM_MS} ms"] = {
        where: round(sum(wait <= AIM_MS for wait in samples) / len(samples), 4) for where, samples in waits.items()
    }
    save("wake", results)


if __name__ == "__main__":
    main()
