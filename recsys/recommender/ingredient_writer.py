"""Writes the tree of an ingredient line in Spanish or English. Floor 3."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from recsys.recommender.inflection import agreed
from recsys.recommender.ingredient_parser import PREPARED
from recsys.recommender.ingredient_tree import NOTHING, Amount, Aside, Line, Measure, Note, Notes, Part
from recsys.recommender.phrasebook import Entry, Form
from recsys.recommender.quantities import Quantity

JOINED = {
    "es": {"and": "y", "or": "o", "plus": "más"},
    "en": {"and": "and", "or": "or", "plus": "plus"},
}
ABOUT = {"en": "about", "es": "aprox."}
UP_TO = {"en": "up to", "es": "hasta"}
EACH = {"en": {"m": "each", "f": "each"}, "es": {"m": "cada uno", "f": "cada una"}}
AN = re.compile(r"\ba(?= [aeiou])(?! (?:uni|eu|one))")
E_SOUND = re.compile(r"h?i(?![ea])|h?í", re.IGNORECASE)
O_SOUND = re.compile(r"h?[oó]", re.IGNORECASE)
SMALL = ("semilla ", "grano ", "copo ", "pepita ")
WITHOUT = re.compile(r"(\bsin \w+) sin\b")


class NoWord(Exception):
    """The other language has no word for it."""


@dataclass(frozen=True)
class Agreement:
    """What Spanish modifiers agree with, and the concepts that decide which word is right."""

    gender: str = "m"
    is_plural: bool = False
    classes: frozenset[str] = field(default_factory=frozenset)


class Writer:
    """Writes a line that was read in the language `source`. Raises NoWord."""

    target = ""
    bare: tuple[str, ...] = ()  # how notes begin that need no comma

    def __init__(self, source: str) -> None:
        self.source = source

    def line(self, line: Line, food: Agreement | None = None) -> str:
        """Return the line's text. food: what its notes agree with, where it names no food itself."""
        agreements = [self.agreement(part) for part in line.parts]
        text = "".join(
            f"{self.link(link, part)}{part}"
            for link, part in zip(["", *line.links], map(self.part, line.parts), strict=False)
        )
        agreement = together(agreements, line.links) if agreements else food or Agreement()
        for mark, said in line.rest:
            text += self.aside(said, agreement, text) if isinstance(said, Aside) else self.noted(mark, said, agreement)
        return text.strip(" ,")

    def noted(self, mark: str, notes: Notes, agreement: Agreement) -> str:
        said = self.notes(notes, agreement)
        return f"{self.mark(mark, said)}{said}"

    def mark(self, mark: str, said: str) -> str:
        """Return what ties a note to what stands before it; mark: what tied it in the source."""
        return " " if not mark and said.startswith(self.bare) else ", "

    def aside(self, aside: Aside, agreement: Agreement, said_before: str) -> str:
        if aside.line is None:
            return f" ({self.measures(aside.measures, aside.links, agreement)})"
        inner = self.line(aside.line, agreement)
        if not aside.is_alternative and inner in said_before:
            return ""  # the other language has one word for both: "sillao (salsa de soya)"
        return f" ({self.link('or', inner).lstrip() if aside.is_alternative else ''}{inner})"

    def link(self, link: str, following: str) -> str:
        """Return the word that ties what follows to what stands before."""
        if not link:
            return ""
        comma = "," if link == "," or (link.startswith(",") and self.target == "en") else ""
        word = JOINED[self.target].get(link.removeprefix(","), "")
        if link == "/":
            return "/"
        return f"{comma} {sounding(word, following)} " if word else f"{comma} "

    def agreement(self, part: Part) -> Agreement:
        """Return what the notes of a part agree with."""
        entry = part.food[0].entry
        unit = self.unit(part)
        if unit and "piece" in unit.entry.notes:
            assert part.amount is not None
            measure = part.amount.measures[0]
            return Agreement(unit.entry.gender, (measure.quantity or NOTHING).is_plural, entry.classes)
        return Agreement(entry.gender, self.is_plural(part), entry.classes)

    def unit(self, part: Part) -> Form | None:
        """Return the unit that the food decides on. Raises NoWord if none fits."""
        if part.amount is None or not part.amount.measures[0].units:
            return None
        return fitting_unit(part.amount.measures[0], part.food[0].entry.classes)

    def is_plural(self, part: Part) -> bool:
        """Whether the food stands in the plural."""
        form = part.food[0]
        if form.entry.is_fixed:
            return form.entry.is_plural_in_spanish
        if part.amount and not part.amount.measures[0].units:
            return (part.amount.measures[0].quantity or NOTHING).is_plural
        return form.is_plural

    def measures(self, measures: Sequence[Measure], links: Sequence[str], agreement: Agreement) -> str:
        text = ""
        for link, measure in zip(["", *links], measures, strict=True):
            said = self.measure(measure, agreement)
            tie = f" {link} " if link == "/" else self.link(link, said) if link in ("or", "plus") else f"{link} "
            text += f"{tie}{said}" if text else said
        return text

    def measure(self, measure: Measure, agreement: Agreement) -> str:
        quantity = measure.quantity or NOTHING
        unit = fitting_unit(measure, agreement.classes) if measure.units else None
        gender = unit.entry.gender if unit else agreement.gender
        words = [ABOUT[self.target]] if measure.is_about else []
        words += [UP_TO[self.target]] if measure.is_up_to else []
        number = quantity.text(self.source, self.target, gender=gender)
        words += self.with_unit(number, unit, measure.sizes, Agreement(gender, quantity.is_plural))
        words += [EACH[self.target][agreement.gender]] if measure.is_each else []
        return " ".join(words)

    def with_unit(self, number: str, unit: Form | None, sizes: Sequence[Entry], agreement: Agreement) -> list[str]:
        raise NotImplementedError

    def part(self, part: Part) -> str:
        raise NotImplementedError

    def amount(self, amount: Amount, agreement: Agreement) -> str:
        text = self.measures(amount.measures, amount.links, agreement)
        if amount.aside:
            text += f" ({self.measures(amount.aside, amount.aside_links, agreement)})"
        return text

    def notes(self, notes: Notes, agreement: Agreement) -> str:
        text = ""
        for link, note in zip(["", *notes.links], notes.items, strict=True):
            said = self.note(note, agreement)
            text += f"{self.link(link, said)}{said}"
        return text

    def note(self, note: Note, agreement: Agreement) -> str:
        entry = note.entry(agreement.classes)
        if entry is None:
            raise NoWord
        text = self.worded(entry, agreement)
        if isinstance(note.measure, Quantity):
            return text.replace("{n}", note.measure.text(self.source, self.target))
        if note.measure is not None:
            measure = self.measure(note.measure, agreement)
            if note.paren:
                measure += f" ({self.measures(note.paren, ['/'] * (len(note.paren) - 1), agreement)})"
            return text.replace("{m}", measure)
        return text

    def worded(self, entry: Entry, agreement: Agreement) -> str:
        name = entry.names[self.target][0]
        if self.target == "en":
            return name
        return agreed(name, gender=agreement.gender, is_plural=agreement.is_plural)


class SpanishWriter(Writer):
    """Spanish says behind the food, and in its gender and number, what English says before it."""

    target = "es"
    bare = ("",)

    def is_plural(self, part: Part) -> bool:
        is_measured = part.amount is not None and bool(part.amount.measures[0].units)
        # A teaspoon of "mustard seed" holds many.
        return (is_measured and part.food[0].entry.names["es"][0].startswith(SMALL)) or super().is_plural(part)

    def part(self, part: Part) -> str:
        entry = part.food[0].entry
        of_food = Agreement(entry.gender, self.is_plural(part), entry.classes)
        words = [entry.name("es", is_plural=of_food.is_plural)]
        said = [self.notes(group, of_food) for group in reversed(part.modifiers)]
        words += sorted(said, key=lambda modifier: bool(PREPARED.search(modifier)))  # "perejil fresco picado"
        if part.amount:
            words = [self.amount(part.amount, of_food), *(["de"] if self.unit(part) else []), *words]
        return WITHOUT.sub(r"\1 ni", " ".join([part.head.names["es"][0], *words] if part.head else words))

    def amount(self, amount: Amount, agreement: Agreement) -> str:
        text = super().amount(amount, agreement)
        if amount.size is None:
            return text
        size = self.measure(amount.size, agreement)
        is_length = "length" in amount.size.units[0].entry.notes
        return f"{text} de {size}" if is_length else f"{text} ({size})"

    def with_unit(self, number: str, unit: Form | None, sizes: Sequence[Entry], agreement: Agreement) -> list[str]:
        if unit is None:
            return [number]
        name = unit.entry.name("es", is_plural=agreement.is_plural)
        return [number, name, *(self.worded(size, agreement) for size in sizes)]


class EnglishWriter(Writer):
    """English says before the food what Spanish says behind it."""

    target = "en"
    bare = ("for ", "to ", "in ", "with ", "or ", "plus ", "at ")

    def part(self, part: Part) -> str:
        entry, agreement = part.food[0].entry, self.agreement(part)
        words = [self.notes(group, agreement) for group in part.modifiers]
        words.append(entry.name("en", is_plural=self.is_plural(part)))
        unit = self.unit(part)
        if part.amount:
            of = ["of"] if unit and not {"of", "piece"}.isdisjoint(unit.entry.notes) else []
            words = [self.amount(part.amount, agreement), *of, *words]
        text = AN.sub("an", " ".join([part.head.names["en"][0], *words] if part.head else words))
        text += f" ({self.measure(part.size, agreement)})" if part.size else ""
        for note in part.behind:
            text += self.noted("", Notes([note]), agreement)
        return text

    def with_unit(self, number: str, unit: Form | None, sizes: Sequence[Entry], agreement: Agreement) -> list[str]:
        if unit is None:
            return [number]
        name = unit.entry.name("en", is_plural=agreement.is_plural)
        return [number, *(self.worded(size, agreement) for size in sizes), name]


def sounding(word: str, following: str) -> str:
    """Return "e" for "y" before an i, "u" for "o" before an o."""
    if word == "y" and E_SOUND.match(following):
        return "e"
    return "u" if word == "o" and O_SOUND.match(following) else word


def fitting_unit(measure: Measure, classes: frozenset[str]) -> Form:
    unit = measure.unit(classes)
    if unit is None:
        raise NoWord
    return unit


def together(agreements: Sequence[Agreement], links: Sequence[str]) -> Agreement:
    """Return what notes on several foods agree with: on all of them if they are tied by "and", else on the last."""
    if len(agreements) == 1 or not any(link.endswith("and") for link in links):
        return agreements[-1]
    gender = "f" if all(agreement.gender == "f" for agreement in agreements) else "m"
    return Agreement(gender, True, agreements[-1].classes)
