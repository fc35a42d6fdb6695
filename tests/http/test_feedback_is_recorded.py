"""POST /feedback: every opinion refers to what is there, is on disk when answered, and shows in the next read."""

from typing import Any

import msgspec
import pytest

from events.catalog import FeedbackGiven
from projections.samples import samples_after
from tests.http.harness import RECIPES, Api, store_recipes

NDJSON = {"Content-Type": "application/x-ndjson"}
POLLO, ARROZ, SOPA = (recipe.recipe_id for recipe in RECIPES)


@pytest.fixture(autouse=True)
async def answered(api: Api) -> None:
    """The catalogue holds three recipes, and req-1 was answered with the first two of them."""
    await store_recipes(api.services)
    await api.post("/recommend", {"query": "pollo al horno", "n": 2}, {"X-Request-ID": "req-1"})


async def test_a_rating_shows_in_the_next_read(api: Api) -> None:
    """The average of a recipe is new as soon as the command's position is waited for."""
    rated = await api.post("/feedback", {"query": "sopa", "recipe_id": SOPA, "rating": 4, "user": "ana"})
    shown = await api.get_after(rated, f"/recipes/{SOPA}")
    assert (rated.status, rated.json) == (201, {"recorded": 1})
    assert shown.json["calificación_promedio"] == 4


async def test_a_later_rating_of_the_same_user_replaces_the_earlier(api: Api) -> None:
    """The view counts the last one; the log keeps both, on the recipe's stream."""
    item = {"request_id": "req-1", "recipe_id": POLLO, "user": "ana"}
    await api.post("/feedback", item | {"rating": 1})
    rated = await api.post("/feedback", item | {"rating": 5})
    shown = await api.get_after(rated, f"/recipes/{POLLO}")
    kept = await api.services.store.read_stream(f"feedback-{POLLO}")
    assert shown.json["calificación_promedio"] == 5
    assert [event.data for event in kept] == [
        FeedbackGiven(recipe_id=POLLO, request_id="req-1", user="ana", rating=rating) for rating in (1, 5)
    ]


async def test_feedback_is_joined_with_the_answer(api: Api) -> None:
    """A click by request id brings query, place, score and model version of what was served."""
    clicked = await api.post("/feedback", {"request_id": "req-1", "recipe_id": ARROZ, "click": True, "relevance": 0})
    await api.services.runner.wait_until(int(clicked.position), timeout=5)
    async with api.services.views.reader() as db:
        (sample,) = await samples_after(db)
    assert (sample.query, sample.recipe_id, sample.click, sample.relevance) == ("pollo al horno", ARROZ, 1, 0)
    assert (sample.answer_position, sample.score, sample.model_version) == (2, 0.9, "1.0.0")


@pytest.mark.parametrize("is_array", [True, False], ids=["array", "lines"])
async def test_many_items_are_one_append(api: Api, is_array: bool) -> None:
    """An array and lines of JSON are recorded whole, in one append."""
    items = [{"request_id": "req-1", "recipe_id": recipe, "save": True} for recipe in (POLLO, ARROZ)] * 500
    lines = b"\n".join(map(msgspec.json.encode, items))
    head = await api.services.store.head()
    reply = await (api.post("/feedback", items) if is_array else api.post("/feedback", lines, NDJSON))
    assert (reply.status, reply.json, int(reply.position)) == (201, {"recorded": 1000}, head + 1000)


@pytest.mark.parametrize(
    ("item", "field", "found"),
    [
        ({"request_id": "req-9", "recipe_id": POLLO, "click": True}, "request_id", "req-9"),
        ({"request_id": "req-1", "recipe_id": SOPA, "click": True}, "recipe_id", SOPA),
        ({"query": "pan", "recipe_id": "test-pan", "click": True}, "recipe_id", "test-pan"),
        ({"recipe_id": POLLO, "click": True}, "request_id", "nothing"),
        ({"query": "pan", "request_id": "req-1", "recipe_id": POLLO, "click": True}, "request_id", "req-1"),
        ({"query": "pan", "recipe_id": POLLO}, "rating", "nothing"),
        ({"query": "pan", "recipe_id": POLLO, "rating": 5.5}, "rating", "5.5"),
        ({"query": "pan", "recipe_id": POLLO, "relevance": 2}, "relevance", "2"),
        ({"query": "pan", "recipe_id": POLLO, "stars": 2}, "stars", "2"),
    ],
)
async def test_one_bad_item_leaves_none_of_them(api: Api, item: dict[str, Any], field: str, found: str) -> None:
    """The problem names index, field, what was found and the mend; nothing is recorded."""
    good = {"query": "sopa", "recipe_id": SOPA, "rating": 4}
    head = await api.services.store.head()
    alone, among = await api.post("/feedback", item), await api.post("/feedback", [good, item])
    assert (alone.status, alone.json["field"], alone.json["found"]) == (422, field, found)
    assert (among.status, among.json["field"], among.json["found"]) == (422, f"[1].{field}", found)
    assert alone.json["fix"]
    assert await api.services.store.head() == head


async def test_a_repeated_key_records_nothing_again(api: Api) -> None:
    """A retry under the same key gets the first answer; another body under it is refused."""
    item, key = {"query": "sopa", "recipe_id": SOPA, "rating": 4}, {"Idempotency-Key": "k1"}
    first, again = await api.post("/feedback", item, key), await api.post("/feedback", item, key)
    other = await api.post("/feedback", item | {"rating": 5}, key)
    assert (again.status, again.json, again.position) == (201, first.json, first.position)
    assert (again.headers["Idempotent-Replay"], other.json["code"]) == ("true", "idempotency_key_reused")
    assert len(await api.services.store.read_stream(f"feedback-{SOPA}")) == 1
