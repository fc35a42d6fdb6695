"""The language of the answer is a preference: recipes in it come first, others still answer where it has none."""

from recsys.recommender.options import Options
from tests.recommender.harness import Kitchen, recipe, stored

SOUPS = [
    recipe("Sopa de tomate", language="es", ingredients="tomate, agua", recipe_id="test-es"),
    recipe("Tomato Soup", language="en", ingredients="tomato, water", recipe_id="test-en"),
    recipe("Pumpkin Pie", language="en", ingredients="pumpkin, flour", recipe_id="test-pie"),
]


async def first(kitchen: Kitchen, query: str, language: str) -> str:
    answer = await kitchen.recommender.recommend(query, 1, options=Options(preferred_language=language))
    return answer.recipes[0].recipe_id


async def test_the_asked_language_comes_before_the_requests_own(kitchen: Kitchen) -> None:
    """A Spanish request that asks for answers in English gets the English recipe first, and the other way round."""
    await kitchen.tell(*map(stored, SOUPS))
    await kitchen.recommender.load()
    assert await first(kitchen, "sopa de tomate", "en") == "test-en"
    assert await first(kitchen, "sopa de tomate", "es") == "test-es"
    assert await first(kitchen, "tomato soup", "es") == "test-es"


async def test_what_only_the_other_language_has_is_found(kitchen: Kitchen) -> None:
    """A preference hides nothing."""
    await kitchen.tell(*map(stored, SOUPS))
    await kitchen.recommender.load()
    assert await first(kitchen, "pumpkin pie", "es") == "test-pie"
