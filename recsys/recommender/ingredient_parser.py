"""Reads an ingredient line into a tree, by the words of the phrasebook; whole or not at all. Floor 3.

line    = part {("and" | "or" | "," | "plus") part} {[","] notes | "(" aside ")"}
part    = ["juice of"] [amount] {modifier} food {modifier}
amount  = [about] quantity [size] [unit] ["(" measures ")"]
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from recsys.recommender.inflection import agreed
from recsys.recommender.ingredient_tree import NOTHING, Amount, Aside, Line, Measure, Note, Notes, Part
from recsys.recommender.phrasebook import Entry, Form, Phrasebook, Words
from recsys.recommender.quantities import NUMBER, RANGE_MARKS, RANGE_WORDS, Quantity, number_value, word_quantity
from recsys.recommender.text import fold

LOOKS_MAX = 20_000  # 20 ms; a usual line takes some hundreds

TOKEN = re.compile(rf"(?P<number>{NUMBER})|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)|(?P<mark>\S)")
HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑](?=[^\W\d_])|(?<=[\d½¼¾⅓⅔⅛])[-‐‑](?=[^\W\d_])")
AND = {"en": ("and", "&"), "es": ("y", "e", "&")}
OR = {"en": ("or",), "es": ("o", "u")}
PLUS = {"en": ("plus", "+"), "es": ("mas", "+")}
OF = {"en": ("of",), "es": ("de", "del")}
ABOUT = {
    "en": (("about",), ("approximately",), ("approx",), ("around",), ("roughly",), ("~",)),
    "es": (("aprox",), ("aproximadamente",), ("unos",), ("unas",), ("de", "unos"), ("de", "unas"), ("~",)),
}
UP_TO = {"en": ("up", "to"), "es": ("hasta",)}
EACH = {"en": (("each",),), "es": (("cada", "uno"), ("cada", "una"))}
# What is done to a food, and not what it is: "picado", "derretido", "en dados".
PREPARED = re.compile(r"[ai]d[oa]s?\b|^en ")


class TooAmbiguous(Exception):
    """The line can be read in more ways than are worth trying."""


@dataclass
class Budget:
    """How many more places may be looked at, so that no line takes long."""

    left: int = LOOKS_MAX

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooAmbiguous


class Token(NamedTuple):
    text: str
    word: str
    is_number: bool


def tokens_of(line: str) -> list[Token]:
    spaced = HYPHEN.sub(" ", line.replace("’", "'").strip())
    found = [Token(match[0], fold(match[0]), match["number"] is not None) for match in TOKEN.finditer(spaced)]
    while found and found[-1].word in (".", ",", ";"):
        found.pop()
    return found


class Parser:
    """Reads a row of tokens. Its methods yield what may stand at a place, the likeliest first, with the next place."""

    def __init__(self, row: Sequence[Token], language: str, phrasebook: Phrasebook, budget: Budget) -> None:
        self.row = row
        self.language = language
        self.phrasebook = phrasebook
        self.budget = budget

    def within(self, start: int, end: int) -> "Parser":
        """Return the parser of a stretch of the row."""
        return Parser(self.row[start:end], self.language, self.phrasebook, self.budget)

    def word(self, at: int) -> str:
        return self.row[at].word if at < len(self.row) else ""

    def has(self, at: int, words: Sequence[str]) -> bool:
        return all(self.word(at + place) == word for place, word in enumerate(words))

    def skipped(self, at: int, words: Sequence[str]) -> int:
        """Return the place behind a word of that kind, if one stands there."""
        return at + 1 if self.word(at) in words else at

    def lines(self) -> Iterator[Line]:
        """Yield the whole row as a line."""
        for parts, links, at in self.parts(0):
            for rest in self.rest(at):
                yield Line(parts, links, rest)

    def parts(self, at: int) -> Iterator[tuple[list[Part], list[str], int]]:
        for part, after in self.part(at):
            for link, start in self.links(after):
                for parts, links, end in self.parts(start):
                    if whole := self.with_shared_head(part, self.row[after - 1], parts[0], end):
                        yield [whole, *parts], [link, *links], end
                    if self.language == "es" or not leaves_open(part, parts[0], link):
                        yield [part, *parts], [link, *links], end
            yield [part], [], after

    def with_shared_head(self, part: Part, last: Token, following: Part, end: int) -> Part | None:
        """Return the part with the last word of the next one, which it shares: "vegetable or chicken broth"."""
        if self.language == "es" or following.amount:
            return None
        found = self.phrasebook.found("food", "en", (last.word, self.word(end - 1)))
        return replace(part, food=found) if found else None

    def links(self, at: int) -> Iterator[tuple[str, int]]:
        """Yield what may tie one part to the next."""
        start = at + 1 if self.word(at) == "," else at
        for kind, words in (("and", AND), ("or", OR), ("plus", PLUS)):
            if self.word(start) in words[self.language]:
                yield kind if start == at or kind == "or" else f",{kind}", start + 1
        if start > at:
            yield ",", start
        elif self.word(at) == "/":
            yield "/", at + 1

    def rest(self, at: int) -> "Iterator[list[tuple[str, Notes | Aside]]]":
        if at >= len(self.row):
            yield []
        elif self.word(at) == "(":
            end = self.closing(at)
            for aside in self.asides(at + 1, end):
                for rest in self.rest(end + 1):
                    yield [("(", aside), *rest]
        else:
            is_comma = self.word(at) in (",", ";")
            for notes, after in self.notes(at + is_comma, is_bare=not is_comma and at > 0):
                for rest in self.rest(after):
                    yield [("," if is_comma else "", notes), *rest]

    def closing(self, at: int) -> int:
        return next((place for place in range(at, len(self.row)) if self.word(place) == ")"), len(self.row))

    def asides(self, at: int, end: int) -> Iterator[Aside]:
        inner = self.within(at, end)
        if end >= len(self.row) or not inner.row:
            return
        yield from (Aside(found, links) for found, links, after in inner.measures(0) if after == len(inner.row))
        yield from (Aside(line=Line([], [], rest)) for rest in inner.rest(0))
        start = inner.skipped(0, OR[self.language])
        alternatives = inner.within(start, len(inner.row)).lines()
        yield from (Aside(line=line, is_alternative=bool(start)) for line in alternatives)

    def measures(self, at: int) -> Iterator[tuple[list[Measure], list[str], int]]:
        """Yield measures that stand for each other: 450 g / 1 lb."""
        for measure, after in self.measure(at):
            if self.word(after) in ("/", ";", ",", *OR[self.language], "="):
                link = "or" if self.word(after) in OR[self.language] else self.word(after)
                for measures, links, end in self.measures(after + 1):
                    yield [measure, *measures], [link, *links], end
            yield [measure], [], after

    def measure(self, at: int) -> Iterator[tuple[Measure, int]]:
        """Yield a quantity with a unit."""
        is_up_to = self.has(at, UP_TO[self.language])
        at += len(UP_TO[self.language]) * is_up_to
        about = self.about(at)
        if about and self.quantity(at + about) is None:
            about = 0
        if (found := self.quantity(at + about)) is None:
            return
        quantity, after = found
        sizes, unit_at = self.sizes(after) if self.language == "en" else ([], after)
        for units, end in self.matches("unit", unit_at):
            if self.language == "es":
                sizes, end = self.sizes(end)
            end += self.word(end) == "."
            half = self.language == "es" and self.word(end) == "y" and self.word(end + 1) in ("media", "medio")
            if half:
                if quantity.high or not quantity.value.is_integer():
                    continue
                quantity = Quantity(f"{quantity.value:g}½", quantity.value + 0.5)
                end += 2
            each = next((len(words) for words in EACH[self.language] if self.has(end, words)), 0)
            yield Measure(quantity, units, sizes, bool(about), is_up_to, bool(each)), end + each

    def quantity(self, at: int) -> tuple[Quantity, int] | None:
        if at >= len(self.row):
            return None
        if self.row[at].is_number:
            low, value = self.row[at].text, number_value(self.row[at].text, self.language)
            link = self.word(at + 1)
            is_range = link in RANGE_MARKS or link in RANGE_WORDS[self.language]
            if is_range and at + 2 < len(self.row) and self.row[at + 2].is_number:
                high = self.row[at + 2].text
                return Quantity(low, number_value(high, self.language), link, high), at + 3
            return Quantity(low, value), at + 1
        found = word_quantity(self.word(at), self.language)
        if found is None:
            return None
        after = at + 1
        follower = word_quantity(self.word(after), self.language)
        if found.word == "a" and follower and follower.word in ("few", "half"):
            return follower, after + 1
        if found.word == "half" and self.language == "en":
            after = self.skipped(self.skipped(after, OF["en"]), ("a", "an"))
        return None if found.word == "few" and self.language == "en" else (found, after)

    def sizes(self, at: int) -> tuple[list[Entry], int]:
        """Return the modifiers of a unit: a heaped tablespoon, a large bunch."""
        for forms, end in self.matches("modifier", at):
            if "size" in forms[0].entry.notes:
                return [forms[0].entry], end
        return [], at

    def matches(self, kind: str, at: int) -> Iterator[tuple[list[Form], int]]:
        """Yield the entries that the words from here on write, the longest first."""
        self.budget.spend()
        longest = self.phrasebook.longest[kind, self.language].get(self.word(at), 0)
        for length in range(min(longest, len(self.row) - at), 0, -1):
            words: Words = tuple(token.word for token in self.row[at : at + length])
            if forms := self.phrasebook.found(kind, self.language, words):
                yield forms, at + length

    def amounts(self, at: int) -> Iterator[tuple[Amount, int]]:
        """Yield the amounts that may stand here."""
        # Spanish names of foods begin with what may be a unit: "hoja de laurel".
        ways = (self.sized_unit, self.sums, self.count) if self.language == "en" else (self.count, self.sums)
        for way in ways:
            for amount, after in way(at):
                aside, aside_links, end = self.aside_measures(after)
                yield replace(amount, aside=aside, aside_links=aside_links), end

    def count(self, at: int) -> Iterator[tuple[Amount, int]]:
        """Yield a quantity without a unit."""
        about = self.about(at)
        if found := self.quantity(at + about):
            yield Amount([Measure(found[0], is_about=bool(about))]), found[1]
        elif found := self.quantity(at):
            yield Amount([Measure(found[0])]), found[1]

    def sums(self, at: int) -> Iterator[tuple[Amount, int]]:
        """Yield measures that add up, 1 cup plus 2 tablespoons, or that stand for each other."""
        kinds = {word: kind for kind, words in (("plus", PLUS), ("or", OR)) for word in words[self.language]}
        for measure, after in self.measure(at):
            if link := kinds.get(self.word(after), "/" if self.word(after) == "/" else ""):
                for more, end in self.measure(after + 1):
                    yield Amount([measure, more], [link]), end
            yield Amount([measure]), after

    def about(self, at: int) -> int:
        """Return how many words here say "about"."""
        length = max((len(words) for words in ABOUT[self.language] if self.has(at, words)), default=0)
        return length + (length > 0 and self.word(at + length) == ".")

    def aside_measures(self, at: int) -> tuple[list[Measure] | None, list[str], int]:
        if self.word(at) == "(":
            end = self.closing(at)
            inner = self.within(at + 1, end)
            for measures, links, after in inner.measures(0):
                if after == len(inner.row) and end < len(self.row):
                    return measures, links, end + 1
        return None, [], at

    def sized_unit(self, at: int) -> Iterator[tuple[Amount, int]]:
        """Yield an amount of English such as 1 (14 oz) can, 1 14-oz can, a 1-inch piece."""
        counted = self.quantity(at)
        starts = [counted] if counted else []
        for quantity, after in [*starts, (Quantity("1", 1), at)]:
            is_aside = self.word(after) == "("
            for size, end in self.measure(after + is_aside):
                if is_aside and self.word(end) != ")":
                    continue
                for units, done in self.matches("unit", end + is_aside):
                    if units[0].entry.notes.isdisjoint({"measure", "symbol", "length"}):
                        yield Amount([Measure(quantity, units)], size=size), done

    def part(self, at: int) -> Iterator[tuple[Part, int]]:
        head, start = None, at
        for forms, after in self.matches("head", self.skipped(at, ("the", "el", "la"))):
            head, start = forms[0].entry, after
            break
        for amount, after in self.amounts(start):
            yield from self.foods(self.skipped(after, OF[self.language]), amount, head)
        yield from self.foods(start, None, head)

    def foods(self, at: int, amount: Amount | None, head: Entry | None) -> Iterator[tuple[Part, int]]:
        if self.language == "en":
            yield from self.english_foods(at, amount, head, [])
        else:
            yield from self.spanish_foods(at, amount, head)

    def english_foods(
        self, at: int, amount: Amount | None, head: Entry | None, modifiers: list[Notes]
    ) -> Iterator[tuple[Part, int]]:
        for food, after in self.matches("food", at):
            if is_countable(food, amount):
                yield Part(food, amount, head, modifiers), after
        for forms, after in self.matches("modifier", at):
            for link, words in (("and", AND), ("or", OR)):
                if self.word(after) in words["en"]:
                    for more, behind in self.matches("modifier", after + 1):
                        both = Notes([Note(forms), Note(more)], [link])
                        yield from self.english_foods(behind, amount, head, [*modifiers, both])
            yield from self.english_foods(self.skipped(after, (",",)), amount, head, [*modifiers, Notes([Note(forms)])])

    def spanish_foods(self, at: int, amount: Amount | None, head: Entry | None) -> Iterator[tuple[Part, int]]:
        for food, after in self.matches("food", at):
            if is_countable(food, amount):
                for modifiers, behind, size, end in self.said_behind(after):
                    yield Part(food, amount, head, modifiers, behind, size), end

    def said_behind(self, at: int) -> Iterator[tuple[list[Notes], list[Note], Measure | None, int]]:
        """Yield what Spanish says behind a food: what English says before it, and what it says behind it, too."""
        if self.word(at) == "de":
            for measure, after in self.measure(at + 1):
                yield [], [], measure, after
        said = [*((Note(forms), after) for forms, after in self.matches("modifier", at)), *self.tails(at)]
        for note, after in sorted(said, key=lambda found: -found[1]):
            entry = note.forms[0].entry
            for modifiers, behind, size, end in self.said_behind(after):
                if entry.kind == "modifier" and "after" not in entry.notes:
                    yield [*modifiers, Notes([note])], behind, size, end
                elif not size:
                    later = (item for group in modifiers for item in group.items)
                    yield [], [note, *later, *behind], None, end
        yield [], [], None, at

    def notes(self, at: int, *, is_bare: bool = False) -> Iterator[tuple[Notes, int]]:
        """Yield notes such as "peeled, cored and diced"."""
        for note, after in self.note(at, is_bare=is_bare):
            for link, start in self.note_links(after):
                for notes, end in self.notes(start):
                    yield Notes([note, *notes.items], [link, *notes.links]), end
            yield Notes([note]), after

    def note_links(self, at: int) -> Iterator[tuple[str, int]]:
        start = at + 1 if self.word(at) == "," else at
        for kind, words in (("and", (*AND[self.language], "then")), ("or", OR[self.language])):
            # "Vino fino o blanco" are two wines.
            if self.word(start) in words and (kind == "and" or self.language == "en"):
                yield kind, start + 1
        if start > at:
            yield ",", start

    def note(self, at: int, *, is_bare: bool = False) -> Iterator[tuple[Note, int]]:
        """Yield one note, the longest first. is_bare: no comma stands before it: "butter melted", not "loin roast"."""
        said = [(Note(forms), after) for forms, after in self.matches("modifier", at)]
        if is_bare and self.language == "en":
            said = [(note, after) for note, after in said if any(map(is_participle, self.row[at:after]))]
        yield from sorted([*said, *self.tails(at)], key=lambda found: -found[1])

    def tails(self, at: int) -> Iterator[tuple[Note, int]]:
        for words, forms in self.phrasebook.slotted[self.language]:
            yield from self.slotted(words, forms, at)
        yield from ((Note(forms), after) for forms, after in self.matches("tail", at))

    def slotted(self, words: Words, forms: list[Form], at: int) -> Iterator[tuple[Note, int]]:
        """Yield the note if the words stand here, with a measure at {m} or a number at {n}."""
        slot = next(place for place, word in enumerate(words) if word in ("{m}", "{n}"))
        before, behind = words[:slot], words[slot + 1 :]
        if not self.has(at, before):
            return
        start = at + len(before)
        if words[slot] == "{n}":
            if (counted := self.quantity(start)) and self.has(counted[1], behind):
                yield Note(forms, counted[0]), counted[1] + len(behind)
            return
        for measure, after in self.measure(start):
            aside, _, end = self.aside_measures(after)
            if "length" in measure.units[0].entry.notes and self.has(end, behind):
                yield Note(forms, measure, aside), end + len(behind)


def leaves_open(part: Part, following: Part, link: str) -> bool:
    """Whether "chopped walnuts or pistachios" leaves open what is chopped: Spanish would have to say."""
    is_prepared = any(
        PREPARED.search(agreed(form.entry.names["es"][0], gender="m", is_plural=False))
        for notes in part.modifiers
        for note in notes.items
        for form in note.forms
    )
    return is_prepared and link in ("or", "and", ",", ",and") and not (following.modifiers or following.amount)


def is_participle(token: Token) -> bool:
    return token.word.endswith("ed") or token.word in ("beaten", "broken", "cut", "frozen", "torn")


def is_countable(food: Sequence[Form], amount: Amount | None) -> bool:
    """Whether so much of it can be: "2 salt" is not understood."""
    if amount is None or amount.measures[0].units:
        return True
    entry = food[0].entry
    return not entry.is_fixed or (entry.is_plural_in_spanish and (amount.measures[0].quantity or NOTHING).is_plural)
