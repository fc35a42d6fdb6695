"""`idioma`: recipes are shown in the language asked for, translated once, or labelled and with their lines rendered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from events.catalog import RecipeStored, RecommendationServed
from events.event import Metadata
from recsys.integrations.errors import EndpointUnavailable
from recsys.recommender.translation import RecipeText, Translations
from recsys.services import Services
from tests.http.harness import RECIPES, Api, store_recipes

LINES = ["2 cucharadas de aceite de oliva", "lo que haya"]


class FakeTranslator:
    """Translates by writing the language before every text; `failure` makes it fail."""

    name = "gpt-test"
    failure: Exception | None = None

    async def translate(self, text: RecipeText, *, source: str, target: str) -> RecipeText:
        if self.failure:
            raise self.failure
        fields = msgspec.structs.asdict(text)
        return RecipeText(
            name=f"{target} {fields['name']}",
            description=fields["description"],
            ingredients=[f"{target} {line}" for line in fields["ingredients"]],
            steps=[f"{target} {step}" for step in fields["steps"]],
        )


def translations_of(api: Api) -> Translations:
    assert api.services.translations
    return api.services.translations


def translator_of(api: Api) -> FakeTranslator:
    translator = translations_of(api).translator
    assert isinstance(translator, FakeTranslator)
    return translator


class TestWithoutTranslator:
    async def test_the_original_is_shown_and_labelled(self, api: Api) -> None:
        """The recipe stays in its language, says so, and has its lines rendered where they are understood."""
        recipe = msgspec.structs.replace(RECIPES[0], recipe_id="test-lineas", ingredients=LINES)
        event = RecipeStored(source="test", recipe=recipe, content_hash="x")
        done = await api.services.store.append("catalogue-test", [event], metadata=Metadata(actor="test"))
        await api.services.runner.wait_until(done.position, timeout=5)
        shown = (await api.get("/recipes/test-lineas?idioma=en")).json
        assert (shown["idioma"], shown["ingredientes"]) == ("es", LINES)
        assert shown["ingredientes_traducidos"] == ["2 tablespoons olive oil", "lo que haya"]
        assert "traducido_por" not in shown

    async def test_the_same_language_changes_nothing(self, api: Api) -> None:
        """Neither `original` nor the recipe's own language adds a field."""
        plain = (await api.post("/recommend", {"query": "pollo"})).json["recetas"]
        assert (await api.post("/recommend", {"query": "pollo", "idioma": "es"})).json["recetas"] == plain
        assert (await api.post("/recommend", {"query": "pollo", "idioma": "original"})).json["recetas"] == plain

    async def test_nothing_is_measured_where_nothing_was_translated(self, api: Api) -> None:
        """The served event has no `translation` among its latencies, and nothing is degraded."""
        reply = await api.post("/recommend", {"query": "pollo", "idioma": "en"})
        (event,) = await api.services.store.read_all()
        assert isinstance(event.data, RecommendationServed)
        assert "translation" not in event.data.latency_ms
        assert reply.json["degradado"] == []

    async def test_another_language_is_refused(self, api: Api) -> None:
        """The closed set is named."""
        reply = await api.post("/recommend", {"query": "pollo", "idioma": "fr"})
        assert (reply.status, reply.json["field"]) == (422, "idioma")
        assert "original" in reply.json["fix"]


class TestWithTranslator:
    @pytest.fixture
    async def services(self, services: Services) -> AsyncIterator[Services]:
        translations = Translations(FakeTranslator(), services.store, budget_seconds=5)
        running = asyncio.create_task(translations.run())
        yield replace(services, translations=translations)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def test_a_recipe_is_translated_and_labelled(self, api: Api) -> None:
        """The answer says which language it is in, which it was, and what translated it."""
        reply = await api.post("/recommend", {"query": "pollo", "n": 1, "idioma": "en"}, {"X-Request-ID": "req-1"})
        (recipe,) = reply.json["recetas"]
        assert (recipe["nombre"], recipe["instrucciones"]) == ("en pollo", ["en Hornear."])
        assert (recipe["idioma"], recipe["idioma_original"]) == ("en", "es")
        assert recipe["traducido_por"] == "gpt-test"
        (event,) = await api.services.store.read_stream("recommendation-req-1")
        assert isinstance(event.data, RecommendationServed)
        assert event.data.latency_ms["translation"] > 0

    async def test_a_kept_translation_is_found_by_its_text(self, api: Api) -> None:
        """After a restart nothing is translated again: the view has what the log says."""
        await api.services.runner.wait_until(await store_recipes(api.services), timeout=5)
        first = await api.post("/recommend", {"query": "pollo", "n": 1, "idioma": "en"})
        translations_of(api).done.clear()
        translator_of(api).failure = AssertionError()
        shown = await api.get("/recipes/test-pollo?idioma=en", {"Log-Position": first.position})
        assert shown.json["traducido_por"] == "gpt-test"

    async def test_a_repeated_key_gets_the_translation_again(self, api: Api) -> None:
        """A retry under its key shows what the first answer showed."""
        await api.services.runner.wait_until(await store_recipes(api.services), timeout=5)
        body = {"query": "pollo", "n": 1, "idioma": "en"}
        first = await api.post("/recommend", body, {"Idempotency-Key": "k"})
        again = await api.post("/recommend", body, {"Idempotency-Key": "k"})
        assert again.json == first.json

    async def test_a_failed_translation_shows_the_original(self, api: Api) -> None:
        """The request is answered, labelled, and says what it had to do without."""
        translator_of(api).failure = EndpointUnavailable("it answered 503, 3 times")
        reply = await api.post("/recommend", {"query": "pollo", "n": 1, "idioma": "en"})
        (recipe,) = reply.json["recetas"]
        assert (reply.status, recipe["idioma"]) == (200, "es")
        assert recipe["ingredientes_traducidos"] == ["chicken"]
        assert reply.json["degradado"] == ["translation_incomplete"]
