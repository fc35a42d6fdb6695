"""Commands that race, in one process or in two, never both win."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.catalog import ModelStatusChanged
from events.event import Metadata
from events.sqlite import SqliteEventStore
from recsys.errors import InvalidTransition, RecsysError
from recsys.registry import ChangeStatus, Model, RegisterModel, Registry

BY = Metadata(actor="test")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db") as store:
        yield store


def version(number: str) -> RegisterModel:
    return RegisterModel(model_id="m", model_type="hybrid", version=number, status="validation")


def promote(number: str) -> ChangeStatus:
    return ChangeStatus(model_id="m", version=number, status="production")


async def test_two_promotions_at_once_leave_one_in_production(store: SqliteEventStore) -> None:
    """Two registries on one log, as in two processes, promote different versions: the stream stays a legal one."""
    first, second = Registry(store), Registry(store)
    for number in ("1.0.0", "1.0.1"):
        await first.register(version(number), metadata=BY)
    await asyncio.gather(
        first.change_status(promote("1.0.0"), metadata=BY), second.change_status(promote("1.0.1"), metadata=BY)
    )
    model = Model("m")
    model.follow(await store.read_stream("model-m"))
    assert sorted(of.status for of in model.versions.values()) == ["archived", "production"]


async def test_registering_one_version_twice_at_once_is_one_event(store: SqliteEventStore) -> None:
    """Eight registrations of the same content lead to one event, whoever comes first."""
    registries = [Registry(store) for _ in range(8)]
    decided = await asyncio.gather(*(registry.register(version("1.0.0"), metadata=BY) for registry in registries))
    assert sum(len(of.events) for of in decided) == 1
    assert {of.position for of in decided} == {1}


async def test_a_registry_sees_what_others_did_before_it_refuses(store: SqliteEventStore) -> None:
    """A refusal rests on the stream as it is, not as this process last knew it."""
    mine, other = Registry(store), Registry(store)
    await mine.register(RegisterModel(model_id="m", model_type="hybrid", version="1.0.0"), metadata=BY)
    with pytest.raises(InvalidTransition):
        await mine.change_status(promote("1.0.0"), metadata=BY)
    await other.change_status(ChangeStatus(model_id="m", version="1.0.0", status="validation"), metadata=BY)
    decided = await mine.change_status(promote("1.0.0"), metadata=BY)
    assert [type(event) for event in decided.events] == [ModelStatusChanged]


async def test_a_key_is_looked_at_before_the_decision(store: SqliteEventStore) -> None:
    """A repeat gets its first answer where the decision itself would now be refused."""
    registry = Registry(store)
    await registry.register(version("1.0.0"), metadata=BY)
    first = await registry.change_status(promote("1.0.0"), metadata=BY, key="k", fingerprint="f")
    archive = ChangeStatus(model_id="m", version="1.0.0", status="archived")
    await registry.change_status(archive, metadata=BY)
    again = await registry.change_status(promote("1.0.0"), metadata=BY, key="k", fingerprint="f")
    assert (again.position, list(again.events), again.is_repeat) == (first.position, list(first.events), True)


async def test_a_refused_command_appends_nothing(store: SqliteEventStore) -> None:
    """An error of a decision leaves the log as it was."""
    with pytest.raises(RecsysError):
        await Registry(store).change_status(promote("1.0.0"), metadata=BY)
    assert await store.head() == 0
