"""What was read in each recipe: its words and concepts by field, its foods and labels, kept by its content. Floor 3.

Reading a recipe takes a millisecond, and making the indexes of 100,000 recipes from what was read a few seconds: so
what was read is kept, and only recipes of new content are read.
"""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from projections.catalogue import StoredRecipe
from recsys.recommender.arrays import IntArray
from recsys.recommender.contents import MINUTES_UNKNOWN, STAPLES, Reader, labels
from recsys.recommender.packing import packed, unpacked
from recsys.recommender.text import LANGUAGES, fold, words

FIELD_NAMES = (
    "name", "labels", "ingredients", "description", "steps",
    "name_concepts", "label_concepts", "ingredient_concepts", "name_kinds", "ingredient_kinds",
    "held", "listed", "tagged",
)  # fmt: skip
FIELDS = {name: number for number, name in enumerate(FIELD_NAMES)}
CONCEPT = "@@:"  # stands before a concept as "es:" does before a Spanish word
TAG = "##:"
LINES_KEPT = 1 << 16
COUNT_MAX = np.iinfo(np.uint16).max
CONTENT_KEY = np.dtype("S32")


def field_texts(recipe: Recipe) -> tuple[str, ...]:
    """Return the recipe's texts in the order of FIELD_NAMES' first five."""
    about = " ".join((*recipe.tags, recipe.course, recipe.cuisine))
    return recipe.name, about, " ".join(recipe.ingredients), recipe.description, " ".join(recipe.steps)


class Readings:
    """What was read in the recipes, one after the other. Never changed once made.

    names: the words, concepts and labels by number: "es:pollo", "@@:chicken", "##:postre". Those of recipe r stand at
    starts[r]:starts[r + 1] of numbers, fields and counts: what, where and how often. contents: (n,) hashes of the
    recipes. languages: (n,) places in LANGUAGES. line_counts: (n,) ingredient lines, staples aside. minutes: (n,).
    """

    def __init__(self, names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.names = names
        self.starts = arrays["starts"]
        self.numbers = arrays["numbers"]
        self.fields = arrays["fields"]
        self.counts = arrays["counts"]
        self.contents = arrays["contents"]
        self.languages: IntArray = arrays["languages"]
        self.line_counts: IntArray = arrays["line_counts"]
        self.minutes: IntArray = arrays["minutes"]

    def __len__(self) -> int:
        return len(self.contents)

    @property
    def recipe_of(self) -> IntArray:
        """Return the recipe of each entry."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def in_field(self, recipe: int, field: str) -> list[str]:
        """Return the names in a field of a recipe, without what says whether they are words or concepts."""
        entries = slice(self.starts[recipe], self.starts[recipe + 1])
        return [self.names[number][3:] for number in self.numbers[entries][self.fields[entries] == FIELDS[field]]]

    @classmethod
    def of(cls, recipes: Sequence[StoredRecipe], reader: Reader, former: "Readings | None" = None) -> "Readings":
        """Return what is in the recipes, in their order; what is in `former` already is not read again."""
        base = former or cls.none()
        places = {content: place for place, content in enumerate(base.contents.tolist())}
        writer = Writer(base.names, reader)
        for recipe in recipes:
            content = recipe.content_hash.encode()
            if content not in places:
                places[content] = len(base) + len(writer.contents)
                writer.add(recipe.decode(), content)
        if not writer.contents and [*places] == [recipe.content_hash.encode() for recipe in recipes]:
            return base
        order = np.array([places[recipe.content_hash.encode()] for recipe in recipes], dtype=np.int64)
        return joined(base, writer.readings()).chosen(order)

    @classmethod
    def none(cls) -> "Readings":
        return Writer([], None).readings()

    def chosen(self, order: NDArray[np.int64]) -> "Readings":
        """Return the readings of these recipes, in that order."""
        lengths = np.diff(self.starts)[order]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.starts[order] - starts[:-1], lengths) + np.arange(starts[-1])
        entries = {name: getattr(self, name)[at] for name in ENTRY_ARRAYS}
        rows = {name: getattr(self, name)[order] for name in RECIPE_ARRAYS}
        return Readings(self.names, {"starts": starts, **entries, **rows})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the readings as arrays, for a file."""
        arrays = {f"read_{name}": getattr(self, name) for name in ("starts", *ENTRY_ARRAYS, *RECIPE_ARRAYS)}
        return {"read_names": packed(self.names), **arrays}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Readings":
        """Return the readings of such arrays. Raises KeyError if one is missing."""
        return cls(
            unpacked(arrays["read_names"]),
            {name: arrays[f"read_{name}"] for name in ("starts", *ENTRY_ARRAYS, *RECIPE_ARRAYS)},
        )


ENTRY_ARRAYS = ("numbers", "fields", "counts")
RECIPE_ARRAYS = ("contents", "languages", "line_counts", "minutes")


def joined(first: Readings, second: Readings) -> Readings:
    """Return the readings of the first, then those of the second, whose names begin with the first's."""
    starts = np.concatenate([first.starts, first.starts[-1] + second.starts[1:]])
    names = (*ENTRY_ARRAYS, *RECIPE_ARRAYS)
    return Readings(
        second.names,
        {"starts": starts, **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}},
    )


class Numbers(dict[str, int]):
    """The numbers of words; an unknown one gets the next, and is written down with a prefix."""

    def __init__(self, prefix: str, names: list[str]) -> None:
        super().__init__({name[len(prefix) :]: at for at, name in enumerate(names) if name.startswith(prefix)})
        self.prefix = prefix
        self.names = names

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self.names)
        self.names.append(self.prefix + word)
        return number


class Line(NamedTuple):
    """What an ingredient line says. named: its concepts; kinds: what these are kinds of; implied: all it may hold."""

    named: tuple[str, ...]
    kinds: tuple[str, ...]
    foods: frozenset[str]
    implied: frozenset[str]


class Writer:
    """Reads recipes one by one into growing arrays; the numbers of names go on from those given."""

    def __init__(self, names: Sequence[str], reader: Reader | None) -> None:
        self.names = list(names)
        self.words = {language: Numbers(f"{language}:", self.names) for language in LANGUAGES}
        self.concepts = Numbers(CONCEPT, self.names)
        self.tags = Numbers(TAG, self.names)
        self.reader = reader
        self.line = lru_cache(LINES_KEPT)(self.read_line)
        self.starts = array("q", [0])
        self.numbers, self.fields, self.counts = array("i"), array("B"), array("L")
        self.contents: list[bytes] = []
        self.languages, self.line_counts, self.minutes = array("i"), array("i"), array("i")

    def add(self, recipe: Recipe, content: bytes) -> None:
        """Read a recipe."""
        assert self.reader is not None
        language = recipe.language
        number_of = self.words[language].__getitem__
        for field, text in enumerate(field_texts(recipe)):
            self.put(field, Counter(map(number_of, words(text))))
        lines = [self.line(line, language) for line in recipe.ingredients]
        self.put_concepts(recipe, lines)
        bought = [line.foods for line in lines if not line.foods or line.foods - STAPLES]
        held = self.reader.implied_by_name(
            recipe.name, language, is_listed=bool(lines) and all(line.foods for line in lines)
        ).union(*(line.implied for line in lines))
        self.put_once("held", self.concepts, held)
        self.put_once("listed", self.concepts, frozenset().union(*bought) - STAPLES)
        self.put_once("tagged", self.tags, {fold(label).strip() for label in labels(recipe)})
        self.contents.append(content)
        self.languages.append(LANGUAGES.index(language))
        self.line_counts.append(len(bought))
        self.minutes.append(recipe.minutes or MINUTES_UNKNOWN)
        self.starts.append(len(self.numbers))

    def put_concepts(self, recipe: Recipe, lines: Sequence[Line]) -> None:
        """Note the concepts of the name, the labels and the ingredients, and what they are kinds of."""
        number_of = self.concepts.__getitem__
        name, about = (self.line(text, recipe.language) for text in field_texts(recipe)[:2])
        self.put(FIELDS["name_concepts"], Counter(map(number_of, name.named)))
        self.put(FIELDS["label_concepts"], Counter(map(number_of, about.named)))
        listed = (named for line in lines for named in line.named if not self.is_mood(named))
        self.put(FIELDS["ingredient_concepts"], Counter(map(number_of, listed)))
        self.put(FIELDS["name_kinds"], Counter(map(number_of, name.kinds)))
        self.put(
            FIELDS["ingredient_kinds"], Counter(number_of(kind) for line in (about, *lines) for kind in line.kinds)
        )

    def is_mood(self, concept: str) -> bool:
        """Whether it says what a dish is like, and of an ingredient nothing: "warm water" makes no warm dish."""
        assert self.reader is not None
        return bool(self.reader.lexicon.concepts[concept].evokes)

    def put(self, field: int, counts: Mapping[int, int]) -> None:
        self.numbers.extend(counts.keys())
        self.counts.extend(counts.values())
        self.fields.extend(repeat(field, len(counts)))

    def put_once(self, field: str, numbers: Numbers, found: frozenset[str] | set[str]) -> None:
        self.put(FIELDS[field], dict.fromkeys(map(numbers.__getitem__, sorted(found)), 1))

    def read_line(self, line: str, language: str) -> Line:
        assert self.reader is not None
        mentioned = (mention.concept for mention in self.reader.mentions(line, language))
        named = (*mentioned, *self.reader.within_dishes(line, language))
        kinds_of = self.reader.lexicon.kinds_of
        return Line(
            named,
            tuple(kind for name in named for kind in sorted(kinds_of[name] - {name})),
            self.reader.foods(line, language),
            self.reader.implied(line, language),
        )

    def readings(self) -> Readings:
        """Return all that was read."""
        return Readings(
            self.names,
            {
                "starts": np.array(self.starts, dtype=np.int64),
                "numbers": np.array(self.numbers, dtype=np.int32),
                "fields": np.array(self.fields, dtype=np.uint8),
                "counts": np.minimum(np.array(self.counts, dtype=np.uint64), COUNT_MAX).astype(np.uint16),
                "contents": np.array(self.contents, dtype=CONTENT_KEY),
                "languages": np.array(self.languages, dtype=np.int32),
                "line_counts": np.array(self.line_counts, dtype=np.int32),
                "minutes": np.array(self.minutes, dtype=np.int32),
            },
        )
