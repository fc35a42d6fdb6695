"""The words by which an answer is found to hold what its request forbids."""

import pytest

from recsys.evaluation.concepts import read_concepts
from recsys.evaluation.judged import read_judged
from tests.evaluation.shipped import JUDGED
from tests.recommender.harness import recipe


@pytest.mark.parametrize(
    ("concept", "line"),
    [
        ("egg", "2 huevos grandes"),
        ("egg", "3 tablespoons mayonnaise"),
        ("gluten", "100 g de harina"),
        ("gluten", "2 cups (240 g) all-purpose flour"),
        ("milk", "50 g unsalted butter"),
        ("nut", "½ cup chopped walnuts"),
        ("meat", "2 lonchas de jamón"),
        ("onion", "4 scallions"),
    ],
)
def test_an_ingredient_reveals_it(concept: str, line: str) -> None:
    """Both languages, plurals and what contains it count."""
    assert read_concepts().revealing_text(recipe("Plato", ingredients=line), concept) == line


@pytest.mark.parametrize(
    ("concept", "line"),
    [
        ("egg", "1 large eggplant"),
        ("gluten", "harina de maíz"),
        ("gluten", "1 cup rice flour"),
        ("milk", "400 ml coconut milk"),
        ("milk", "2 tbsp peanut butter"),
        ("nut", "1 pizca de nuez moscada"),
        ("nut", "nutmeg"),
        ("meat", "1 can kidney beans"),
        ("potato", "2 sweet potatoes"),
    ],
)
def test_a_namesake_does_not(concept: str, line: str) -> None:
    """What only sounds like it is allowed."""
    assert read_concepts().revealing_text(recipe("Plato", ingredients=line), concept) is None


def test_a_dish_named_after_what_it_lacks_is_allowed() -> None:
    """Vegan mayonnaise holds no egg, unless its ingredients say so."""
    assert read_concepts().revealing_text(recipe("Mayonnaise (Vegan)", ingredients="tofu"), "egg") is None
    assert read_concepts().revealing_text(recipe("Mayonnaise (Vegan)", ingredients="1 egg"), "egg") == "1 egg"


def test_every_forbidden_concept_has_words() -> None:
    """No judged request forbids something that could not be found."""
    named = {concept for request in read_judged(JUDGED).requests for concept in request.forbidden}
    assert named <= read_concepts().found.keys()
