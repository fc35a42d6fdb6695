"""The shipped Spanish catalogue answers the requests that people make, by its words alone."""

import numpy as np
import pytest

from events.catalog import Recipe
from recsys.recommender.arrays import BoolArray, FloatArray
from recsys.recommender.lexical import LexicalIndex, Unit
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.retrieval import Candidates, Meaning, retrieve
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.spelling import Speller
from recsys.recommender.text import LANGUAGES
from recsys.recommender.understanding import Knowledge, understand
from tests.recommender.harness import SPANISH_RECIPES, read, recipe

ENGLISH = [
    recipe("Chicken Soup", language="en", ingredients="1 chicken, 2 carrots"),
    recipe("Pan-fried Bread", language="en", ingredients="flour, milk", recipe_id="test-pan"),
    recipe("Tortilla de Patatas", language="en", ingredients="potatoes, eggs"),
    recipe("Gluten-free Dessert", language="en", ingredients="rice flour, sugar"),
]
ANSWERS = {
    "paella valenciana": "Paella valenciana",
    "GAZPACHO ANDALUZ": "Gazpacho andaluz",
    "fabada asturiana": "Fabada asturiana",
    "pisto manchego": "Pisto manchego",
    "patatas a la riojana": "Patatas a la riojana",
    "calcots": "Calçots con salsa romesco",
    "tortilla de patatas": "Tortilla de patatas",
    "porra antequerana": "Porra antequerana",
    "buñuelos de bacalao": "Buñuelos de bacalao",
    "receta original de la tarta de queso": "Tarta de queso al horno",
    "¿cómo hacer croquetas?": "Croquetas de",
    "recetas de lentejas": "lentejas",
    "quiero una receta de bizcocho": "Bizcocho",
    "recetas de salmon": "almón",
    "receta de pan": "Pan",
    "vitel toné receta original": "Vitel toné",
    "chicken soup recipe": "Chicken Soup",
}


@pytest.fixture(scope="module")
def catalogue() -> tuple[list[Recipe], LexicalIndex]:
    rows = list(read_source(SPANISH_RECIPES))
    recipes = [row[1] for row in rows if not isinstance(row, Problem)] + ENGLISH
    return recipes, LexicalIndex.build(read(recipes))


def knowledge(index: LexicalIndex) -> Knowledge:
    return Knowledge(shipped_lexicon(), index, Speller.build({}))


def candidates(
    recipes: list[Recipe],
    index: LexicalIndex,
    query: str,
    cosines: FloatArray | None = None,
    is_known: BoolArray | None = None,
) -> Candidates:
    request = understand(query, knowledge(index))
    no_one = np.zeros(len(recipes), dtype=bool)
    return retrieve(
        request,
        index.scores(request.units, request.lean),
        Meaning.none(len(recipes)) if cosines is None or is_known is None else meaning(cosines, is_known),
        allowed=~no_one,
        avoided=no_one,
        pantry=np.zeros(len(recipes), dtype=np.float32),
        language=np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32),
    )


def meaning(cosines: FloatArray, is_known: BoolArray) -> Meaning:
    return Meaning(np.flatnonzero(is_known).astype(np.int32), is_known, lambda rows: cosines[rows])


def best(catalogue: tuple[list[Recipe], LexicalIndex], query: str) -> Recipe:
    found = candidates(*catalogue, query)
    return catalogue[0][int(found.rows[found.relevance.argmax()])]


@pytest.mark.parametrize("query", ANSWERS)
def test_the_first_answer_is_the_dish(catalogue: tuple[list[Recipe], LexicalIndex], query: str) -> None:
    """Accents, capitals, plurals and the words around a dish do not hide it."""
    assert ANSWERS[query] in best(catalogue, query).name


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("recetas de pan", "es"),
        ("pizza", "es"),
        ("sopa de ajo", "es"),
        ("piña", "es"),
        ("chicken soup", "en"),
        ("gluten free dessert", "en"),
        ("how to make bread", "en"),
    ],
)
def test_the_language_of_a_request_is_told(
    catalogue: tuple[list[Recipe], LexicalIndex], query: str, language: str
) -> None:
    """Stop words, letters and the catalogue's own vocabularies vote; nobody's dish is Spanish."""
    assert understand(query, knowledge(catalogue[1])).language == language


def test_a_recipe_with_all_words_beats_one_with_a_rare_word_often() -> None:
    """The score counts by the share of the request's words that a recipe has."""
    both = recipe("Curry vegano", ingredients="arroz, garbanzos")
    recipes = [recipe("Azafrán", ingredients="azafrán, azafrán"), both, *[recipe("Curry")] * 5]
    index = LexicalIndex.build(read(recipes))
    scores = index.scores([Unit((word,)) for word in ("curry", "vegano", "azafran")], 1.0)
    assert scores.bm25.argmax() == 1
    assert scores.shares[1] == pytest.approx(2 / 3)


def test_an_index_from_its_arrays_scores_the_same(catalogue: tuple[list[Recipe], LexicalIndex]) -> None:
    """What is kept on disk is the whole index."""
    index = catalogue[1]
    copy = LexicalIndex.of_arrays(index.arrays())
    assert np.array_equal(scored(index), scored(copy))
    assert index.spanish_vote("pizza") == copy.spanish_vote("pizza")


def scored(index: LexicalIndex) -> FloatArray:
    return index.scores([Unit(("pollo",), "chicken"), Unit(("arroz",))], 0.5).bm25


def test_a_recipe_without_a_vector_is_ranked_by_its_words() -> None:
    """While recipes wait for their vectors, the best by words still comes first."""
    recipes = [recipe("Sopa de ajo"), recipe("Pan"), recipe("Sopa")]
    index = LexicalIndex.build(read(recipes))
    semantic = np.array([0, 0.8, 0.9], dtype=np.float32)
    found = candidates(recipes, index, "sopa de ajo", semantic, np.array([False, True, True]))
    assert found.rows[found.relevance.argmax()] == 0


def test_nothing_is_found_in_an_empty_catalogue() -> None:
    """No recipes, no candidates, no error."""
    assert len(candidates([], LexicalIndex.build(read([])), "pollo").rows) == 0
