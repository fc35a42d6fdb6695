"""From a source's raw values to a recipe's fields, within bounds. Floor 3."""

import ast
import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from recsys.recommender.errors import InvalidField

NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 5_000
ITEMS_MAX = 200
MINUTES_MAX = 60 * 24 * 60  # sixty days: hams and liqueurs take weeks
SERVINGS_MAX = 1_000
SLUG_LENGTH_MAX = 80

SPACES = re.compile(r"\s+")
TAGS = re.compile(r"<[^<>]*>")
STEP_NUMBER = re.compile(r"^\s*(?:step\s+|paso\s+)?\d{1,2}\s*[.):-]\s+", re.IGNORECASE)
NOT_SLUG = re.compile(r"[^a-z0-9]+")
ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:\d+(?:\.\d+)?S)?)?", re.IGNORECASE)
QUANTITY = r"(\d+(?:[.,]\d+)?)\s*(½|¼|¾|⅓|⅔)?|(½|¼|¾)"
RANGE = rf"(?:{QUANTITY})(?:\s*(?:[-–—]|to|or|a|o)\s*(?:{QUANTITY}))?"
UNIT = r"(days?|d[ií]as?|hours?|horas?|hrs?|h|minutes?|minutos?|mins?|m)\b\.?"
ABOUT = r"(?:about|approximately|approx\.?|unos|~)?"
TIME_PART = re.compile(rf"{ABOUT}\s*{RANGE}\s*{UNIT}[\s,]*(?:and|y)?\s*", re.IGNORECASE)
LABEL = re.compile(r"^[a-zñáéíóú ]{1,30}:\s*", re.IGNORECASE)
PART_BREAK = re.compile(r"<br\s*/?>|;|\+|\n", re.IGNORECASE)
FIRST_NUMBER = re.compile(r"\d+")
FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}


def text(value: Any, field: str, *, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return a value as one line of plain text; "" for None. Raises InvalidField."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidField(field, f"expected text, found {type(value).__name__}")
    plain = SPACES.sub(" ", unicodedata.normalize("NFC", without_markup(str(value)))).strip()
    if "\ufffd" in plain:
        raise InvalidField(field, "holds \ufffd, what is left of lost bytes: save the file as UTF-8 anew")
    if len(plain) > length_max:
        raise InvalidField(field, f"{len(plain)} characters, at most {length_max} are read")
    return plain


def without_markup(value: str) -> str:
    """Return the text with HTML entities resolved, and without tags and control characters.

    >>> without_markup("1&frac12; cups<br/> <b>flour</b>")
    '1½ cups   flour '
    """
    if "&" in value or "<" in value:
        value = TAGS.sub(" ", html.unescape(value))
    if value.isprintable():
        return value
    return "".join(character for character in SPACES.sub(" ", value) if character.isprintable())


def name(value: Any, field: str) -> str:
    """Return a recipe's name. Raises InvalidField, also if there is none."""
    found = text(value, field, length_max=NAME_LENGTH_MAX)
    if not found:
        raise InvalidField(field, "is empty")
    return found


def items(value: Any, field: str, *, required: bool = True) -> list[str]:
    """Return a list of plain texts, empty ones left out. Raises InvalidField, also if required and empty."""
    if isinstance(value, str):
        value = listed(value) or value.splitlines()
    if value is not None and not isinstance(value, Sequence):
        raise InvalidField(field, f"expected a list, found {type(value).__name__}")
    found = [plain for item in value or () if (plain := text(item, field))]
    if required and not found:
        raise InvalidField(field, "is empty")
    if len(found) > ITEMS_MAX:
        raise InvalidField(field, f"{len(found)} items, at most {ITEMS_MAX} are read")
    return found


def listed(value: str) -> list[Any] | None:
    """Return the items of a text that is a Python or JSON list, else None.

    >>> listed("['1 egg', 'salt']")
    ['1 egg', 'salt']
    """
    if not value.lstrip().startswith("["):
        return None
    try:
        found = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, list) else None


def steps(value: Any, field: str) -> list[str]:
    """Return the steps without their leading numbers. Raises InvalidField."""
    return [STEP_NUMBER.sub("", step) for step in items(value, field)]


def slug(value: str) -> str:
    """Return an identifier of a-z, 0-9 and -, at most 80 long.

    >>> slug("Piñones & Café")
    'pinones-cafe'
    """
    folded = unicodedata.normalize("NFKD", value.lower()).encode("ascii", "ignore").decode()
    return NOT_SLUG.sub("-", folded)[:SLUG_LENGTH_MAX].strip("-") or "recipe"


def whole(value: Any, *, highest: int) -> int | None:
    """Return the first whole number from 1 to `highest` in a value, else None: a source may say "varies"."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = FIRST_NUMBER.search(str(value))
    number = int(found[0][:9]) if found else 0
    return number if 1 <= number <= highest else None


def servings(value: Any) -> int | None:
    """Return the servings of such as 4, "6–8 persons" (6) or "varies" (None)."""
    if isinstance(value, list):
        value = value[0] if value else None
    return whole(value, highest=SERVINGS_MAX)


def minutes(value: Any) -> int | None:
    """Return the minutes of a number, an ISO 8601 duration or a plain phrase; None where it is not clear.

    >>> minutes("PT1H30M"), minutes("1½ hours"), minutes("15–20 minutes"), minutes("overnight")
    (90, 90, 20, None)
    >>> minutes("Prep: 10 minutes<br/>Baking: 1 hour 5 minutes"), minutes("2 minutes per pancake")
    (75, None)
    """
    if isinstance(value, int | float):
        return whole(value, highest=MINUTES_MAX)
    if not isinstance(value, str) or len(value) > 200:
        return None
    phrase = html.unescape(value).strip()
    if phrase.isdecimal():
        return whole(phrase, highest=MINUTES_MAX)
    iso = ISO_DURATION.fullmatch(phrase)
    total = iso_minutes(iso) if iso else phrase_minutes(phrase)
    return round(total) if total and 1 <= total <= MINUTES_MAX else None


def iso_minutes(duration: re.Match[str]) -> float:
    days, hours, left = (int(group or 0) for group in duration.groups())
    return (days * 24 + hours) * 60 + left


def phrase_minutes(phrase: str) -> float:
    """Return the sum of the phrase's parts; 0 if any part is unclear. A range counts with its upper end."""
    parts = [part_minutes(LABEL.sub("", part.strip())) for part in PART_BREAK.split(phrase) if part.strip()]
    return sum(parts) if all(parts) else 0.0


def part_minutes(part: str) -> float:
    total, at = 0.0, 0
    while found := TIME_PART.match(part, at):
        lower, upper = quantity(*found.groups()[0:3]), quantity(*found.groups()[3:6])
        total += max(lower, upper) * unit_minutes(found[7])
        at = found.end()
    return total if at == len(part) else 0.0


def quantity(number: str | None, fraction: str | None, lone_fraction: str | None) -> float:
    return float((number or "0").replace(",", ".")) + FRACTIONS.get(fraction or lone_fraction or "", 0.0)


def unit_minutes(unit: str) -> int:
    return {"d": 24 * 60, "h": 60, "m": 1}[unit[0].lower()]
