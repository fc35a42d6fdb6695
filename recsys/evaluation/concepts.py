"""Which recipes hold what a request forbids, by a list of words kept apart from what the search knows. Floor 3.

Apart on purpose: a search that took chickpea flour for wheat would agree with itself.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from events.catalog import Recipe
from recsys.recommender.errors import UnreadableSource
from recsys.recommender.text import fold

CONCEPTS_FILE = Path(__file__).parents[1] / "data" / "judged" / "concepts.json"

# "Mayonnaise (Vegan)" is named after what it does without.
GOES_WITHOUT = re.compile(r"\b(?:vegan[ao]?|vegetarian[ao]?|meatless|free|sin|without|imitation)\b")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells that a recipe holds something. found: its words, Spanish and English, in the singular, without
    accents. but_not: phrases with such a word that mean something else ("peanut butter" is no butter).
    """

    found: list[str]
    but_not: list[str] = []


class Concepts:
    """The concepts by name: "egg", "gluten", …"""

    def __init__(self, words: Mapping[str, Words]) -> None:
        self.found = {name: phrases(concept.found) for name, concept in words.items()}
        self.but_not = {name: phrases(concept.but_not) for name, concept in words.items()}

    def revealing_text(self, recipe: Recipe, concept: str) -> str | None:
        """Return the name or the ingredient that shows that the recipe holds the concept; None if none does."""
        lines = recipe.ingredients if GOES_WITHOUT.search(fold(recipe.name)) else (recipe.name, *recipe.ingredients)
        return next((line for line in lines if self.is_in(line, concept)), None)

    def is_in(self, line: str, concept: str) -> bool:
        return self.found[concept].search(self.but_not[concept].sub(" ", fold(line))) is not None


def phrases(words: list[str]) -> re.Pattern[str]:
    """Return a pattern that finds the phrases, in the singular or plural, as whole words; nothing if there are none."""
    longest_first = sorted(words, key=len, reverse=True)
    either = "|".join(re.escape(phrase).replace(r"\ ", r"[\s-]+") for phrase in longest_first)
    return re.compile(rf"\b(?:{either})(?:e?s)?\b" if either else r"(?!)")


@lru_cache(maxsize=1)
def read_concepts() -> Concepts:
    """Return the shipped concepts. Raises UnreadableSource."""
    try:
        return Concepts(msgspec.json.decode(CONCEPTS_FILE.read_bytes(), type=dict[str, Words]))
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableSource(f"{CONCEPTS_FILE} cannot be read: {error}") from error
