"""What the tests of the recommender share: a few recipes, a fake embedder, and the recommender with its views."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from events.catalog import Event, Recipe, RecipeStored
from events.codec import encode
from events.event import Metadata
from events.sqlite import SqliteEventStore
from projections.catalogue import StoredRecipe
from projections.runner import Runner
from projections.views import Views
from recsys.evaluation.engine import search_views
from recsys.recommender.arrays import FloatArray
from recsys.recommender.contents import Reader
from recsys.recommender.embedding import DIMENSIONS, Embedder
from recsys.recommender.errors import EmbeddingUnavailable
from recsys.recommender.importing import content_hash
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.readings import Readings
from recsys.recommender.service import Recommender
from recsys.recommender.text import words

ACTOR = Metadata(actor="ana")
SPANISH_RECIPES = Path(__file__).parents[2] / "recsys" / "data" / "recipes_es.jsonl"


def recipe(name: str, *, language: str = "es", ingredients: str = "sal", recipe_id: str = "", **more: Any) -> Recipe:
    return Recipe(
        recipe_id=recipe_id or f"test-{name.lower().replace(' ', '-')}",
        name=name,
        language=language,
        ingredients=ingredients.split(", "),
        steps=["Mezclar."],
        **more,
    )


def stored(recipe: Recipe) -> RecipeStored:
    return RecipeStored(source="test", recipe=recipe, content_hash=content_hash(recipe))


def as_stored(recipes: Iterable[Recipe]) -> list[StoredRecipe]:
    """Return the recipes as the catalogue holds them."""
    return [
        StoredRecipe(recipe.recipe_id, content_hash(recipe), recipe.language, encode(recipe), position)
        for position, recipe in enumerate(recipes, 1)
    ]


def read(recipes: Iterable[Recipe]) -> Readings:
    """Return what is read in the recipes."""
    return Readings.of(as_stored(recipes), Reader(shipped_lexicon()))


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


class WordEmbedder:
    """Texts with the same words have the same direction, and texts with other words have others."""

    fingerprint = "fake"

    def query(self, text: str) -> FloatArray:
        vector = np.full(DIMENSIONS, 0.01, dtype=np.float32)
        for word in words(text):
            vector[sum(word.encode()) % DIMENSIONS] += 1
        return vector / np.float32(np.linalg.norm(vector))

    passage = query


def no_embedder() -> Embedder:
    raise EmbeddingUnavailable("the test says so")


@dataclass
class Kitchen:
    """The recommender with what it lives on."""

    store: SqliteEventStore
    runner: Runner
    recommender: Recommender

    async def tell(self, *events: Event) -> None:
        """Append events and wait until the views have them."""
        appended = await self.store.append("catalogue-test", list(events), metadata=ACTOR)
        await self.runner.wait_until(appended.position, timeout=10)

    async def names(self, query: str, n: int = 3) -> list[str]:
        return [recipe.name for recipe in (await self.recommender.recommend(query, n)).recipes]


@asynccontextmanager
async def open_kitchen(
    store: SqliteEventStore, folder: Path, *, make_embedder: Callable[[], Embedder] = WordEmbedder
) -> AsyncIterator[Kitchen]:
    views = await Views.open(folder / "views.db", search_views())
    runner = Runner(store, views)
    projecting = asyncio.create_task(runner.run())
    recommender = Recommender(views, folder / "cache", make_embedder=make_embedder)
    try:
        yield Kitchen(store, runner, recommender)
    finally:
        recommender.close()
        projecting.cancel()
        await asyncio.gather(projecting, return_exceptions=True)
        await views.close()
