"""Every POST takes an Idempotency-Key: a repeat gets the first answer, and nothing happens twice."""

from typing import Any

import pytest

from tests.http.harness import Api, store_recipes

KEY = {"Idempotency-Key": "c0ffee"}
POSTS: dict[str, Any] = {
    "/models": {"model_id": "hybrid_ranker", "model_type": "hybrid", "version": "2.0.0", "status": "production"},
    "/models/hybrid_ranker/versions/1.0.0/status": {"status": "validation"},
    "/metrics": [{"metric": "accuracy", "value": 0.9}, {"metric": "accuracy", "value": 0.8}],
    "/recommend": {"query": "recetas con pollo", "n": 2},
    "/feedback": {"query": "recetas con pollo", "recipe_id": "test-pollo", "rating": 4},
    "/retrain/check": {"model_ids": ["hybrid_ranker"]},
    "/evaluate": {
        "model_id": "hybrid_ranker", "version": "1.0.0", "task": "ranking", "y_true": [1, 0], "y_pred": [0.5, 0.1],
    },
    "/drift": {"baseline": {"minutes": [10, 20]}, "current": {"minutes": [10, 30]}},
}  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
async def test_a_repeat_gets_the_first_answer(api: Api, path: str) -> None:
    """Same key, same body: same status, same position, marked as a replay, and no new event."""
    await api.services.runner.wait_until(await store_recipes(api.services), timeout=5)
    registered = await api.register("1.0.0")
    await api.get_after(registered, "/models")
    first = await api.post(path, POSTS[path], KEY)
    head = await api.services.store.head()
    again = await api.post(path, POSTS[path], KEY)
    assert (again.status, again.position) == (first.status, first.position)
    assert (first.headers.get("Idempotent-Replay"), again.headers["Idempotent-Replay"]) == (None, "true")
    assert comparable(again.json) == comparable(first.json)
    assert await api.services.store.head() == head


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """The conditions that a retraining check looked at are told once; the rest is recorded."""
    return {name: value for name, value in answer.items() if name != "models"}


@pytest.mark.parametrize("path", POSTS)
async def test_another_body_under_the_same_key_is_refused(api: Api, path: str) -> None:
    """A key stands for one request; another one under it is a 422 that says so."""
    await store_recipes(api.services)
    registered = await api.register("1.0.0")
    await api.get_after(registered, "/models")
    await api.post(path, POSTS[path], KEY)
    other = dict(POSTS)
    other["/models"] = {**POSTS["/models"], "description": "another"}
    other["/models/hybrid_ranker/versions/1.0.0/status"] = {"status": "production"}
    other["/metrics"] = {"metric": "accuracy", "value": 0.1}
    other["/recommend"] = {"query": "sopa"}
    other["/feedback"] = {**POSTS["/feedback"], "rating": 5}
    other["/retrain/check"] = {"model_ids": []}
    other["/evaluate"] = {**POSTS["/evaluate"], "k": 1}
    other["/drift"] = {**POSTS["/drift"], "threshold": 0.2}
    refused = await api.post(path, other[path], KEY)
    assert refused.status == 422
    assert refused.json["code"] == "idempotency_key_reused"


async def test_a_key_counts_for_one_address(api: Api) -> None:
    """The same key at another address is another key."""
    await api.register("1.0.0", headers=KEY)
    changed = await api.change_status("1.0.0", "validation", headers=KEY)
    assert changed.status == 200
    assert changed.json["changed"] is True


async def test_a_repeat_holds_when_the_state_has_moved_on(api: Api) -> None:
    """The first answer is given again even where the same decision would now be refused."""
    await api.register("1.0.0", status="validation")
    first = await api.change_status("1.0.0", "production", headers=KEY)
    await api.change_status("1.0.0", "archived")
    again = await api.change_status("1.0.0", "production", headers=KEY)
    assert (again.json, again.position) == (first.json, first.position)


async def test_a_failed_recommendation_may_be_tried_again_under_its_key(api: Api) -> None:
    """A failure is recorded without the key, so that the retry is answered."""
    api.recommender.failure = RuntimeError("broken")
    failed = await api.post("/recommend", {"query": "pollo"}, KEY)
    api.recommender.failure = None
    answered = await api.post("/recommend", {"query": "pollo"}, KEY)
    assert (failed.status, answered.status) == (500, 200)
