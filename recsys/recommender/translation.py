"""Recipes in the language asked for: as they are, by a kept translation, by a new one, or by their lines. Floor 3.

A recipe is translated once: the translation is an event, kept by the hash of the text. An answer waits for new ones
no longer than its budget; they go on in the background and are there the next time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from events.catalog import Recipe, RecipeTranslated
from events.errors import EventStoreError
from events.event import Metadata
from events.store import EventStore
from recsys.integrations.errors import IntegrationError
from recsys.logging import app_logger
from recsys.recommender.ingredient_lines import translated_line
from recsys.recommender.lru import LruCache

Idioma = Literal["es", "en", "original"]

BUDGET_SECONDS: Final = 4.0  # an answer with originals now is better than a perfect one later
WORKERS: Final = 4
WAITING_MAX: Final = 64  # more texts than this are translated when they are next asked for
KEPT: Final = 2048  # until the view has them, and while a text that failed is left alone
RETRY_SECONDS: Final = 300.0
ACTOR: Final = "translator"


TEXT_CHARACTERS_MAX: Final = 20_000
Text = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]


class RecipeText(msgspec.Struct, frozen=True, kw_only=True):
    """What of a recipe is translated."""

    name: Text
    description: Text
    ingredients: list[Text]
    steps: list[Text]

    def entries(self) -> list[str]:
        return [self.name, self.description, *self.ingredients, *self.steps]


class TextTranslator(Protocol):
    """Translates the text of a recipe. name: who did it, for the reader."""

    name: str

    async def translate(self, text: RecipeText, *, source: str, target: str) -> RecipeText:
        """Return the text in the language `target`. Raises IntegrationError."""
        ...


@dataclass(frozen=True)
class Wanted:
    """A text to be translated."""

    text_hash: str
    text: RecipeText
    source: str
    target: str

    @property
    def key(self) -> tuple[str, str]:
        return self.text_hash, self.target


class Translations:
    """Has recipes translated, each text once. Keep `run()` running beside it."""

    def __init__(
        self, translator: TextTranslator, store: EventStore, *, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        self.translator = translator
        self.store = store
        self.budget_seconds = budget_seconds
        self.waiting: asyncio.Queue[Wanted] = asyncio.Queue(WAITING_MAX)
        self.under_way: dict[tuple[str, str], asyncio.Future[RecipeTranslated | None]] = {}
        self.done: LruCache[tuple[str, str], RecipeTranslated] = LruCache(KEPT)
        self.failed: LruCache[tuple[str, str], float] = LruCache(KEPT)

    async def run(self) -> None:
        """Translate what is asked for, until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(self.work(), name=f"translator-{number}")

    async def translated(self, recipes: Sequence[Recipe], target: str) -> tuple[dict[str, RecipeTranslated], float]:
        """Return the new translations by the hash of their text, as far as they are ready within the budget.

        Also how long it took, in milliseconds; 0 if nothing was translated.
        """
        start = perf_counter()
        wanted = {text_hash(recipe): recipe for recipe in recipes}
        found = {digest: kept for digest in wanted if (kept := self.done.get((digest, target)))}
        asked = [self.ask(digest, recipe, target) for digest, recipe in wanted.items() if digest not in found]
        futures = [future for future in asked if future]
        if not futures:
            return found, 0.0
        ready, _ = await asyncio.wait(futures, timeout=self.budget_seconds)
        new = {translation.text_hash: translation for future in ready if (translation := future.result())}
        return found | new, (perf_counter() - start) * 1e3 if new else 0.0

    def ask(self, digest: str, recipe: Recipe, target: str) -> "asyncio.Future[RecipeTranslated | None] | None":
        """Return the translation to come; None if it failed lately or too many wait."""
        key = digest, target
        if (future := self.under_way.get(key)) is not None:
            return future
        loop = asyncio.get_running_loop()
        if loop.time() < (self.failed.get(key) or 0.0):
            return None
        try:
            self.waiting.put_nowait(Wanted(digest, text_of(recipe), recipe.language, target))
        except asyncio.QueueFull:
            return None
        return self.under_way.setdefault(key, loop.create_future())

    async def work(self) -> None:
        while True:
            wanted = await self.waiting.get()
            done = None
            try:
                done = await self.translate(wanted)
                self.done.put(wanted.key, done)
            except (IntegrationError, EventStoreError) as error:
                self.failed.put(wanted.key, asyncio.get_running_loop().time() + RETRY_SECONDS)
                app_logger.warning("a recipe is shown untranslated: %s", error)
            finally:
                self.under_way.pop(wanted.key).set_result(done)

    async def translate(self, wanted: Wanted) -> RecipeTranslated:
        """Return the translation when it is in the log. Raises IntegrationError, EventStoreError."""
        text = await self.translator.translate(wanted.text, source=wanted.source, target=wanted.target)
        event = RecipeTranslated(
            text_hash=wanted.text_hash,
            source_language=wanted.source,
            target_language=wanted.target,
            translator=self.translator.name,
            **msgspec.structs.asdict(text),
        )
        await self.store.append(f"translation-{wanted.text_hash}", [event], metadata=Metadata(actor=ACTOR))
        return event


def text_of(recipe: Recipe) -> RecipeText:
    return RecipeText(
        name=recipe.name, description=recipe.description, ingredients=recipe.ingredients, steps=recipe.steps
    )


def text_hash(recipe: Recipe) -> str:
    """Return the first 32 hex digits of the SHA-256 of the recipe's language and text."""
    return sha256(msgspec.json.encode((recipe.language, text_of(recipe)))).hexdigest()[:32]


def translated_lines(recipe: Recipe, target: str) -> list[str]:
    """Return the ingredient lines in the language `target`; a line that is not understood stays as it is."""
    return [translated_line(line, source=recipe.language, target=target) or line for line in recipe.ingredients]
