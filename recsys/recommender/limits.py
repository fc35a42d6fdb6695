"""The limits that a request sets: minutes, number of ingredients, people to feed. Floor 3; imports text alone."""

import re
from collections.abc import Sequence

import msgspec

from recsys.recommender.text import Token

QUICK_MINUTES = 30
FEW_INGREDIENTS = 6
NUMBER_WORDS = {
    word: number
    for number, names in {
        1: "un una uno one", 2: "dos two", 3: "tres three", 4: "cuatro four", 5: "cinco five", 6: "seis six",
        7: "siete seven", 8: "ocho eight", 9: "nueve nine", 10: "diez ten", 12: "doce twelve dozen",
        15: "quince fifteen", 20: "veinte twenty", 25: "veinticinco", 30: "treinta thirty", 40: "cuarenta forty",
        45: "cuarentaicinco", 50: "cincuenta fifty", 60: "sesenta sixty", 90: "noventa ninety",
    }.items()
    for word in names.split()
}  # fmt: skip
NUMBER = rf"(?P<number>\d{{1,4}}|{'|'.join(NUMBER_WORDS)})"
BEFORE = (
    r"(?:(?:en|in|de|con|with|using|solo|only|just|within|under|below|hasta|max|maximo|maximum|of|about|unos|como|mucho|"
    r"at|most|menos de|less than|fewer than|no mas de|not? more than|up to|lista?s? en|ready in|done in|made in|"
    r"por debajo de|a) )*"
)
AFTER = r"(?: (?:o menos|or less|or fewer|or under|como mucho|como maximo|at most|max|maximo|maximum|tops))?"
MINUTES = re.compile(rf"\b{BEFORE}{NUMBER} ?(?:minutos?|minutes?|mins?|m)\b{AFTER}")
HOURS = re.compile(rf"\b{BEFORE}(?:{NUMBER}|an) ?(?:horas?|hours?|hrs?|h)\b(?P<half> y media| and a half)?{AFTER}")
PART_HOUR = re.compile(rf"\b{BEFORE}(?:(?P<half>media hora|half an hour|half hour)|(?:un )?cuarto de hora){AFTER}\b")
QUICK = re.compile(
    r"\b(?:(?:muy |super |very )?"
    r"(?:rapid[oa]?s?|rapidit[oa]s?|quick|quickly|fast|expres+)|en un momento|en poco tiempo|"
    r"(?:y )?(?:con|tengo|having) (?:prisa|poco tiempo)|no tengo tiempo|(?:i am |i'm )?in a (?:hurry|rush))\b"
)
INGREDIENTS = re.compile(rf"\b{BEFORE}{NUMBER} ?(?:ingredientes?|ingredients?)\b{AFTER}")
FEW = re.compile(r"\b(?:con |with )?(?:muy |very )?(?:pocos|few|a few|poquitos) (?:ingredientes|ingredients)\b")
PEOPLE = r"(?:personas?|comensales|raciones|porciones|adultos|people|persons?|servings?|guests|adults)"
SERVINGS = re.compile(  # "para una" is for one; "para una barbacoa" is not
    rf"\b(?:(?:para|for|serves|serving|feeds) (?!(?:una?|one) (?!{PEOPLE})){NUMBER}(?: {PEOPLE})?(?=$| )|"
    rf"{NUMBER.replace('number', 'people')} {PEOPLE})(?! (?:horas?|minut|dias?|days?|hours?))"
)
MINUTES_AN_HOUR = 60


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the recipe must keep to. is_quick: asked for in words, so a wish and not a bound."""

    minutes_max: int | None = None
    ingredients_max: int | None = None
    servings: int | None = None
    is_quick: bool = False


def find_limits(tokens: Sequence[Token]) -> tuple[Limits, frozenset[int]]:
    """Return the limits of a request, and the places of the tokens that state them."""
    text = " ".join(token.word for token in tokens)
    spans: list[tuple[int, int]] = []

    def taken(pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = next((found for found in pattern.finditer(text) if not overlaps(found.span(), spans)), None)
        if match:
            spans.append(match.span())
        return match

    ingredients, few = taken(INGREDIENTS), taken(FEW)
    part, hours, minutes = taken(PART_HOUR), taken(HOURS), taken(MINUTES)
    servings, quick = taken(SERVINGS), taken(QUICK)
    times = [
        *([30 if part["half"] else 15] if part else []),
        *([in_minutes(hours)] if hours else []),
        *([number(minutes["number"])] if minutes else []),
    ]
    limits = Limits(
        minutes_max=sum(times) or None,
        ingredients_max=number(ingredients["number"]) if ingredients else FEW_INGREDIENTS if few else None,
        servings=number(servings["number"] or servings["people"]) if servings else None,
        is_quick=quick is not None,
    )
    return limits, covered_tokens(tokens, spans)


def in_minutes(hours: re.Match[str]) -> int:
    return MINUTES_AN_HOUR * number(hours["number"] or "1") + (MINUTES_AN_HOUR // 2 if hours["half"] else 0)


def number(text: str) -> int:
    return NUMBER_WORDS.get(text) or int(text)


def overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def covered_tokens(tokens: Sequence[Token], spans: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the places of the tokens inside the spans of their text joined by blanks."""
    covered: set[int] = set()
    start = 0
    for place, token in enumerate(tokens):
        end = start + len(token.word)
        if overlaps((start, end), spans):
            covered.add(place)
        start = end + 1
    return frozenset(covered)
