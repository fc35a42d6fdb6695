"""Commands that race, in one process or in two, never both win."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from events.catalog import ModelStatusChanged
from events.event import Metadata
from events.sqlite import SqliteEventStore
from recsys.errors import InvalidTransition, RecsysError
from recsys.registry import ChangeStatus, Model, RegisterModel, Registry
from recsys.turn import Turn

BY = Metadata(actor="test")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db") as store:
        yield store


@pytest.fixture
def turn(tmp_path: Path) -> Iterator[Turn]:
    with closing(Turn(tmp_path / "registry.turn")) as turn:
        yield turn


def version(number: str) -> RegisterModel:
    return RegisterModel(model_id="m", model_type="hybrid", version=number, status="validation")


def promote(number: str) -> ChangeStatus:
    return ChangeStatus(model_id="m", version=number, status="production")


async def test_two_promotions_at_once_leave_one_in_production(store: SqliteEventStore, turn: Turn) -> None:
    """Two registries on one log, as in two processes, promote different versions: the stream stays a legal one."""
    first, second = Registry(store, turn), Registry(store, turn)
    for number in ("1.0.0", "1.0.1"):
        await first.register(version(number), metadata=BY)
    await asyncio.gather(
        first.change_status(promote("1.0.0"), metadata=BY), second.change_status(promote("1.0.1"), metadata=BY)
    )
    model = Model("m")
    model.follow(await store.read_stream("model-m"))
    assert sorted(of.status for of in model.versions.values()) == ["archived", "production"]


async def test_commands_of_two_processes_on_one_model_all_get_through(tmp_path: Path) -> None:
    """Of stores that share a log one appends faster than the other: neither's commands fail, though all conflict."""
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(await SqliteEventStore.open(tmp_path / "log.db")) for _ in range(2)]
        turns = [stack.enter_context(closing(Turn(tmp_path / "registry.turn"))) for _ in range(2)]
        registries = [Registry(store, turn) for store, turn in zip(stores, turns, strict=True)]
        commands = [
            registry.register(version(f"{process}.{number}.0"), metadata=BY)
            for process, registry in enumerate(registries)
            for number in range(50)
        ]
        decided = await asyncio.gather(*commands)
    assert sorted(of.position for of in decided) == list(range(1, len(commands) + 1))


async def test_a_turn_that_is_never_given_back_stops_nobody(
    store: SqliteEventStore, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs in its turn delays the commands of others, and does not hold them up for ever."""
    monkeypatch.setattr("recsys.turn.WAIT_SECONDS_MAX", 0.0)
    async with turn.taken():
        decided = await Registry(store, turn).register(version("1.0.0"), metadata=BY)
    assert decided.position == 1


async def test_registering_one_version_twice_at_once_is_one_event(store: SqliteEventStore, turn: Turn) -> None:
    """Eight registrations of the same content lead to one event, whoever comes first."""
    registries = [Registry(store, turn) for _ in range(8)]
    decided = await asyncio.gather(*(registry.register(version("1.0.0"), metadata=BY) for registry in registries))
    assert sum(len(of.events) for of in decided) == 1
    assert {of.position for of in decided} == {1}


async def test_a_registry_sees_what_others_did_before_it_refuses(store: SqliteEventStore, turn: Turn) -> None:
    """A refusal rests on the stream as it is, not as this process last knew it."""
    mine, other = Registry(store, turn), Registry(store, turn)
    await mine.register(RegisterModel(model_id="m", model_type="hybrid", version="1.0.0"), metadata=BY)
    with pytest.raises(InvalidTransition):
        await mine.change_status(promote("1.0.0"), metadata=BY)
    await other.change_status(ChangeStatus(model_id="m", version="1.0.0", status="validation"), metadata=BY)
    decided = await mine.change_status(promote("1.0.0"), metadata=BY)
    assert [type(event) for event in decided.events] == [ModelStatusChanged]


async def test_a_key_is_looked_at_before_the_decision(store: SqliteEventStore, turn: Turn) -> None:
    """A repeat gets its first answer where the decision itself would now be refused."""
    registry = Registry(store, turn)
    await registry.register(version("1.0.0"), metadata=BY)
    first = await registry.change_status(promote("1.0.0"), metadata=BY, key="k", fingerprint="f")
    archive = ChangeStatus(model_id="m", version="1.0.0", status="archived")
    await registry.change_status(archive, metadata=BY)
    again = await registry.change_status(promote("1.0.0"), metadata=BY, key="k", fingerprint="f")
    assert (again.position, list(again.events), again.is_repeat) == (first.position, list(first.events), True)


async def test_a_refused_command_appends_nothing(store: SqliteEventStore, turn: Turn) -> None:
    """An error of a decision leaves the log as it was."""
    with pytest.raises(RecsysError):
        await Registry(store, turn).change_status(promote("1.0.0"), metadata=BY)
    assert await store.head() == 0
