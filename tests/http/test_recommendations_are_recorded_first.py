"""POST /recommend: the event is in the log before the answer leaves, and failures are events as well."""

import pytest

from events.catalog import RecommendationFailed, RecommendationServed
from tests.http.harness import RECIPES, UNAVAILABLE, Api, store_recipes


async def test_the_answer_is_the_guides_and_the_event_is_there(api: Api) -> None:
    """The recipes carry the guide's Spanish fields; RecommendationServed names what was answered."""
    reply = await api.post("/recommend", {"query": " recetas con pollo "}, {"X-Request-ID": "req_12345"})
    (event,) = await api.services.store.read_stream("recommendation-req_12345")
    assert reply.status == 200
    guide_fields = {"nombre", "descripción", "ingredientes", "instrucciones", "calificación_promedio"}
    assert all(guide_fields <= recipe.keys() for recipe in reply.json["recetas"])
    assert isinstance(event.data, RecommendationServed)
    assert event.data.query == "recetas con pollo"
    assert event.data.recipe_ids == [recipe["id"] for recipe in reply.json["recetas"]]
    assert (event.metadata.correlation_id, str(event.position)) == ("req_12345", reply.position)


@pytest.mark.parametrize(("sent", "expected"), [({}, 3), ({"n": 1}, 1), ({"n": 2}, 2)])
async def test_n_says_how_many(api: Api, sent: dict[str, int], expected: int) -> None:
    """Three recipes by default, else as many as asked for."""
    reply = await api.post("/recommend", {"query": "pollo", **sent})
    assert len(reply.json["recetas"]) == expected


async def test_a_failure_is_recorded_and_told(api: Api) -> None:
    """A recommender that is not ready is a 503 with Retry-After, and a RecommendationFailed event."""
    api.recommender.failure = UNAVAILABLE
    reply = await api.post("/recommend", {"query": "pollo"}, {"X-Request-ID": "req-1"})
    (event,) = await api.services.store.read_stream("recommendation-req-1")
    assert (reply.status, reply.json["code"]) == (503, "recommender_unavailable")
    assert "Retry-After" in reply.headers
    assert isinstance(event.data, RecommendationFailed)
    assert event.data.error == "recommender_unavailable"


async def test_a_mistake_of_ours_tells_nothing_of_the_inside(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """An unforeseen error is a 500 problem with the request's id; the cause stands in the log."""
    api.recommender.failure = ZeroDivisionError("secret detail")
    reply = await api.post("/recommend", {"query": "pollo"}, {"X-Request-ID": "req-2"})
    assert (reply.status, reply.json["request_id"]) == (500, "req-2")
    assert b"secret" not in reply.raw
    assert "secret detail" in caplog.text


async def test_a_recipe_is_shown_by_its_id(api: Api) -> None:
    """GET /recipes/{recipe_id} gives the recipe as recommendations do; an unknown id is a 404."""
    await api.services.runner.wait_until(await store_recipes(api.services), timeout=5)
    shown = await api.get("/recipes/test-arroz")
    unknown = await api.get("/recipes/test-nada")
    assert (shown.json["nombre"], shown.json["calificación_promedio"]) == (RECIPES[1].name, None)
    assert (unknown.status, unknown.json["code"]) == (404, "recipe_not_found")


async def test_foods_at_hand_stand_for_words(api: Api) -> None:
    """`ingredients` alone is a request: the event names them, and the answer has a place for what is missing."""
    reply = await api.post("/recommend", {"ingredients": ["pollo", "arroz"]})
    assert reply.status == 200
    assert "faltan" in reply.json
    (event,) = await api.services.store.read_all(after=0, limit=1)
    assert isinstance(event.data, RecommendationServed)
    assert event.data.query == "pollo, arroz"


async def test_neither_words_nor_foods_is_refused(api: Api) -> None:
    """A request that asks for nothing is told what to say."""
    reply = await api.post("/recommend", {"exclude": ["huevo"]})
    assert (reply.status, reply.json["field"]) == (422, "query")


async def test_similar_recipes_are_given(api: Api) -> None:
    """A recipe's page can show what is like it, best first."""
    reply = await api.get(f"/recipes/{RECIPES[0].recipe_id}/similar?n=2")
    assert reply.status == 200
    assert [recipe["id"] for recipe in reply.json["recetas"]] == [recipe.recipe_id for recipe in RECIPES[1:]]
    assert len(reply.json["parecido"]) == 2
