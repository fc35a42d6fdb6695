"""Processes under load are SIGKILLed at random moments: what was acknowledged is in the log, once, and in its place."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGSTOP

from events.catalog import RecipeRated
from events.event import RecordedEvent
from tests.crash.harness import Child, check_log, started

LIVES = 25
REPORTS_A_LIFE_MAX = 2000  # a life is killed after some of its reports, chosen at random: no clock is needed


def name_of(event: RecordedEvent) -> str:
    assert isinstance(event.data, RecipeRated)
    return event.data.recipe_id


def producers(path: Path, life: int, keys: Iterable[str] = ()) -> AbstractAsyncContextManager[Child]:
    return started("-m", "tests.crash.producers", str(path), str(life), *keys)


class Reported:
    """What all lives have reported. acknowledged: event's name → position; in_doubt: keys tried and not answered."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.in_doubt: set[str] = set()

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            kind, name, *position = line.split()
            if kind == "try":
                self.in_doubt.add(name)
            else:
                assert self.acknowledged.setdefault(name, int(position[0])) == int(position[0])
                self.in_doubt.discard(name.partition("/")[0])


async def check(path: Path, reported: Reported) -> None:
    await asyncio.to_thread(check_log, path, reported.acknowledged, name_of)


async def test_of_one_process(tmp_path: Path) -> None:
    """A process is killed 25 times; each next life repeats the keys that were in doubt, and none is there twice."""
    path, random, reported = tmp_path / "log.db", Random(1), Reported()
    for life in range(LIVES):
        async with producers(path, life, reported.in_doubt) as child:
            await child.reports(random.randrange(REPORTS_A_LIFE_MAX))
            reported.add(await child.kill())
        await check(path, reported)
    assert len(reported.acknowledged) > LIVES


async def test_of_two_processes_that_share_the_log(tmp_path: Path) -> None:
    """Of two processes one at a time is killed, the writer or the other; the survivor goes on without an error."""
    path, random, reported = tmp_path / "log.db", Random(2), Reported()
    async with AsyncExitStack() as stack:
        children = [await stack.enter_async_context(producers(path, life)) for life in range(2)]
        for life in range(2, LIVES + 2):
            survivor, victim = random.sample(children, 2)
            await victim.reports(random.randrange(REPORTS_A_LIFE_MAX))
            reported.add(await victim.kill())
            await survivor.reports(len(survivor.lines) + 200)  # it goes on, as the writer from now on
            survivor.send_signal(SIGSTOP)  # only so that the log does not grow while it is checked
            reported.add(survivor.lines)
            await check(path, reported)
            survivor.send_signal(SIGCONT)
            children = [survivor, await stack.enter_async_context(producers(path, life, reported.in_doubt))]
            reported.in_doubt.clear()
        for child in children:
            reported.add(await child.kill())
    await check(path, reported)
