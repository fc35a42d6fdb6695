"""The registry view answers what is, what was, and when it changed."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from events.catalog import ModelRegistered, ModelStatus, ModelStatusChanged
from projections import registry
from tests.projections.harness import SECOND, START, apply_in_batches, recorded


def registered(version: str, status: ModelStatus = "validation") -> ModelRegistered:
    return ModelRegistered(
        model_id="ranker", model_type="hybrid", model_version=version, status=status, metrics={"accuracy": 0.9}
    )


def moved(version: str, old: ModelStatus, new: ModelStatus) -> ModelStatusChanged:
    return ModelStatusChanged(model_id="ranker", model_version=version, old_status=old, new_status=new, reason="gate")


EVENTS = [
    registered("1.0.0", "production"),  # position 1
    registered("1.1.0"),
    moved("1.0.0", "production", "archived"),
    moved("1.1.0", "validation", "production"),  # position 4
    registered("1.0.0", "training"),  # never appended by our commands: the first registration is the one
    moved("9.9.9", "training", "validation"),  # nor is this
]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[aiosqlite.Connection]:
    apply_in_batches(tmp_path / "views.db", [recorded(EVENTS)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        yield db


async def test_versions_are_listed_in_the_order_of_registration(db: aiosqlite.Connection) -> None:
    """All versions are there once, with what they were registered with."""
    first, second = await registry.list_models(db)
    assert (first.model_key, first.status, first.metrics) == ("ranker_1.0.0", "archived", {"accuracy": 0.9})
    assert (second.model_key, second.status, second.registered_at) == ("ranker_1.1.0", "production", START + SECOND)
    assert await registry.get_model(db, "ranker") == [first, second]
    assert await registry.list_models(db, status="archived") == [first]
    assert await registry.list_models(db, model_id="other") == []


async def test_deployment_is_when_a_version_entered_production(db: aiosqlite.Connection) -> None:
    """The version in production knows since when; the former one keeps when it was."""
    production = await registry.production_version(db, "ranker")
    former = await registry.get_version(db, "ranker", "1.0.0")
    assert production is not None
    assert former is not None
    assert (production.model_version, production.deployed_at) == ("1.1.0", START + 3 * SECOND)
    assert former.deployed_at == START


async def test_the_past_is_told_as_it_was(db: aiosqlite.Connection) -> None:
    """As of a position, versions have the status they had then, and later ones are not there."""
    assert [model.status for model in await registry.models_as_of(db, 2)] == ["production", "validation"]
    assert [model.status for model in await registry.models_as_of(db, 3)] == ["archived", "validation"]
    assert await registry.models_as_of(db, 99) == await registry.list_models(db)
    then = await registry.production_as_of(db, "ranker", 2)
    assert then is not None
    assert then.model_version == "1.0.0"
    assert await registry.production_as_of(db, "ranker", 3) is None


async def test_history_tells_who_did_what_and_why(db: aiosqlite.Connection) -> None:
    """Each step has its position, time, actor and reason; the first one has no former status."""
    steps = await registry.history(db, "ranker", "1.1.0")
    assert [(step.position, step.old_status, step.new_status) for step in steps] == [
        (2, None, "validation"),
        (4, "validation", "production"),
    ]
    assert (steps[1].actor, steps[1].reason, steps[1].at) == ("ana", "gate", START + 3 * SECOND)
    assert len(await registry.history(db, "ranker")) == 4
