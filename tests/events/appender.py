"""A process that opens a log and appends a point for each line that it is sent. The tests of several processes run it.

python -m tests.events.appender LOG: reports `writer` or `other`, then for each line, which is the key of an append,
the position. The line `fork` starts a process that lives on, as a training worker would.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import uvloop

from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point


async def main(path: Path) -> None:
    async with await SqliteEventStore.open(path) as store:
        print("writer" if store.is_writer else "other", flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if line == "fork":
                live_on()
                print("forked", flush=True)
            else:
                print((await store.append("metric-m", [point()], metadata=ACTOR, key=line)).position, flush=True)


def live_on() -> None:
    """Start a process that outlives this one's SIGKILL; whoever started us ends it with the group."""
    if os.fork() == 0:
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
