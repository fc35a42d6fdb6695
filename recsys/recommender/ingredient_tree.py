"""What an ingredient line says, whatever its language: the tree between the parser and the writers. Floor 3."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.recommender.phrasebook import Entry, Form
from recsys.recommender.quantities import Quantity

NOTHING = Quantity("", 0)


@dataclass(frozen=True)
class Measure:
    """A quantity with its unit: the forms that the word may stand for, which the food decides."""

    quantity: Quantity | None
    units: Sequence[Form] = ()
    sizes: Sequence[Entry] = ()
    is_about: bool = False
    is_up_to: bool = False
    is_each: bool = False

    def unit(self, classes: frozenset[str]) -> Form | None:
        return next((form for form in self.units if form.entry.holds_for(classes)), None)


@dataclass(frozen=True)
class Amount:
    """Measures that add up or stand for each other. links: "plus", "and", "or" or "/" between them."""

    measures: Sequence[Measure]
    links: Sequence[str] = ()
    aside: "Sequence[Measure] | None" = None
    aside_links: Sequence[str] = ()
    size: Measure | None = None  # "1 (14 oz) can", "1-inch piece"


@dataclass(frozen=True)
class Note:
    """One thing said of the food. forms: what the words may stand for; measure: what stands at {m} or {n}."""

    forms: Sequence[Form]
    measure: "Measure | Quantity | None" = None
    paren: "Sequence[Measure] | None" = None

    def entry(self, classes: frozenset[str]) -> Entry | None:
        """Return the entry that holds for the food; those made for it go first."""
        fitting = [form.entry for form in self.forms if form.entry.holds_for(classes)]
        return next((entry for entry in fitting if entry.only_for), fitting[0] if fitting else None)


@dataclass(frozen=True)
class Notes:
    """Notes with what stands between them: ",", "and", "or"."""

    items: Sequence[Note]
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Part:
    """One food with its amount. modifiers: in the order of English; behind: said after it, without a comma."""

    food: Sequence[Form]
    amount: Amount | None = None
    head: Entry | None = None
    modifiers: Sequence[Notes] = ()
    behind: Sequence[Note] = ()
    size: Measure | None = None


@dataclass(frozen=True)
class Line:
    """A whole line. rest: what follows, as (mark, what): mark is ",", "(" or ""."""

    parts: Sequence[Part]
    links: Sequence[str] = ()
    rest: "Sequence[tuple[str, Notes | Aside]]" = ()


@dataclass(frozen=True)
class Aside:
    """What stands in parentheses: measures, or another name for the food."""

    measures: Sequence[Measure] = ()
    links: Sequence[str] = ()
    line: Line | None = None
    is_alternative: bool = False
