"""A process in which 64 producers append until they are killed. The crash tests run it.

python -m tests.crash.producers LOG LIFE [KEY ...]: first retries the appends of KEYs, then makes new ones. Reports
`try KEY` before an append with a key, and `ack NAME POSITION` for every event of an acknowledged one.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path
from typing import Final

import uvloop

from events.catalog import RecipeRated
from events.event import Metadata, StreamAppend
from events.sqlite import SqliteEventStore

PRODUCERS: Final = 64
ACTOR: Final = Metadata(actor="producer")


def report(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # at once and whole: what was acknowledged is known even if we die now


async def append(store: SqliteEventStore, name: str, *, key: str | None = None) -> None:
    """Append two events to two streams, as one atomic unit, and report them."""
    halves = [f"{name}/first", f"{name}/second"]
    appends = [StreamAppend(f"feedback-{half}", [RecipeRated(recipe_id=half, rating=1.0)]) for half in halves]
    appended = await store.append_all(appends, metadata=ACTOR, key=key)
    for position, half in enumerate(halves, start=appended.first_position):
        report(f"ack {half} {position}")


async def append_with_key(store: SqliteEventStore, key: str) -> None:
    report(f"try {key}")
    await append(store, key, key=key)


async def produce(store: SqliteEventStore, producer: str) -> None:
    for number in itertools.count():
        if number % 3:
            await append(store, f"{producer}.{number}")
        else:
            await append_with_key(store, f"{producer}.{number}")


async def main(path: Path, life: str, keys: list[str]) -> None:
    async with await SqliteEventStore.open(path) as store, asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(append_with_key(store, key))
        for number in range(PRODUCERS):
            group.create_task(produce(store, f"{life}.{number}"))


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
