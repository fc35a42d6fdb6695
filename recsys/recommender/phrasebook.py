"""The words of ingredient lines in Spanish and English: foods, units and what is done to them. Floor 3.

recsys/data/ingredient_words.csv is for cooks to edit. A line names one thing in both languages, the usual name first.
kind: food, unit, modifier (stands before the food in English), tail (stands after it), adverb, head ("juice of").
es: /a, /s and /es mark the words that agree with the food: "picado/a". {m} stands for a measure, {n} for a number.
note: f or m where the ending of the word misleads; fixed: the food has no other number; measure, symbol, of, piece and
length: kinds of unit; size: said of units, too; after, before: stands only there in English; english: read in English
alone; "for butter|cheese": holds only for these concepts of the lexicon, before the general line.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from recsys.recommender.inflection import (
    agreed,
    english_plural,
    is_spanish_plural,
    spanish_gender,
    spanish_plural,
)
from recsys.recommender.lexicon import Lexicon, shipped_lexicon
from recsys.recommender.text import LANGUAGES, fold, tokens

PHRASEBOOK_PATH = Path(__file__).parent.parent / "data" / "ingredient_words.csv"
KINDS = ("food", "unit", "modifier", "tail", "adverb", "head")
NUMBERS = (False, True)

Words = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """One thing in both languages. names: by language, the usual one first. notes: see the file's head.

    only_for: the concepts that it holds for; empty: for all. classes: of a food, the concepts that it is.
    """

    kind: str
    names: Mapping[str, list[str]]
    notes: frozenset[str] = frozenset()
    only_for: frozenset[str] = frozenset()
    classes: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def gender(self) -> str:
        return next((note for note in ("f", "m") if note in self.notes), spanish_gender(self.names["es"][0]))

    @property
    def is_fixed(self) -> bool:
        return "fixed" in self.notes

    @property
    def is_plural_in_spanish(self) -> bool:
        """Of a fixed food: whether Spanish speaks of it in the plural."""
        return is_spanish_plural(self.names["es"][0])

    def name(self, language: str, *, is_plural: bool) -> str:
        """Return the usual name of a food or unit, in that number where it has one."""
        name = self.names[language][0]
        return inflected(name, language) if is_plural and not self.is_fixed and "symbol" not in self.notes else name

    def holds_for(self, classes: frozenset[str]) -> bool:
        return not self.only_for or not self.only_for.isdisjoint(classes)


class Form(NamedTuple):
    """An entry as a line may write it."""

    entry: Entry
    is_plural: bool


class Phrasebook:
    """The entries by what lines write, in both languages."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.forms: dict[tuple[str, str], dict[Words, list[Form]]] = {
            (kind, language): {} for kind in KINDS for language in LANGUAGES
        }
        for entry in entries:
            for language in ("en",) if "english" in entry.notes else LANGUAGES:
                table = self.forms[entry.kind, language]
                for words, is_plural in written(entry, language):
                    table.setdefault(words, []).append(Form(entry, is_plural))
        self.longest = {key: longest_by_first(table) for key, table in self.forms.items()}
        self.slotted = {
            language: [(words, forms) for words, forms in self.forms["tail", language].items() if has_slot(words)]
            for language in LANGUAGES
        }

    @classmethod
    def read(cls, path: Path, lexicon: Lexicon) -> "Phrasebook":
        """Return the phrasebook of a file, with the lexicon's ingredients by their usual names behind it."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = [entry_of(row, lexicon) for row in csv.DictReader(file)]
        return cls([*rows, *lexicon_foods(lexicon)])

    def found(self, kind: str, language: str, words: Words) -> list[Form]:
        """Return the entries of that kind that the words write, the first line of the file first."""
        return self.forms[kind, language].get(words, [])


@cache
def shipped_phrasebook() -> Phrasebook:
    """Return the phrasebook that comes with the service, read once."""
    return Phrasebook.read(PHRASEBOOK_PATH, shipped_lexicon())


def entry_of(row: Mapping[str, str], lexicon: Lexicon) -> Entry:
    notes, _, only_for = row["note"].partition("for ")
    names = {language: row[language].split("|") for language in LANGUAGES}
    return Entry(
        row["kind"],
        names,
        frozenset(notes.split()),
        frozenset(filter(None, only_for.split("|"))),
        classes_of(names["en"][0], lexicon) if row["kind"] == "food" else frozenset(),
    )


def lexicon_foods(lexicon: Lexicon) -> Iterator[Entry]:
    """Yield the lexicon's ingredients by their usual names alone: the others need not be the same thing."""
    for concept in lexicon.concepts.values():
        if concept.kind == "ingredient":
            names = {language: [concept.name(language)] for language in LANGUAGES}
            notes = {"fixed"} if is_spanish_plural(names["es"][0]) else set[str]()
            yield Entry("food", names, frozenset(notes), classes=lexicon.kinds_of[concept.concept])


def classes_of(name: str, lexicon: Lexicon) -> frozenset[str]:
    row = [token.word for token in tokens(name)]
    return frozenset().union(*(lexicon.kinds_of[mention.concept] for mention in lexicon.mentions(row, ("en",))))


def inflected(name: str, language: str) -> str:
    return spanish_plural(name) if language == "es" else english_plural(name)


def written(entry: Entry, language: str) -> Iterator[tuple[Words, bool]]:
    """Yield the word rows that stand for an entry, and whether they are plurals."""
    seen: set[Words] = set()
    for text, is_plural in spellings(entry, language):
        row = phrase_words(text)
        if row not in seen:
            seen.add(row)
            yield row, is_plural


def spellings(entry: Entry, language: str) -> Iterator[tuple[str, bool]]:
    for name in entry.names[language]:
        if entry.kind in ("food", "unit"):
            yield name, entry.is_fixed and entry.is_plural_in_spanish
            if not entry.is_fixed:
                yield inflected(name, language), True
        elif language == "es":
            for is_plural in NUMBERS:
                yield from ((agreed(name, gender=gender, is_plural=is_plural), is_plural) for gender in "mf")
        else:
            yield name, False


PHRASE_WORD = re.compile(r"\{[mn]\}|[^\W_]+(?:'[^\W\d_]+)?|/")


def phrase_words(text: str) -> Words:
    """Return the folded words of a phrase; the parts of a hyphenated word stand alone.

    >>> phrase_words("cut into {m} bite-sized pieces")
    ('cut', 'into', '{m}', 'bite', 'sized', 'pieces')
    """
    return tuple(PHRASE_WORD.findall(fold(text)))


def has_slot(words: Words) -> bool:
    return not {"{m}", "{n}"}.isdisjoint(words)


def longest_by_first(table: Iterable[Words]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for words in table:
        longest[words[0]] = max(longest.get(words[0], 0), len(words))
    return longest
