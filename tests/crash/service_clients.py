"""Clients that keep a running service busy until it dies, and what was acknowledged to them."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import aiohttp

from events.catalog import (
    MetricRecorded,
    ModelRegistered,
    ModelStatusChanged,
    RecipesImported,
    RecipeStored,
    RecommendationServed,
)
from events.event import RecordedEvent

CLIENTS: Final = 16
BATCH_POINTS_MAX: Final = 50
QUERIES: Final = ("recetas con pollo", "arroz sin gluten", "chocolate cake", "sopa de verduras")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A POST. events: the names (`name_of`) of the last events that it makes, in order. key: to repeat it with."""

    path: str
    body: Any
    events: tuple[str, ...]
    key: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Request-ID": self.events[-1], **({"Idempotency-Key": self.key} if self.key else {})}


@dataclass
class Told:
    """What clients were told. acknowledged: event's name → position. in_doubt: sent with a key and not answered."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    in_doubt: list[Command] = field(default_factory=list)

    def note(self, command: Command, position: int) -> None:
        """Remember where the events of an answered command are."""
        self.acknowledged.update(zip(command.events, itertools.count(position - len(command.events) + 1)))


def name_of(event: RecordedEvent) -> str:
    """Return what no other event of the log may be called."""
    match event.data:
        case MetricRecorded(value=value, labels=labels):
            return f"point-{labels['client']}.{value:.0f}"
        case ModelRegistered(model_id=model, model_version=version):
            return f"{model}-{version}"
        case ModelStatusChanged(model_id=model, model_version=version, new_status=status):
            return f"{model}-{version}-{status}"
        case RecommendationServed(request_id=request):
            return request
        case RecipeStored(recipe=recipe):
            return recipe.recipe_id
        case RecipesImported(source=source):
            return f"imported-{source}"
        case other:
            raise AssertionError(f"nobody asked for {other}")


def commands(client: str, random: Random) -> Iterator[Command]:
    """Yield commands without end, about half of them with a key. client: such as "3.7"; no two share a name."""
    for number in itertools.count():
        kind = random.choice((points, recommendation, new_version))
        yield from kind(client, number, random)


def points(client: str, number: int, random: Random) -> Iterator[Command]:
    """One point, or a batch of two metrics, and so for two streams."""
    first = number * BATCH_POINTS_MAX
    values = range(first, first + random.choice((1, random.randint(2, BATCH_POINTS_MAX))))
    body = [
        {"metric": f"load_{2 * i // len(values)}", "value": value, "labels": {"client": client}}
        for i, value in enumerate(values)
    ]
    events = tuple(f"point-{client}.{value}" for value in values)
    yield Command(path="/metrics", body=body, events=events, key=key(random))


def recommendation(client: str, number: int, random: Random) -> Iterator[Command]:
    body = {"query": random.choice(QUERIES)}
    yield Command(path="/recommend", body=body, events=(f"recommendation-{client}.{number}",), key=key(random))


def new_version(client: str, number: int, random: Random) -> Iterator[Command]:
    """A version of the model that all clients share, and its way into production: there it archives another one."""
    version = f"{client}.{number}"
    body = {"model_id": "load", "model_type": "test", "version": version, "status": "validation"}
    yield Command(path="/models", body=body, events=(f"load-{version}",), key=key(random))
    path, body = f"/models/load/versions/{version}/status", {"status": "production"}
    yield Command(path=path, body=body, events=(f"load-{version}-production",), key=key(random))


def key(random: Random) -> str | None:
    return f"{random.getrandbits(64):x}" if random.random() < 0.5 else None


async def all_ask(address: str, life: str, told: Told, random: Random) -> None:
    """Let the clients of a life ask until the service dies."""
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(keep_asking(address, f"{life}.{number}", told, Random(random.random())))


async def keep_asking(address: str, client: str, told: Told, random: Random) -> None:
    """Repeat one command in doubt, then send new ones, until the service dies. Fails on any answer but success."""
    repeated = [told.in_doubt.pop()] if told.in_doubt else []
    async with aiohttp.ClientSession(address) as session:
        for command in itertools.chain(repeated, commands(client, random)):
            try:
                await ask(session, command, told)
            except aiohttp.ClientError:
                if command.key:
                    told.in_doubt.append(command)
                return


async def settle(address: str, told: Told) -> None:
    """Repeat the commands that are still in doubt."""
    async with aiohttp.ClientSession(address) as session:
        while told.in_doubt:
            await ask(session, told.in_doubt.pop(), told)


async def write_and_read(address: str, client: str, told: Told) -> None:
    """Record points, and read the views as of them: the service writes both files, or finds who does."""
    async with aiohttp.ClientSession(address) as session:
        [command] = points(client, 0, Random(client))
        await ask(session, command, told)
        position = told.acknowledged[command.events[-1]]
        async with session.get("/metrics", headers={"Log-Position": str(position)}) as response:
            assert response.status == 200, await response.text()


async def ask(session: aiohttp.ClientSession, command: Command, told: Told) -> None:
    """Send the command and note its answer. Fails on any but success."""
    async with session.post(command.path, json=command.body, headers=command.headers) as response:
        assert response.ok, await response.text()
        told.note(command, int(response.headers["Log-Position"]))
