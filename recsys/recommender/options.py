"""What a request sets beside its words: filters, and the foods at hand. Floor 3."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import InvalidInput
from recsys.recommender.lexicon import Lexicon
from recsys.recommender.text import LANGUAGES, fold, tokens


@dataclass(frozen=True, kw_only=True)
class Options:
    """Filters, each with no effect while empty, and the foods at hand. Foods, diets and tags are in either language.

    exclude: foods that no answer may contain. diets: such as "vegan". max_minutes: recipes must state their time.
    max_ingredients: water, salt and pepper do not count. tags: recipes must have all. ingredients: what is at hand, to
    rank by how little is missing. preferred_language: no filter, recipes in it come first where others are no better.
    """

    exclude: tuple[str, ...] = ()
    diets: tuple[str, ...] = ()
    max_minutes: int | None = None
    max_ingredients: int | None = None
    language: str = ""
    preferred_language: str = ""
    tags: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Foods:
    """Foods as the lexicon knows them. words: what it does not know."""

    concepts: tuple[str, ...]
    words: tuple[str, ...]


def known_foods(texts: Sequence[str], lexicon: Lexicon) -> Foods:
    """Return the concepts that the texts name, by an id of the lexicon or a name; a text without any by its words."""
    concepts: list[str] = []
    words: list[str] = []
    for text in texts:
        found = concepts_of(text, lexicon)
        concepts += found
        words += [] if found else [token.word for token in tokens(text) if token.is_word]
    return Foods(concepts=tuple(concepts), words=tuple(words))


def concepts_of(text: str, lexicon: Lexicon) -> list[str]:
    if text in lexicon.concepts:
        return [text]
    words = [token.word for token in tokens(text)]
    return [mention.concept for mention in lexicon.mentions(words, LANGUAGES)]


def left_out(diets: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Return the concepts that the diets leave out. Raises InvalidInput for a diet that the lexicon does not know."""
    found: list[str] = []
    for diet in diets:
        known = [name for name in concepts_of(diet, lexicon) if lexicon.concepts[name].kind == "diet"]
        if not known:
            names = sorted(concept.concept for concept in lexicon.concepts.values() if concept.kind == "diet")
            raise InvalidInput(
                f"the diet {diet!r} is not known", field="diet", found=repr(diet), fix=f"use one of {', '.join(names)}"
            )
        found += [food for name in known for food in lexicon.concepts[name].contains]
    return found


def folded_tags(tags: Sequence[str]) -> list[str]:
    return [fold(tag).strip() for tag in tags]
