"""What each recipe contains: the lexicon's concepts in its name and ingredients, and all that these imply. Floor 3."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from recsys.recommender.arrays import BoolArray, FloatArray, IntArray, stable_order
from recsys.recommender.exclusions import find_exclusions
from recsys.recommender.lexicon import Lexicon, Mention
from recsys.recommender.packing import packed, unpacked
from recsys.recommender.text import LANGUAGES, Token, tokens

# In every kitchen: they count neither as an ingredient to buy nor against a limit of ingredients.
STAPLES = frozenset({"water", "salt", "black_pepper", "pepper"})
ABSENT_IN = {"vegan": ("animal",), "vegetarian": ("meat", "seafood", "gelatin")}
FREE = "_free"  # ends the names of diets such as nut_free
# A "vegan" or "sin gluten" speaks for the food beside it: not for the other one of "butter or vegan margarine".
ALTERNATIVES = frozenset({"o", "u", "y", "e", "or", "and", "/", ",", ";", "(", ")", "."})
MINUTES_UNKNOWN = -1
TEXTS_KEPT = 1 << 16


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
    def of(cls, numbers: IntArray, rows: IntArray, size: int) -> "Postings":
        """Return the postings of concepts, each beside its row, without repeats; the rows in ascending order."""
        counts = np.bincount(numbers, minlength=size)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return cls(starts, rows[stable_order(numbers)])

    def rows_of(self, number: int) -> IntArray:
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def counts_by_row(self, size: int) -> IntArray:
        return np.bincount(self.rows, minlength=size).astype(np.int32)


class Reader:
    """Reads the concepts in names and ingredient lines, each once: a thousand recipes have "salt"."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.implied_by = cache(self.implied_without)
        self.read = lru_cache(TEXTS_KEPT)(self.read_anew)

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

    def within_dishes(self, text: str, language: str) -> list[str]:
        """Return the concepts that parts of dishes' names have: pecans of "pecan pie", lamb chops of grilled ones."""
        row, mentions = self.read(text, language)
        found: list[str] = []
        for dish in mentions:
            if self.lexicon.concepts[dish.concept].kind == "dish" and dish.end - dish.start > 1:
                words = [token.word for token in row[dish.start : dish.end]]
                for part in (words[1:], words[:-1], *([word] for word in words)):
                    found += [mention.concept for mention in self.lexicon.mentions(part, by_preference(language))]
        return list(dict.fromkeys(found))

    def implied(self, line: str, language: str) -> frozenset[str]:
        """Return all that an ingredient line says is in it, or may be: what "mayonnaise" is made of, too.

        "Gluten-free flour" holds no gluten, and "vegan butter" nothing of an animal.
        """
        row, mentions = self.read(line, language)
        found: set[str] = set()
        for part, mentioned in alternatives(row, mentions):
            absent = frozenset(self.absent(part, mentioned))
            found |= self.implied_by_all(mentioned, absent)
        return frozenset(found)

    def implied_by_name(self, name: str, language: str, *, is_listed: bool) -> frozenset[str]:
        """Return all that a recipe's name says is in it. All of "vegan mac and cheese" is vegan.

        is_listed: each of the recipe's own lines names a food. They then tell what is in what it is named for: not
        every burger is of beef, nor every cake made with eggs. A pecan pie has pecans all the same.
        """
        row, mentions = self.read(name, language)
        absent = frozenset(self.absent(row, mentions))
        if not is_listed:
            return self.implied_by_all(mentions, absent)
        named = [*(mention.concept for mention in mentions), *self.within_dishes(name, language)]
        kinds = (self.lexicon.kinds_of[concept] for concept in named)
        return frozenset().union(*(names for names in kinds if not names & absent))

    def implied_by_all(self, mentions: Iterable[Mention], absent: frozenset[str]) -> frozenset[str]:
        return frozenset().union(*(self.implied_by(mention.concept, absent) for mention in mentions))

    def absent(self, part: Sequence[Token], mentions: Sequence[Mention]) -> Iterator[str]:
        """Yield what the words say is left out."""
        yield from find_exclusions(part, mentions, self.lexicon).concepts
        for mention in mentions:
            yield from absent_in(mention.concept)

    def implied_without(self, concept: str, absent: frozenset[str]) -> frozenset[str]:
        """Return the concept with all that it implies, less what is absent and what would bring that in."""
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
            waiting += [(part, False) for part in lexicon.concepts[name].contains]
        return frozenset(found)


def absent_in(diet: str) -> tuple[str, ...]:
    """Return what a product of that diet surely lacks: less than the diet, for lactose-free cream is cream."""
    food = diet.removesuffix(FREE)
    return ABSENT_IN.get(diet, (food,) if food != diet else ())


def alternatives(row: Sequence[Token], mentions: Sequence[Mention]) -> Iterator[tuple[Sequence[Token], list[Mention]]]:
    """Yield the parts of a line between "or", commas and the like that no concept spans, each with its mentions."""
    inside = {place for mention in mentions for place in range(mention.start, mention.end)}
    cuts = [at for at, token in enumerate(row) if token.word in ALTERNATIVES and at not in inside]
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
