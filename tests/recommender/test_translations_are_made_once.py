"""A recipe's text is translated once: asked for by many, kept by its hash, and not at all while it fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from events.catalog import Recipe, RecipeTranslated
from events.sqlite import SqliteEventStore
from recsys.integrations.errors import EndpointUnavailable
from recsys.recommender.translation import WAITING_MAX, RecipeText, Translations, text_hash, translated_lines

SOUP = Recipe(recipe_id="a", name="Soup", language="en", ingredients=["2 cups water", "magic dust"], steps=["Boil."])


class FakeTranslator:
    """Writes "es:" before every text; `gate` makes it wait, `failure` makes it fail."""

    name = "fake-1"

    def __init__(self) -> None:
        self.asked = 0
        self.gate: asyncio.Event | None = None
        self.failure: Exception | None = None

    async def translate(self, text: RecipeText, *, source: str, target: str) -> RecipeText:
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if self.failure:
            raise self.failure
        return msgspec.structs.replace(text, name=f"{target}:{text.name}")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db") as store:
        yield store


@pytest.fixture
async def translations(store: SqliteEventStore) -> AsyncIterator[Translations]:
    translations = Translations(FakeTranslator(), store, budget_seconds=0.05)
    running = asyncio.create_task(translations.run())
    yield translations
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def fake_of(translations: Translations) -> FakeTranslator:
    assert isinstance(translations.translator, FakeTranslator)
    return translations.translator


async def test_a_translation_is_an_event(translations: Translations, store: SqliteEventStore) -> None:
    """What users are shown is in the log, with the model that wrote it."""
    translations.budget_seconds = 5
    found, milliseconds = await translations.translated([SOUP], "es")
    (event,) = await store.read_all()
    assert isinstance(event.data, RecipeTranslated)
    assert found == {text_hash(SOUP): event.data}
    assert (event.data.name, event.data.translator) == ("es:Soup", "fake-1")
    assert milliseconds > 0


async def test_equal_texts_are_translated_once(translations: Translations) -> None:
    """Many requests and copies of a recipe wait for one translation, and later ones find it."""
    translations.budget_seconds = 5
    copy = msgspec.structs.replace(SOUP, recipe_id="b")
    both = await asyncio.gather(translations.translated([SOUP, copy], "es"), translations.translated([SOUP], "es"))
    later, milliseconds = await translations.translated([copy], "es")
    assert fake_of(translations).asked == 1
    assert both[0][0] == both[1][0] == later
    assert milliseconds == 0


async def test_an_answer_does_not_wait_longer_than_its_budget(
    translations: Translations, store: SqliteEventStore
) -> None:
    """The request goes on without it; the translation goes on, too, and is there the next time."""
    fake = fake_of(translations)
    fake.gate = asyncio.Event()
    assert await translations.translated([SOUP], "es") == ({}, 0.0)
    under_way = translations.under_way[text_hash(SOUP), "es"]
    fake.gate.set()
    assert await under_way
    assert list((await translations.translated([SOUP], "es"))[0]) == [text_hash(SOUP)]
    assert await store.head() == 1


async def test_a_text_that_failed_is_left_alone_for_a_while(translations: Translations) -> None:
    """A failure costs the next requests no wait and the endpoint no calls."""
    translations.budget_seconds = 5
    fake = fake_of(translations)
    fake.failure = EndpointUnavailable()
    assert await translations.translated([SOUP], "es") == ({}, 0.0)
    assert await translations.translated([SOUP], "es") == ({}, 0.0)
    assert fake.asked == 1


async def test_too_many_are_not_queued(store: SqliteEventStore) -> None:
    """The queue is bounded: what does not fit is translated when it is next asked for."""
    translations = Translations(FakeTranslator(), store, budget_seconds=0.01)  # nobody works
    recipes = [msgspec.structs.replace(SOUP, name=str(number)) for number in range(WAITING_MAX + 5)]
    await translations.translated(recipes, "es")
    assert len(translations.under_way) == WAITING_MAX


def test_lines_are_rendered_where_they_can_be() -> None:
    """Without a translator the ingredient lines that are understood stand in the language asked for."""
    assert translated_lines(SOUP, "es") == ["2 tazas de agua", "magic dust"]
