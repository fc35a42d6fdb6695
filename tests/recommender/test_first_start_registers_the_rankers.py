"""A new service starts with the better ranker in production, and never decides against a person."""

import json
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from events.catalog import ModelRegistered, ModelStatusChanged
from events.event import Metadata
from events.sqlite import SqliteEventStore
from recsys.commands.first_start import FORMULA, LINEAR, register_first_model
from recsys.registry import ChangeStatus, Registry
from recsys.turn import Turn

STREAM = "model-hybrid_ranker"
RESULTS = Path(__file__).parents[2] / "bench" / "results" / "search_quality.json"


@pytest.fixture
async def registry(store: SqliteEventStore, tmp_path: Path) -> AsyncIterator[Registry]:
    with closing(Turn(tmp_path / "registry.turn")) as turn:
        yield Registry(store, turn)


async def test_the_better_one_replaces_the_formula(store: SqliteEventStore, registry: Registry) -> None:
    """The formula is registered, then archived by the append that puts the linear ranker into production."""
    await register_first_model(registry, store)
    formula, archived, linear = [event.data for event in await store.read_stream(STREAM)]
    assert isinstance(formula, ModelRegistered)
    assert isinstance(archived, ModelStatusChanged)
    assert isinstance(linear, ModelRegistered)
    assert (formula.model_version, formula.status) == ("1.0.0", "production")
    assert (archived.model_version, archived.new_status) == ("1.0.0", "archived")
    assert (linear.model_version, linear.status) == ("1.1.0", "production")


async def test_the_next_start_changes_nothing(store: SqliteEventStore, registry: Registry) -> None:
    """Versions that are registered are left as they are: also the rollback that someone decided on."""
    await register_first_model(registry, store)
    rollback = ChangeStatus(model_id=FORMULA.model_id, version=FORMULA.version, status="production")
    await registry.change_status(rollback, metadata=Metadata(actor="ana"))
    head = await store.head()
    await register_first_model(registry, store)
    assert await store.head() == head


async def test_where_someone_has_decided_it_waits(store: SqliteEventStore, registry: Registry) -> None:
    """On a log where a person has touched the model, the new version waits in validation for a promotion."""
    await registry.register(FORMULA, metadata=Metadata(actor="ana"))
    await register_first_model(registry, store)
    *_, last = await store.read_stream(STREAM)
    assert isinstance(last.data, ModelRegistered)
    assert (last.data.model_version, last.data.status) == ("1.1.0", "validation")


async def test_a_log_of_the_former_release_gets_the_better_one(store: SqliteEventStore, registry: Registry) -> None:
    """Where only the first start of an earlier release has registered the formula, the linear ranker takes over."""
    await registry.register(FORMULA, metadata=Metadata(actor="first-start"))
    await register_first_model(registry, store)
    *_, last = await store.read_stream(STREAM)
    assert isinstance(last.data, ModelRegistered)
    assert (last.data.model_version, last.data.status) == ("1.1.0", "production")


def test_its_metrics_are_those_that_were_measured() -> None:
    """What the registry says of the linear ranker is what the committed results say of the requests kept aside."""
    final = json.loads(RESULTS.read_text())["results"]["final"]["all"]
    assert LINEAR.metrics == {
        "ndcg_at_10": final["ndcg@10"][0],
        "mrr": final["mrr"][0],
        "recall_at_50": final["recall@50"][0],
        "hit_at_1": final["hit@1"][0],
    }
