"""The whole service is SIGKILLed at random moments under load: what it acknowledged is there once, views are exact."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path
from random import Random

import pytest

import run
from tests.crash.harness import Child, check_log, started
from tests.crash.service_clients import Told, all_ask, name_of, settle, write_and_read
from tests.e2e.service import hermetic

SEEDS = 5
LIVES = 10  # of each seed
STARTUP_SECONDS = 1.2  # about as long as a start takes, so that a kill may fall anywhere in it


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in hermetic(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "data"


def serving(data_dir: Path) -> AbstractAsyncContextManager[Child]:
    return started("run.py", "serve", "--json", "--data-dir", str(data_dir), "--port", "0")


async def address_of(child: Child) -> str:
    """Return where the service listens, as soon as it does."""
    [line] = await child.reports(1)
    return str(json.loads(line)["address"])


async def kill_while_it_starts(child: Child, random: Random) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(random.uniform(0, STARTUP_SECONDS)):
            await child.reports(1)
    await child.kill()


async def load(child: Child, life: str, told: Told, random: Random) -> asyncio.Task[None]:
    """Return the task in which clients ask the service until it dies, after the first fractions of a second."""
    asking = asyncio.create_task(all_ask(await address_of(child), life, told, random))
    await asyncio.wait([asking], timeout=random.uniform(0.02, 0.3))
    return asking


async def check(data_dir: Path, told: Told) -> None:
    await asyncio.to_thread(check_log, data_dir / "log.db", dict(told.acknowledged), name_of)


async def check_views(data_dir: Path) -> None:
    """Fail unless the rows of every view of the running service are those of a fresh rebuild."""
    assert await asyncio.to_thread(run.main, ["rebuild", "--data-dir", str(data_dir)]) == 0


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_of_one_service(seed: int, data_dir: Path) -> None:
    """Killed while it starts or while it works, it goes on where it was; repeated keys write nothing twice."""
    random, told = Random(seed), Told()
    for life in range(LIVES):
        async with serving(data_dir) as child:
            if random.random() < 0.25:
                await kill_while_it_starts(child, random)
            else:
                asking = await load(child, str(life), told, random)
                await child.kill()
                await asking
        if life == LIVES // 2:
            await check(data_dir, told)
    async with serving(data_dir) as child:
        await settle(await address_of(child), told)
        await check_views(data_dir)
    await check(data_dir, told)
    assert len(told.acknowledged) > LIVES


async def test_of_two_services_on_one_folder(data_dir: Path) -> None:
    """One of two is killed, the writer or the other; the survivor's clients notice nothing, and its views go on."""
    random, told = Random(SEEDS), Told()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving(data_dir))
        busy = [(first, await load(first, "0", told, random))]
        for life in range(1, LIVES // 2):
            async with serving(data_dir) as newcomer:
                await kill_while_it_starts(newcomer, random)
            second = await stack.enter_async_context(serving(data_dir))
            busy.append((second, await load(second, str(life), told, random)))
            victim, asking = busy.pop(random.randrange(2))
            await victim.kill()
            await asking
            await write_and_read(await address_of(busy[0][0]), f"survivor.{life}", told)
        [(last, asking)] = busy
        await check(data_dir, told)
        await check_views(data_dir)
        await last.kill()
        await asking
    await check(data_dir, told)
