"""What is in my fridge: how far it goes for each recipe, and what would be missing. Floor 3."""

from collections.abc import Sequence

from events.catalog import Recipe
from recsys.recommender.arrays import FloatArray
from recsys.recommender.contents import STAPLES, Contents, Reader
from recsys.recommender.lexicon import Lexicon
from recsys.recommender.options import known_foods
from recsys.recommender.text import words

# What one has is to be used up, but above all little must be bought.
COVERAGE_WEIGHT = 0.7


def pantry_fit(contents: Contents, at_hand: Sequence[str], lexicon: Lexicon) -> FloatArray:
    """Return how well each recipe can be made of the foods at hand, (n,), in [0, 1]; 0 where it uses none of them."""
    covered, used = contents.coverage(known_foods(at_hand, lexicon).concepts, lexicon)
    fit: FloatArray = (COVERAGE_WEIGHT * covered + (1 - COVERAGE_WEIGHT) * used) * (used > 0)
    return fit


def missing_lines(recipe: Recipe, at_hand: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Return the recipe's ingredient lines that the foods at hand do not cover; water, salt and pepper are there."""
    reader = Reader(lexicon)
    foods = known_foods(at_hand, lexicon)
    provided = STAPLES.union(*(lexicon.narrower.get(concept, frozenset()) for concept in foods.concepts))
    return [
        line
        for line in recipe.ingredients
        if provided.isdisjoint(reader.foods(line, recipe.language)) and not set(foods.words) & set(words(line))
    ]
