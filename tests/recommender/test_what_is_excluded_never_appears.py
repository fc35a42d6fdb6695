"""A promise: no answer holds, in its ingredients or its name, what the request excludes."""

import random
import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from events.catalog import Recipe
from recsys.commands.first_start import FETCHED_WHEELS
from recsys.recommender.catalogue import Catalogue, Index
from recsys.recommender.index import Collection, EmbeddedIndex
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.moment import Moment, Ratings, search
from recsys.recommender.options import Options
from recsys.recommender.ranker import LinearRanker
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.text import fold
from recsys.recommender.understanding import understand
from recsys.recommender.vectors import Vectors
from tests.recommender.harness import SPANISH_RECIPES, as_stored, recipe

# What must not be read in an answer, whatever the lexicon says.
FORBIDDEN = {
    "egg": r"\b(?:huevos?|eggs?|yemas?|yolks?|mayonesa|mayonnaise|merengue|meringues?)\b",
    "nut": r"\b(?:nuez|nueces|almendras?|avellanas?|pistachos?|anacardos?|nuts?|walnuts?|almonds?|pecans?|cashews?"
    r"|hazelnuts?|pistachios?)\b",
    "milk": r"\b(?:leche|milk|buttermilk|queso|cheese|mantequilla|butter|nata|cream|yogur|yogurt|parmesan|cheddar)\b",
    "gluten": r"\b(?:pan rallado|trigo|wheat|spaghetti|espaguetis|macarrones|bread ?crumbs|couscous|soy sauce)\b",
    "onion": r"\b(?:cebollas?|onions?|cebolletas?|scallions?)\b",
    "garlic": r"\b(?:ajos?|garlic)\b",
    "pork": r"\b(?:cerdo|pork|bacon|panceta|tocino|jamon|ham|chorizo|prosciutto)\b",
    "fish": r"\b(?:pescado|fish|atun|tuna|salmon|bacalao|cod|merluza|anchoas?|anchov(?:y|ies))\b",
    "shellfish": r"\b(?:gambas?|langostinos?|shrimps?|prawns?|mejillones|mussels?|almejas?|clams?|crab|lobster)\b",
    "meat": r"\b(?:carne|meat|pollo|chicken|ternera|beef|cerdo|pork|cordero|lamb|jamon|ham|bacon|turkey|pavo)\b",
    "alcohol": r"\b(?:vino|wine|ron|rum|cerveza|beer|brandy|vodka|conac|tequila|whisky|whiskey)\b",
    "mushroom": r"\b(?:champinon(?:es)?|setas?|mushrooms?)\b",
    "tomato": r"\b(?:tomates?|tomato(?:es)?|ketchup)\b",
}
# Names that only sound like it.
FALSE_FRIENDS = re.compile(
    r"\b(?:soy|almond|coconut|oat|rice|cashew|peanut) (?:milk|cream|yogurt|butter)"
    r"|(?:leche|crema|nata|mantequilla|yogur) (?:de (?:coco|almendras?|soja|avena|arroz|cacahuete|mani)|vegetal)"
    r"|cream of tartar|butter (?:beans?|lettuce)|nuez moscada|vinagre de vino|wine vinegar|spaghetti sauce"
    r"|trigo sarraceno|carne de membrillo"
)
SPOKEN = {
    "es": {
        "egg": "huevo", "nut": "frutos secos", "milk": "leche", "gluten": "gluten", "onion": "cebolla",
        "garlic": "ajo", "pork": "cerdo", "fish": "pescado", "shellfish": "marisco", "meat": "carne",
        "alcohol": "alcohol", "mushroom": "setas", "tomato": "tomate",
    },
    "en": {
        "egg": "eggs", "nut": "nuts", "milk": "milk", "gluten": "gluten", "onion": "onions",
        "garlic": "garlic", "pork": "pork", "fish": "fish", "shellfish": "shellfish", "meat": "meat",
        "alcohol": "alcohol", "mushroom": "mushrooms", "tomato": "tomato",
    },
}  # fmt: skip
DISHES = {
    "es": "sopa|ensalada|tarta|pasta|arroz|algo para cenar|un postre|tortilla|guiso|croquetas|salsa|galletas",
    "en": "soup|salad|cake|pasta|rice|something for dinner|a dessert|omelette|stew|cookies|sauce|sandwich",
}
SHAPES = {
    "es": "{dish} sin {food}|{dish} que no lleve {food}|no me gusta el {food}, quiero {dish}|{dish}, nada de {food}",
    "en": "{dish} without {food}|{dish} with no {food}|{food}-free {dish}|I can't eat {food}: {dish}",
}
REQUESTS = [
    (shape.format(dish=dish, food=food), concept)
    for language in ("es", "en")
    for shape, dish, (concept, food) in product(
        SHAPES[language].split("|"), DISHES[language].split("|"), SPOKEN[language].items()
    )
]
DIETS = {
    "vegan": ("egg", "milk", "pork", "fish", "shellfish", "meat"),
    "vegana": ("egg", "milk", "pork", "fish", "shellfish", "meat"),
    "vegetarian": ("pork", "fish", "shellfish", "meat"),
    "vegetariano": ("pork", "fish", "shellfish", "meat"),
}
# What a line says is not in it, or in its place: "vegan butter", "gluten-free", "sin leche".
FREED = re.compile(
    r"\b(?:vegan[ao]?s?|egg|dairy|milk|gluten|nut|meat|alcohol|onion)[ -]?(?:free|less)\b|\bvegan[ao]?s?\b|\bsin \w+"
    r"|\bno \w+|\bnon[ -]\w+|\bwithout \w+|\bvegetarian\w*|\bveggie"
)


def english_recipes() -> list[Recipe]:
    """The Wikibooks recipes where they are, and some of our own in any case."""
    foods = ["2 eggs", "1 cup milk", "1 onion", "2 cloves garlic", "bacon", "1 tin tuna", "prawns", "beef", "wine"]
    chance = random.Random(1)
    own = [
        recipe(
            f"{dish} {number}",
            language="en",
            ingredients=", ".join(chance.sample(foods, 3)),
            recipe_id=f"en-{dish}-{number}",
        )
        for dish, number in product(("Soup", "Salad", "Cake", "Stew", "Sandwich"), range(8))
    ]
    wheels = sorted(FETCHED_WHEELS.glob("*.whl"))
    return own + [row[1] for path in wheels for row in read_source(path) if not isinstance(row, Problem)]


@cache
def moment() -> Moment:
    spanish = [row[1] for row in read_source(SPANISH_RECIPES) if not isinstance(row, Problem)]
    recipes = [*spanish, *english_recipes()]
    rows = as_stored(recipes)
    catalogue = Catalogue(rows, Index.build(rows, shipped_lexicon()), shipped_lexicon())
    collection = Collection(catalogue, Vectors.none(len(rows)))
    return Moment(catalogue, Ratings.none(len(rows)), collection, EmbeddedIndex(Path(), ""))


@cache
def answers(query: str, options: Options | None = None) -> list[Recipe]:
    now = moment()
    understanding = understand(query, now.catalogue.knowledge)
    ranked = search(now, understanding, None, ranker=LinearRanker(), n=20, options=options or Options())
    return [now.catalogue.recipes[row].decode() for row in ranked.rows]


def violations(query: str, concepts: tuple[str, ...], options: Options | None = None) -> list[str]:
    return [
        f"{query}: {found.recipe_id}: {line}"
        for found in answers(query, options)
        for line in (found.name, *found.ingredients)
        for concept in concepts
        if re.search(FORBIDDEN[concept], FALSE_FRIENDS.sub("", fold(line))) and not FREED.search(fold(line))
    ]


def test_excluded_foods_never_appear() -> None:
    """In more than 1,200 requests of both languages, twenty answers each."""
    assert len(REQUESTS) > 1_200
    assert not [violation for query, concept in REQUESTS for violation in violations(query, (concept,))]


def test_exclusions_leave_something_to_eat() -> None:
    """Nine requests of ten with an exclusion still have an answer."""
    answered = sum(bool(answers(query)) for query, _ in REQUESTS)
    assert answered >= 0.9 * len(REQUESTS)


@pytest.mark.parametrize("diet", DIETS)
def test_diets_are_kept(diet: str) -> None:
    """A diet's name excludes all that the diet leaves out, in words and as a filter."""
    for dish in (*DISHES["es"].split("|"), *DISHES["en"].split("|")):
        assert not violations(f"{dish} {diet}", DIETS[diet])
        assert not violations(dish, DIETS[diet], Options(diets=(diet,)))


@pytest.mark.parametrize("concept", FORBIDDEN)
def test_the_filter_excludes_like_the_words(concept: str) -> None:
    """`exclude` takes the name in either language."""
    for language, spoken in SPOKEN.items():
        for dish in DISHES[language].split("|"):
            assert not violations(dish, (concept,), Options(exclude=(spoken[concept],)))


def test_a_food_the_lexicon_does_not_know_is_excluded_too() -> None:
    """By its word, wherever a recipe has it."""
    assert not [found for found in answers("sopa sin mizuna") if "mizuna" in str(found).lower()]
