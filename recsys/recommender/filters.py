"""Which recipes may be answers to a request: those without what is excluded, within the limits. Floor 3."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.recommender.arrays import BoolArray
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.contents import MINUTES_UNKNOWN
from recsys.recommender.lexicon import Lexicon
from recsys.recommender.limits import Limits
from recsys.recommender.options import Options, folded_tags, known_foods, left_out
from recsys.recommender.text import LANGUAGES
from recsys.recommender.understanding import Understanding


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What an answer must keep to. concepts and words: of foods that it must not contain."""

    concepts: Sequence[str]
    words: Sequence[str]
    limits: Limits
    options: Options


def bounds_of(understanding: Understanding, options: Options, lexicon: Lexicon) -> Bounds:
    """Return what the request's words and its options exclude together. Raises InvalidInput for an unknown diet."""
    foods = known_foods(options.exclude, lexicon)
    concepts = [*understanding.excluded, *foods.concepts, *left_out(options.diets, lexicon)]
    words = [*understanding.excluded_words, *foods.words]
    return Bounds(concepts=list(dict.fromkeys(concepts)), words=words, limits=understanding.limits, options=options)


def allowed_rows(catalogue: Catalogue, bounds: Bounds) -> BoolArray:
    """Return whether each recipe may be an answer, (n,).

    Of recipes that do not state their minutes, those asked for in words may, those asked for as a filter may not.
    """
    contents, options = catalogue.contents, bounds.options
    allowed = ~contents.with_any(bounds.concepts)
    allowed &= ~with_any_word(catalogue, bounds.words)
    if bounds.limits.minutes_max is not None:
        allowed &= contents.minutes <= bounds.limits.minutes_max
    if options.max_minutes is not None:
        allowed &= (contents.minutes <= options.max_minutes) & (contents.minutes != MINUTES_UNKNOWN)
    for most in (bounds.limits.ingredients_max, options.max_ingredients):
        if most is not None:
            allowed &= contents.line_counts <= most
    if options.language:
        allowed &= catalogue.language == LANGUAGES.index(options.language)
    for tag in folded_tags(options.tags):
        allowed &= contents.with_tag(tag)
    return allowed


def with_any_word(catalogue: Catalogue, words: Iterable[str]) -> BoolArray:
    """Return whether each recipe has one of the words anywhere, (n,)."""
    found = np.zeros(len(catalogue.recipes), dtype=bool)
    for word in words:
        found |= catalogue.lexical.with_word(word)
    return found
