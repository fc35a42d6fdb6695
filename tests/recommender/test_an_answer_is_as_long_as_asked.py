"""An answer has as many recipes as were asked for where so many may be given: what fits first, then what is like it."""

import pytest

from events.catalog import Recipe
from tests.recommender.harness import Kitchen, recipe, stored

CAKES = [
    recipe("Tarta vegana", ingredients="harina, azúcar, aceite", recipe_id="test-vegan"),
    recipe("Tarta de la abuela", ingredients="harina, azúcar, 4 huevos", recipe_id="test-eggs"),
    recipe("Galletas", ingredients="harina, azúcar, aceite", recipe_id="test-biscuits"),
    recipe("Gambas a la plancha", ingredients="gambas, limón", recipe_id="test-prawns"),
]
COLD_NIGHT = [
    recipe("Pan casero", ingredients="harina, agua tibia", recipe_id="test-bread"),
    recipe("Sopa de verduras", ingredients="puerro, zanahoria", recipe_id="test-soup"),
]


async def answer(kitchen: Kitchen, recipes: list[Recipe], query: str, n: int) -> list[str]:
    """Return the ids of what is answered from these recipes once they are all embedded."""
    await kitchen.tell(*map(stored, recipes))
    await kitchen.recommender.load()
    while await kitchen.recommender.embed_some():
        pass
    return [found.recipe_id for found in (await kitchen.recommender.recommend(query, n)).recipes]


async def test_what_is_like_the_dish_follows_the_dish(kitchen: Kitchen) -> None:
    """One cake is without eggs: the biscuits, made of the same, come before the prawns."""
    assert await answer(kitchen, CAKES, "tarta sin huevo", 3) == ["test-vegan", "test-biscuits", "test-prawns"]


async def test_what_is_excluded_tells_what_is_like_it(kitchen: Kitchen) -> None:
    """Where every such dish is excluded, what is like it answers, and not one of it."""
    assert await answer(kitchen, CAKES[1:], "tarta sin huevo", 1) == ["test-biscuits"]


@pytest.mark.parametrize(("query", "expected"), [("algo sin huevo", 3), ("gambas", 1)])
async def test_without_vectors_only_who_asks_for_anything_gets_anything(
    kitchen: Kitchen, query: str, expected: int
) -> None:
    """Biscuits have nothing to do with prawns, but are without eggs."""
    await kitchen.tell(*map(stored, CAKES))
    await kitchen.recommender.load()
    assert len((await kitchen.recommender.recommend(query, 9)).recipes) == expected


async def test_a_mood_is_answered_by_the_dishes_that_it_brings_to_mind(kitchen: Kitchen) -> None:
    """A cold night asks for a soup; bread is not warm for the warm water in it."""
    assert await answer(kitchen, COLD_NIGHT, "algo calentito para una noche fría", 1) == ["test-soup"]


async def test_a_word_that_nobody_knows_is_left_to_the_meaning(kitchen: Kitchen) -> None:
    """The words suffice where all are known; one that is not is embedded with the rest."""
    await kitchen.tell(*map(stored, CAKES))
    await kitchen.recommender.load()
    known, unknown = [await kitchen.recommender.recommend(query) for query in ("tarta", "tarta zarrapastrosa")]
    assert ("embedding" in known.latency_ms, "embedding" in unknown.latency_ms) == (False, True)


async def test_the_requests_language_comes_first_where_both_have_the_dish(kitchen: Kitchen) -> None:
    """The shorter English name fits better, yet who asks in Spanish is answered in Spanish."""
    cakes = [
        recipe("Carrot Cake", language="en", ingredients="carrots, flour", recipe_id="test-en"),
        recipe("Bizcocho casero de zanahoria", ingredients="zanahorias, harina", recipe_id="test-es"),
    ]
    assert await answer(kitchen, cakes, "¿me das una receta de bizcocho de zanahoria?", 2) == ["test-es", "test-en"]
