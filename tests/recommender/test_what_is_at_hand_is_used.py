"""Foods at hand rank recipes by how little is missing; filters hold; a recipe has its like."""

import pytest

from recsys.errors import InvalidInput, RecipeNotFound
from recsys.recommender.options import Options
from tests.recommender.harness import Kitchen, recipe, stored

RECIPES = [
    recipe("Tortilla de patatas", ingredients="6 huevos, 600 g de patatas, 1 cebolla, sal", minutes=40, tags=["Cena"]),
    recipe("Patatas bravas", ingredients="600 g de patatas, 1 tomate, pimentón, 2 dientes de ajo", minutes=30),
    recipe("Potato Salad", language="en", ingredients="500 g potatoes, 2 eggs, 1 cup mayonnaise", minutes=90),
    recipe("Sopa de ajo", ingredients="6 dientes de ajo, pan, 4 huevos, agua"),
]


@pytest.fixture(autouse=True)
async def loaded(kitchen: Kitchen) -> None:
    await kitchen.tell(*map(stored, RECIPES))
    await kitchen.recommender.load()


async def names(kitchen: Kitchen, query: str, options: Options) -> list[str]:
    return [recipe.name for recipe in (await kitchen.recommender.recommend(query, 9, options=options)).recipes]


async def test_the_recipe_with_least_missing_comes_first(kitchen: Kitchen) -> None:
    """Names of other countries count, water and salt are there anyhow, and the answer says what is to be bought."""
    answer = await kitchen.recommender.recommend("", 2, options=Options(ingredients=("papas", "eggs", "onions")))
    assert [recipe.name for recipe in answer.recipes] == ["Tortilla de patatas", "Potato Salad"]
    assert answer.missing == [[], ["1 cup mayonnaise"]]


async def test_recipes_that_use_nothing_at_hand_are_left_out(kitchen: Kitchen) -> None:
    """Who has only tomatoes is not shown a soup of garlic."""
    assert await names(kitchen, "", Options(ingredients=("tomate",))) == ["Patatas bravas"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(exclude=("egg",)), {"Patatas bravas"}),
        (Options(exclude=("cebolla", "ajo")), {"Potato Salad"}),
        (Options(diets=("vegana",)), {"Patatas bravas"}),
        (Options(max_minutes=40), {"Tortilla de patatas", "Patatas bravas"}),
        (Options(max_ingredients=3), {"Tortilla de patatas", "Potato Salad", "Sopa de ajo"}),
        (Options(language="en"), {"Potato Salad"}),
        (Options(tags=("cena",)), {"Tortilla de patatas"}),
    ],
)
async def test_filters_hold(kitchen: Kitchen, options: Options, expected: set[str]) -> None:
    """Each parameter leaves only the recipes that keep to it."""
    assert set(await names(kitchen, "patatas con huevo y ajo", options)) == expected


async def test_an_unknown_diet_is_refused(kitchen: Kitchen) -> None:
    """The error names those that are known."""
    with pytest.raises(InvalidInput, match="lunar"):
        await kitchen.recommender.recommend("sopa", 1, options=Options(diets=("lunar",)))


async def test_the_like_of_a_recipe_is_found_across_languages(kitchen: Kitchen) -> None:
    """Shared foods and meaning, the recipe itself left out."""
    found = await kitchen.recommender.similar("test-tortilla-de-patatas", 1)
    assert [recipe.name for recipe in found.recipes] == ["Potato Salad"]
    with pytest.raises(RecipeNotFound):
        await kitchen.recommender.similar("none", 1)


async def test_an_answer_can_be_explained(kitchen: Kitchen) -> None:
    """What was understood, and the features of each recipe."""
    answer = await kitchen.recommender.recommend("patatas sin huevo", 3)
    assert answer.understanding is not None
    assert answer.understanding.excluded == ["egg"]
    assert [set(features) >= {"relevance", "name", "share"} for features in answer.features] == [True]
