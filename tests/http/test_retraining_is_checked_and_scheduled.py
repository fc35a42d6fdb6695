"""POST /retrain/check answers as the guide shows it, records what it found, and schedules one job a model."""

import asyncio

import msgspec
import pytest

from events.catalog import RecipeRated, RetrainChecked, RetrainJobCompleted
from events.event import Metadata
from recsys.config import Settings
from tests.http.harness import NOW, Api, Clock

DAY = 86_400_000_000


async def deploy(api: Api, clock: Clock, *, days_ago: int) -> None:
    """Put a version into production so many days before NOW, and wait until the views know."""
    clock.now = NOW - days_ago * DAY
    registered = await api.register("1.0.0", status="production", metrics={"accuracy": 0.92})
    await api.get_after(registered, "/models")
    clock.now = NOW


async def test_an_old_deployment_is_to_be_retrained(api: Api, clock: Clock) -> None:
    """Ten days in production are more than seven: the reason, the job and both events are there."""
    await deploy(api, clock, days_ago=10)
    reply = await api.post("/retrain/check")
    assert reply.json["timestamp"] == "2024-12-30T15:30:00.000000Z"
    assert reply.json["models_checked"] == 1
    reasons = {"time_interval": "Deployed 10 days ago"}
    assert reply.json["retraining_needed"] == [{"model_id": "hybrid_ranker", "reasons": reasons}]
    assert reply.json["scheduled_jobs"] == [f"hybrid_ranker_{NOW / 1e6}"]
    (checked,) = await api.services.store.read_stream("retrain_check-hybrid_ranker")
    assert checked.data == RetrainChecked(model_id="hybrid_ranker", needed=True, reasons=reasons)


async def test_the_job_is_read_back(api: Api, clock: Clock) -> None:
    """A scheduled job is pending, in the list and by its id."""
    await deploy(api, clock, days_ago=10)
    scheduled = await api.post("/retrain/check")
    (job_id,) = scheduled.json["scheduled_jobs"]
    listed = await api.get_after(scheduled, "/retrain/jobs?model_id=hybrid_ranker&status=pending")
    shown = await api.get(f"/retrain/jobs/{job_id}")
    assert (listed.json["count"], listed.json["jobs"]) == (1, [shown.json])
    assert (shown.json["status"], shown.json["created_at"]) == ("pending", "2024-12-30T15:30:00.000000Z")


async def test_a_young_deployment_needs_nothing(api: Api, clock: Clock) -> None:
    """Every condition is told with its value and threshold, though none is met; the check is recorded."""
    await deploy(api, clock, days_ago=2)
    reply = await api.post("/retrain/check", {})
    assert (reply.json["retraining_needed"], reply.json["scheduled_jobs"]) == ([], [])
    (model,) = reply.json["models"]
    verdicts = {condition["name"]: condition["verdict"] for condition in model["conditions"]}
    assert verdicts == {"time_interval": "not_met", "new_data": "not_met", "performance_degradation": "not_measured"}


async def test_a_model_has_one_open_job(api: Api, clock: Clock) -> None:
    """While a job is open the model is not scheduled again; the answer names the open one."""
    await deploy(api, clock, days_ago=10)
    first = await api.post("/retrain/check")
    clock.now += 1_000_000
    second = await api.post("/retrain/check")
    assert second.json["scheduled_jobs"] == []
    assert second.json["models"][0]["open_job"] == first.json["scheduled_jobs"][0]


async def test_checks_that_race_schedule_one_job(api: Api, clock: Clock) -> None:
    """Four checks at the same time lead to one job between them."""
    await deploy(api, clock, days_ago=10)
    replies = await asyncio.gather(*(api.post("/retrain/check") for _ in range(4)))
    assert sorted(len(reply.json["scheduled_jobs"]) for reply in replies) == [0, 0, 0, 1]


async def test_enough_new_ratings_ask_for_retraining(api: Api, clock: Clock) -> None:
    """100 ratings since the last completed training meet the threshold; those before it do not count."""
    await deploy(api, clock, days_ago=1)
    store, metadata = api.services.store, Metadata(actor="test")
    ratings = [RecipeRated(recipe_id="r", rating=4, user=f"u{number}") for number in range(150)]
    rated = await store.append("feedback-r", ratings, metadata=metadata)
    await api.services.runner.wait_until(rated.position, timeout=5)
    before = await api.post("/retrain/check")
    (job_id,) = before.json["scheduled_jobs"]
    clock.now += 1
    done = RetrainJobCompleted(job_id=job_id, new_version="1.0.1")
    appended = await store.append(f"retrain_job-{job_id}", [done], metadata=metadata)
    await api.services.runner.wait_until(appended.position, timeout=5)
    after = await api.post("/retrain/check")
    assert before.json["retraining_needed"][0]["reasons"] == {"new_data": "150 new samples since the last training"}
    assert after.json["retraining_needed"] == []


async def test_a_fallen_accuracy_asks_for_retraining(api: Api, clock: Clock) -> None:
    """Live accuracy more than 5 % below the registered one is a reason."""
    await deploy(api, clock, days_ago=1)
    recorded = await api.post("/metrics", {"metric": "accuracy", "value": 0.8})
    await api.get_after(recorded, "/metrics")
    reply = await api.post("/retrain/check")
    assert list(reply.json["retraining_needed"][0]["reasons"]) == ["performance_degradation"]


class TestDisabled:
    """RETRAIN_ENABLED=false."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, retrain_enabled=False)

    async def test_nothing_is_scheduled(self, api: Api, clock: Clock) -> None:
        """The need is told and recorded, but no job is made."""
        await deploy(api, clock, days_ago=10)
        reply = await api.post("/retrain/check")
        assert (reply.json["retrain_enabled"], reply.json["scheduled_jobs"]) == (False, [])
        assert len(reply.json["retraining_needed"]) == 1


async def test_an_unknown_model_is_a_404(api: Api) -> None:
    """A model that is named but not registered is refused, and no check is recorded."""
    reply = await api.post("/retrain/check", {"model_ids": ["other"]})
    assert (reply.status, reply.json["code"]) == (404, "model_not_found")
    assert await api.services.store.head() == 0
