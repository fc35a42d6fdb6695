"""A request's language, foods, exclusions and limits are read from its words."""

import pytest

from recsys.recommender.lexical import LexicalIndex
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.limits import Limits
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.spelling import Speller, edit_cost
from recsys.recommender.text import words
from recsys.recommender.understanding import Knowledge, Understanding, understand
from tests.recommender.harness import SPANISH_RECIPES, read

WORDS = {
    word: 1 for concept in shipped_lexicon().concepts.values() for name in concept.names["es"] for word in words(name)
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    recipes = [row[1] for row in read_source(SPANISH_RECIPES) if not isinstance(row, Problem)]
    return Knowledge(shipped_lexicon(), LexicalIndex.build(read(recipes)), Speller.build(WORDS))


def asked(understanding: Understanding) -> set[str]:
    return {found.concept for found in understanding.concepts}


@pytest.mark.parametrize(
    ("query", "excluded", "wanted"),
    [
        ("tarta de queso sin huevo", {"egg"}, {"cheesecake"}),
        ("pasta with no nuts", {"nut"}, {"pasta"}),
        ("pancakes without milk", {"milk"}, {"pancake"}),
        ("sopa que no lleve cebolla", {"onion"}, {"soup"}),
        ("curry without milk, eggs or soy", {"milk", "egg", "soy"}, {"curry"}),
        ("ensalada sin tomate ni pepino con atún", {"tomato", "cucumber"}, {"salad", "tuna"}),
        ("nada de marisco con arroz", {"shellfish"}, {"rice"}),
        ("de todo menos carne", {"meat"}, set()),
        ("vegan curry", {"egg", "dairy", "meat", "fish", "honey"}, {"curry"}),
        ("hamburguesa vegana", {"meat", "egg", "dairy"}, {"burger"}),
        ("gluten-free bread", {"gluten"}, {"bread"}),
        ("dairy and gluten free cake", {"dairy", "gluten"}, {"cake"}),
        ("eggless chocolate cake", {"egg"}, {"chocolate_cake"}),
        ("cookies, I'm allergic to peanuts", {"peanut"}, {"cookie"}),
        ("soy alérgica a los frutos secos", {"nut"}, set()),
        ("I don't like fish", {"fish"}, set()),
        ("pollo excepto con champiñones", {"button_mushroom"}, {"chicken"}),
    ],
)
def test_exclusions_are_told_from_wishes(
    knowledge: Knowledge, query: str, excluded: set[str], wanted: set[str]
) -> None:
    """What is left out is excluded and not looked for; what is asked for is not excluded."""
    understanding = understand(query, knowledge)
    assert excluded <= set(understanding.excluded)
    assert wanted <= asked(understanding)
    assert not asked(understanding) & excluded


@pytest.mark.parametrize(
    ("query", "concept"),
    [("tarta sin horno", "no_bake"), ("no-bake cheesecake", "no_bake"), ("no sé qué hacer con pollo", "chicken")],
)
def test_a_no_may_belong_to_something_else(knowledge: Knowledge, query: str, concept: str) -> None:
    """Without an oven is a technique, and not to know what to cook excludes nothing."""
    understanding = understand(query, knowledge)
    assert concept in asked(understanding)
    assert understanding.excluded == understanding.excluded_words == []


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ("cena en 30 minutos", Limits(minutes_max=30)),
        ("pasta en menos de media hora", Limits(minutes_max=30)),
        ("stew in an hour and a half", Limits(minutes_max=90)),
        ("cocido de una hora y media", Limits(minutes_max=90)),
        ("20-minute meals", Limits(minutes_max=20)),
        ("quick soup", Limits(is_quick=True)),
        ("postre rápido para 2", Limits(is_quick=True, servings=2)),
        ("paella for six people", Limits(servings=6)),
        ("5 ingredient pasta", Limits(ingredients_max=5)),
        ("con tres ingredientes", Limits(ingredients_max=3)),
        ("pollo con arroz", Limits()),
        ("tres leches", Limits()),
    ],
)
def test_limits_are_read(knowledge: Knowledge, query: str, limits: Limits) -> None:
    """Minutes, ingredients and people, in digits and words of both languages."""
    understanding = understand(query, knowledge)
    assert understanding.limits == limits


@pytest.mark.parametrize(
    ("written", "meant"),
    [("zanaoria", "zanahoria"), ("garvanzos", "garbanzo"), ("esinacas", "espinacas"), ("calabasin", "calabacin")],
)
def test_misspelt_words_are_mended(knowledge: Knowledge, written: str, meant: str) -> None:
    """One or two slips in a word do not hide it; the answer can say what was read."""
    assert understand(f"receta con {written}", knowledge).corrections == {written: meant}


def test_sound_costs_half() -> None:
    """What is pronounced alike is nearer than any other letter."""
    assert edit_cost("baca", "vaca", 2) < edit_cost("laca", "vaca", 2) == 1


def test_known_words_are_left_alone(knowledge: Knowledge) -> None:
    """A word of the catalogue or the lexicon is never respelt, nor are the words around it."""
    assert understand("¿Qué puedo hacer sin horno que no lleve huevo?", knowledge).corrections == {}
