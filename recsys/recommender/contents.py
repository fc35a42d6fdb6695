"""What each recipe contains: the lexicon's concepts in its name and ingredients, and all that these imply. Floor 3."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.exclusions import find_exclusions
from recsys.recommender.lexicon import Lexicon, Mention
from recsys.recommender.packing import packed, unpacked
from recsys.recommender.text import LANGUAGES, Token, fold, tokens

# In every kitchen: they count neither as an ingredient to buy nor against a limit of ingredients.
STAPLES = frozenset({"water", "salt", "black_pepper", "pepper"})
# What no recipe leaves unsaid, while it may speak of "stock" or "biscuits" and mean meat or gluten.
STATED = frozenset({"egg", "vegetable", "fruit", "herb", "spice", "allium", "sugar"})
ABSENT_IN = {"vegan": ("animal",), "vegetarian": ("meat", "seafood", "gelatin")}
FREE = "_free"  # ends the names of diets such as nut_free
# A "vegan" or "sin gluten" speaks for the food beside it: not for the other one of "butter or vegan margarine".
ALTERNATIVES = frozenset({"o", "u", "y", "e", "or", "and", "/", ",", ";", "(", ")", "."})
MINUTES_UNKNOWN = -1


class Contents:
    """The concepts of all recipes, as postings. Never changed once built.

    held: all that a recipe may contain. listed: the foods that its ingredient lines name, staples aside; listed_counts:
    (n,) how many. tagged: its tags, course and cuisine, folded. line_counts: (n,) ingredient lines, staples aside.
    minutes: (n,), -1 where unknown.
    """

    def __init__(
        self,
        names: Sequence[str],
        held: "Postings",
        listed: "Postings",
        tags: Sequence[str],
        tagged: "Postings",
        line_counts: IntArray,
        minutes: IntArray,
    ) -> None:
        self.numbers = {name: number for number, name in enumerate(names)}
        self.held, self.listed = held, listed
        self.tags = {tag: number for number, tag in enumerate(tags)}
        self.tagged = tagged
        self.line_counts, self.minutes = line_counts, minutes
        self.listed_counts = listed.counts_by_row(len(minutes))

    @classmethod
    def build(cls, recipes: Sequence[Recipe], reader: "Reader") -> "Contents":
        """Return the contents of the recipes, in their order."""
        names = sorted(reader.lexicon.concepts)
        numbers = {name: number for number, name in enumerate(names)}
        held: list[tuple[int, int]] = []
        listed: list[tuple[int, int]] = []
        tags: dict[str, int] = {}
        tagged: set[tuple[int, int]] = set()
        line_counts: list[int] = []
        for row, recipe in enumerate(recipes):
            lines = [reader.foods(line, recipe.language) for line in recipe.ingredients]
            bought = [foods for foods in lines if not foods or foods - STAPLES]
            line_counts.append(len(bought))
            listed += [(numbers[name], row) for name in frozenset().union(*bought) - STAPLES]
            implied = reader.implied(recipe.name, recipe.language, is_name=True).union(
                *(reader.implied(line, recipe.language) for line in recipe.ingredients)
            )
            held += [(numbers[name], row) for name in implied]
            tagged |= {(tags.setdefault(fold(tag).strip(), len(tags)), row) for tag in labels(recipe)}
        return cls(
            names,
            Postings.of(held, len(names)),
            Postings.of(listed, len(names)),
            list(tags),
            Postings.of(tagged, len(tags)),
            np.array(line_counts, dtype=np.int32),
            np.array([recipe.minutes or MINUTES_UNKNOWN for recipe in recipes], dtype=np.int32),
        )

    def with_any(self, concepts: Iterable[str]) -> BoolArray:
        """Return whether each recipe may contain one of the concepts, (n,)."""
        found = np.zeros(len(self.minutes), dtype=bool)
        for concept in concepts:
            if (number := self.numbers.get(concept)) is not None:
                found[self.held.rows_of(number)] = True
        return found

    def with_tag(self, tag: str) -> BoolArray:
        """Return whether each recipe has the folded tag, course or cuisine, (n,)."""
        found = np.zeros(len(self.minutes), dtype=bool)
        if (number := self.tags.get(tag)) is not None:
            found[self.tagged.rows_of(number)] = True
        return found

    def coverage(self, concepts: Iterable[str], lexicon: Lexicon) -> tuple[FloatArray, FloatArray]:
        """Return the share of each recipe's foods that the concepts provide, and of these that it uses; (n,) each."""
        provided = np.zeros(len(self.minutes), dtype=np.float32)
        used = np.zeros(len(self.minutes), dtype=np.float32)
        taken: set[str] = set()
        asked = list(dict.fromkeys(concepts))
        for concept in asked:
            uses = np.zeros(len(self.minutes), dtype=bool)
            for name in provided_by(concept, lexicon):
                rows = self.listed.rows_of(self.numbers[name])
                uses[rows] = True
                if name not in taken:
                    provided[rows] += 1
                    taken.add(name)
            used += uses
        share = provided / np.maximum(self.listed_counts, 1)
        return share.astype(np.float32), used / np.float32(max(len(asked), 1))

    def overlap(self, foods: Collection[str]) -> FloatArray:
        """Return the share of foods that each recipe and these have in common, of all that either has, (n,)."""
        shared = np.zeros(len(self.minutes), dtype=np.float32)
        for name in foods:
            shared[self.listed.rows_of(self.numbers[name])] += 1
        total = np.maximum(len(foods) + self.listed_counts - shared, 1)
        overlap: FloatArray = (shared / total).astype(np.float32)
        return overlap

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the contents as arrays, for a file."""
        return {
            "concepts": packed(self.numbers),
            "held_starts": self.held.starts,
            "held_rows": self.held.rows,
            "listed_starts": self.listed.starts,
            "listed_rows": self.listed.rows,
            "tags": packed(self.tags),
            "tagged_starts": self.tagged.starts,
            "tagged_rows": self.tagged.rows,
            "line_counts": self.line_counts,
            "minutes": self.minutes,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Contents":
        """Return the contents of such arrays. Raises KeyError if one is missing."""
        return cls(
            unpacked(arrays["concepts"]),
            Postings(arrays["held_starts"], arrays["held_rows"]),
            Postings(arrays["listed_starts"], arrays["listed_rows"]),
            unpacked(arrays["tags"]),
            Postings(arrays["tagged_starts"], arrays["tagged_rows"]),
            arrays["line_counts"],
            arrays["minutes"],
        )


class Postings:
    """The rows of each concept, one after the other. starts: (concepts + 1,)."""

    def __init__(self, starts: IntArray, rows: IntArray) -> None:
        self.starts = starts
        self.rows = rows

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]], size: int) -> "Postings":
        """Return the postings of (concept, row) pairs without repeats."""
        columns = np.array(list(pairs), dtype=np.int32).reshape(-1, 2)
        order = np.lexsort((columns[:, 1], columns[:, 0]))
        counts = np.bincount(columns[:, 0], minlength=size)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return cls(starts, np.ascontiguousarray(columns[order, 1]))

    def rows_of(self, number: int) -> IntArray:
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def counts_by_row(self, size: int) -> IntArray:
        return np.bincount(self.rows, minlength=size).astype(np.int32)


class Reader:
    """Reads the concepts in names and ingredient lines, each once: a thousand recipes have "salt"."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.implied_by = cache(self.implied_without)
        self.read = cache(self.read_anew)

    def read_anew(self, text: str, language: str) -> tuple[list[Token], list[Mention]]:
        """Return the tokens of a text, and the concepts that they name."""
        row = tokens(text)
        return row, self.lexicon.mentions([token.word for token in row], by_preference(language))

    def mentions(self, text: str, language: str) -> list[Mention]:
        return self.read(text, language)[1]

    def foods(self, line: str, language: str) -> frozenset[str]:
        """Return the foods that an ingredient line names."""
        named = (mention.concept for mention in self.mentions(line, language))
        return frozenset(name for name in named if self.lexicon.concepts[name].kind in ("ingredient", "dish"))

    def implied(self, text: str, language: str, *, is_name: bool = False) -> frozenset[str]:
        """Return all that a line or a recipe's name says is in it, or may be: what "mayonnaise" is made of, too.

        "Gluten-free flour" holds no gluten, and "vegan butter" nothing of an animal. Of a dish that a recipe is
        named for, its own lines tell whether it holds eggs or vegetables: not every cake does.
        """
        row, mentions = self.read(text, language)
        found: set[str] = set()
        for part, mentioned in alternatives(row, mentions, is_name=is_name):
            absent = frozenset(self.absent(part, mentioned))
            for mention in mentioned:
                is_made_here = is_name and self.lexicon.concepts[mention.concept].kind == "dish"
                found |= self.implied_by(mention.concept, absent, is_made_here)
        return frozenset(found)

    def absent(self, part: Sequence[Token], mentions: Sequence[Mention]) -> Iterator[str]:
        """Yield what the words say is left out."""
        yield from find_exclusions(part, mentions, self.lexicon).concepts
        for mention in mentions:
            yield from absent_in(mention.concept)

    def implied_without(self, concept: str, absent: frozenset[str], is_made_here: bool) -> frozenset[str]:
        """Return the concept with all that it implies, less what is absent and what would bring that in.

        is_made_here: what the recipe's own lines would state is not implied.
        """
        lexicon = self.lexicon
        if lexicon.kinds_of[concept] & absent or lexicon.concepts[concept].kind == "diet":
            return frozenset()
        found: set[str] = set()
        waiting = [(concept, True)]
        while waiting:
            name, is_kind = waiting.pop()
            reached = lexicon.kinds_of[name] if is_kind else lexicon.holds[name]
            if name in found or reached & absent:
                continue
            found.add(name)
            waiting += [(parent, is_kind) for parent in lexicon.concepts[name].is_a]
            parts = lexicon.concepts[name].contains
            waiting += [(part, False) for part in parts if not (is_made_here and lexicon.kinds_of[part] & STATED)]
        return frozenset(found)


def absent_in(diet: str) -> tuple[str, ...]:
    """Return what a product of that diet surely lacks: less than the diet, for lactose-free cream is cream."""
    food = diet.removesuffix(FREE)
    return ABSENT_IN.get(diet, (food,) if food != diet else ())


def alternatives(
    row: Sequence[Token], mentions: Sequence[Mention], *, is_name: bool
) -> Iterator[tuple[Sequence[Token], list[Mention]]]:
    """Yield the parts of a line between "or", commas and the like that no concept spans, each with its mentions.

    A name is one part: all of "vegan mac and cheese" is vegan.
    """
    inside = {place for mention in mentions for place in range(mention.start, mention.end)}
    cuts = [] if is_name else [at for at, token in enumerate(row) if token.word in ALTERNATIVES and at not in inside]
    start = 0
    for end in (*cuts, len(row)):
        yield (
            row[start:end],
            [
                Mention(mention.concept, mention.start - start, mention.end - start)
                for mention in mentions
                if start <= mention.start and mention.end <= end
            ],
        )
        start = end + 1


def labels(recipe: Recipe) -> list[str]:
    return [label for label in (*recipe.tags, recipe.course, recipe.cuisine) if label]


def by_preference(language: str) -> tuple[str, ...]:
    """Return both languages, this one first."""
    return (language, *(other for other in LANGUAGES if other != language))


def provided_by(concept: str, lexicon: Lexicon) -> frozenset[str]:
    """Return the concepts that one who has this one has: its kinds, so that "chicken" serves for a chicken breast."""
    return lexicon.narrower.get(concept, frozenset())
