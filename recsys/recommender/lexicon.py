"""The culinary lexicon: concepts of the kitchen with their Spanish and English names, and what contains what. Floor 3.

recsys/data/lexicon.csv is for cooks to edit. A line is a concept: its kind; its names in Spanish and English, the usual
one first, misspellings after a ~; what it is a kind of; what it usually contains that people exclude, or of a diet what
it leaves out; and for what names no food, such as "winter", what it makes a cook think of.
"""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from recsys.recommender.errors import InvalidLexicon
from recsys.recommender.text import LANGUAGES, STOP_WORDS, fold, words
from recsys.recommender.wordforms import LINKS, phrase_keys, word_key

LEXICON_PATH = Path(__file__).parent.parent / "data" / "lexicon.csv"
COLUMNS = ("concept", "kind", "es", "en", "is_a", "contains", "evokes")
Kind = Literal[
    "ingredient", "dish", "course", "cuisine", "diet", "technique", "character", "unit", "equipment", "filler"
]
# Adjectives stand in both genders: "vegano" is also "vegana".
ADJECTIVE_KINDS = frozenset({"cuisine", "diet", "technique", "character"})
FOOD_KINDS = frozenset({"ingredient", "dish"})
# In the name of a food they say what is not in it.
QUALIFIERS = frozenset({"sin", "without", "free", "no", "non", "vegan", "vegano", "vegana", "vegetarian"}) | {
    "vegetariano",
    "vegetariana",
    "veggie",
}
MISSPELT = "~"
FALSE_FRIEND_LETTERS = 3


class Concept(msgspec.Struct, frozen=True, kw_only=True):
    """A food, dish or other idea of the kitchen.

    names: by language, the usual one first. is_a, contains, evokes: concepts.
    """

    concept: str
    kind: Kind
    names: dict[str, list[str]]
    misspellings: dict[str, list[str]]
    is_a: list[str]
    contains: list[str]
    evokes: list[str]

    def name(self, language: str) -> str:
        """Return the usual name in that language."""
        return self.names[language][0]


class Mention(NamedTuple):
    """A concept found in a row of words, at start:end."""

    concept: str
    start: int
    end: int


class Lexicon:
    """The concepts, found by their names in either language."""

    def __init__(self, concepts: Iterable[Concept], digest: str = "") -> None:
        self.concepts = {concept.concept: concept for concept in concepts}
        self.digest = digest
        tables = {language: names_table(self.concepts.values(), language) for language in LANGUAGES}
        self.names = {(language, False): Names(table) for language, table in tables.items()}
        for language, table in tables.items():
            self.names[language, True] = Names(self.unqualified(table, language))
        self.spellings = dict(self.single_misspellings())
        self.kinds_of = {name: self.reached(name, with_contents=False) for name in self.concepts}
        self.holds = {name: self.reached(name, with_contents=True) for name in self.concepts}
        self.narrower = inverted(self.kinds_of)
        self.word_keys = {language: {key for keys in table for key in keys} for language, table in tables.items()}

    @classmethod
    def read(cls, path: Path) -> "Lexicon":
        """Return the lexicon of a file. Raises InvalidLexicon, which names the line."""
        content = path.read_bytes()
        return cls(read_concepts(content.decode().splitlines(), path.name), sha256(content).hexdigest()[:16])

    def unqualified(self, table: Mapping[tuple[str, ...], str], language: str) -> dict[tuple[str, ...], str]:
        """Return the names of foods without those that say what is not in them."""
        qualifiers = {word_key(word, language) for word in QUALIFIERS}
        return {
            keys: concept
            for keys, concept in table.items()
            if self.concepts[concept].kind not in FOOD_KINDS or qualifiers.isdisjoint(keys)
        }

    def single_misspellings(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield the language and key of each misspelt single word, with the folded word that was meant."""
        for concept in self.concepts.values():
            for language in LANGUAGES:
                meant = words(concept.name(language))
                for misspelt in map(words, concept.misspellings[language]):
                    if len(meant) == len(misspelt) == 1:
                        yield (language, word_key(misspelt[0], language)), meant[0]

    def reached(self, concept: str, *, with_contents: bool) -> frozenset[str]:
        """Return the concept with all that it is a kind of, and all that these contain if asked for."""
        found: set[str] = set()
        waiting = [concept]
        while waiting:
            name = waiting.pop()
            known = self.concepts.get(name)
            if name in found or known is None:
                continue
            found.add(name)
            waiting += known.is_a
            if with_contents and known.kind != "diet":
                waiting += known.contains
        return frozenset(found)

    def spanish_vote(self, word: str) -> float:
        """Return 1 for a folded word of Spanish names alone, -1 for one of English names alone, else 0."""
        is_spanish, is_english = (word_key(word, language) in self.word_keys[language] for language in LANGUAGES)
        return float(is_spanish) - float(is_english)

    def respelt(self, word: str) -> str | None:
        """Return the word that a known misspelling stands for; None if it is none."""
        known = (self.spellings.get((language, word_key(word, language))) for language in LANGUAGES)
        return next(filter(None, known), None)

    def has_word(self, word: str) -> bool:
        """Whether the folded word is part of a name, in whatever number."""
        return any(word_key(word, language) in keys for language, keys in self.word_keys.items())

    def mentions(self, row: Sequence[str], languages: Sequence[str], *, unqualified: bool = False) -> list[Mention]:
        """Return the concepts named by a row of folded words, the longest names first where they overlap, in order.

        languages: which to read the words in, the likeliest first; in the next, neither the first one's stop words
        nor the shortest words are read: an English pan holds no bread. unqualified: "vegan burger" is a burger and
        vegan, and not the product of that name: who asks for it asks for a diet.
        """
        first, *others = (self.scan(row, self.names[language, unqualified], language) for language in languages)
        foreign = (mention for found in others for mention in found if not is_false_friend(mention, row, languages[0]))
        taken = [False] * len(row)
        found: list[Mention] = []
        # Sorting keeps the first language's mentions before equally long ones of the next.
        for mention in sorted((*first, *foreign), key=lambda mention: mention.start - mention.end):
            if not any(taken[mention.start : mention.end]):
                taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
                found.append(mention)
        return sorted(found, key=lambda mention: mention.start)

    def scan(self, row: Sequence[str], names: "Names", language: str) -> Iterator[Mention]:
        links = LINKS[language]
        places = [at for at, word in enumerate(row) if word not in links]
        keys = [word_key(row[at], language) for at in places]
        at = 0
        while at < len(keys):
            for length in range(min(names.longest.get(keys[at], 0), len(keys) - at), 0, -1):
                if concept := names.table.get(tuple(keys[at : at + length])):
                    yield Mention(concept, places[at], places[at + length - 1] + 1)
                    at += length
                    break
            else:
                at += 1

    def problems(self) -> list[str]:
        """Return the inconsistencies, in words: unknown parents, circles, and names that stand for two concepts."""
        return [*self.unknown_references(), *self.circles(), *self.ambiguous_names()]

    def unknown_references(self) -> Iterator[str]:
        for concept in self.concepts.values():
            for name in (*concept.is_a, *concept.contains, *concept.evokes):
                if name not in self.concepts:
                    yield f"{concept.concept}: {name} is no concept"

    def circles(self) -> Iterator[str]:
        for concept in self.concepts.values():
            if any(concept.concept in self.kinds_of.get(parent, ()) for parent in concept.is_a):
                yield f"{concept.concept}: is a kind of itself"

    def ambiguous_names(self) -> Iterator[str]:
        for language in LANGUAGES:
            owners: dict[tuple[str, ...], str] = {}
            for concept in self.concepts.values():
                for name in (*concept.names[language], *concept.misspellings[language]):
                    owner = owners.setdefault(phrase_keys(name, language), concept.concept)
                    if owner != concept.concept:
                        yield f"{concept.concept}: {name!r} ({language}) is also {owner}"


def is_false_friend(mention: Mention, row: Sequence[str], language: str) -> bool:
    """Whether the mention is a single word that is likelier another one of that language."""
    word = row[mention.start]
    is_single = mention.end - mention.start == 1
    return is_single and (len(word) <= FALSE_FRIEND_LETTERS or word in STOP_WORDS[language])


class Names:
    """Concepts by the keys of their names, and the most words of a name by its first."""

    def __init__(self, table: Mapping[tuple[str, ...], str]) -> None:
        self.table = table
        self.longest = longest_by_first_word(table)


@cache
def shipped_lexicon() -> Lexicon:
    """Return the lexicon that comes with the service, read once."""
    return Lexicon.read(LEXICON_PATH)


def names_table(concepts: Iterable[Concept], language: str) -> dict[tuple[str, ...], str]:
    """Return word keys → concept; where two concepts share a name, the first keeps it."""
    table: dict[tuple[str, ...], str] = {}
    derived: dict[tuple[str, ...], str] = {}
    for concept in concepts:
        for name in (*concept.names[language], *concept.misspellings[language]):
            keys = phrase_keys(name, language)
            table.setdefault(keys, concept.concept)
            if language == "es" and concept.kind in ADJECTIVE_KINDS:
                derived.setdefault(other_gender(keys), concept.concept)
    return {**derived, **table}


def other_gender(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys with each word in the other gender: vegano → vegana."""
    swapped = {"o": "a", "a": "o"}
    return tuple(f"{key[:-1]}{swapped[key[-1]]}" if key[-1:] in swapped else key for key in keys)


def longest_by_first_word(table: Collection[tuple[str, ...]]) -> dict[str, int]:
    longest: Counter[str] = Counter()
    for keys in table:
        if keys:
            longest[keys[0]] = max(longest[keys[0]], len(keys))
    return dict(longest)


def inverted(sets: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Return for each member the names of the sets that hold it."""
    found: dict[str, set[str]] = {}
    for name, members in sets.items():
        for member in members:
            found.setdefault(member, set()).add(name)
    return {member: frozenset(names) for member, names in found.items()}


def read_concepts(lines: Sequence[str], place: str) -> Iterator[Concept]:
    """Yield the concepts of the file's lines. Raises InvalidLexicon."""
    rows = csv.reader(lines)
    header = next(rows, [])
    if tuple(header) != COLUMNS:
        raise InvalidLexicon(f"{place}: found the header {','.join(header)!r}, allowed is {','.join(COLUMNS)!r}")
    seen: set[str] = set()
    for row in rows:
        where = f"{place}, line {rows.line_num}"
        if len(row) != len(COLUMNS):
            raise InvalidLexicon(f"{where}: found {len(row)} columns, allowed are {len(COLUMNS)}")
        concept = parsed(row, where)
        if concept.concept in seen:
            raise InvalidLexicon(f"{where}: {concept.concept} stands there already")
        seen.add(concept.concept)
        yield concept


def parsed(row: Sequence[str], where: str) -> Concept:
    name, kind, spanish, english, is_a, contains, evokes = (column.strip() for column in row)
    variants = {"es": listed(spanish), "en": listed(english)}
    fields = {
        "concept": name,
        "kind": kind,
        "names": {language: [word for word in found if word[0] != MISSPELT] for language, found in variants.items()},
        "misspellings": {
            language: [word[1:].strip() for word in found if word[0] == MISSPELT]
            for language, found in variants.items()
        },
        "is_a": listed(is_a),
        "contains": listed(contains),
        "evokes": listed(evokes),
    }
    try:
        concept = msgspec.convert(fields, Concept)
    except msgspec.ValidationError as error:
        raise InvalidLexicon(f"{where}: {error}") from error
    if not all(concept.names.values()):
        raise InvalidLexicon(f"{where}: {name} needs a name in Spanish and in English")
    unreadable = [word for found in variants.values() for word in found if not fold(word).strip(" ~")]
    if unreadable:
        raise InvalidLexicon(f"{where}: {unreadable} holds no letters")
    return concept


def listed(column: str) -> list[str]:
    return [part.strip() for part in column.split("|") if part.strip()]
