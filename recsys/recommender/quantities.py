"""How much: the numbers of ingredient lines, in Spanish and English. Floor 3; imports nothing of ours."""

import re
import unicodedata
from dataclasses import dataclass

FRACTION = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
NUMBER = rf"\d+\s*[{FRACTION}]|\d+\s+\d+\s*[/⁄]\s*\d+|\d+[/⁄]\d+|[{FRACTION}]|\d+(?:[.,]\d+)?"
ANY_NUMBER = re.compile(NUMBER)
THOUSANDS = {"en": re.compile(r"(?<=\d),(?=\d{3}\b)"), "es": re.compile(r"(?<=\d)\.(?=\d{3}\b)")}
DECIMAL_MARK = {"en": ".", "es": ","}

COUNTS = {
    "en": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    "es": ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"],
}
ARTICLES = {"en": ("a", "an"), "es": ("un", "una")}
HALVES = {"en": ("half",), "es": ("medio", "media")}
FEW = {"en": ("few",), "es": ("unos", "unas", "algunos", "algunas")}
RANGE_WORDS = {"en": {"to": "a", "or": "o"}, "es": {"a": "to", "o": "or", "u": "or"}}
RANGE_MARKS = frozenset("-–—")


@dataclass(frozen=True)
class Quantity:
    """A number or range as written, in marks or as one word of COUNTS, "a", "half" or "few" (in English).

    value: of its higher end.
    """

    low: str
    value: float
    link: str = ""
    high: str = ""
    word: str = ""

    @property
    def is_plural(self) -> bool:
        """Whether the counted thing stands in the plural: decimals but 1 do, fractions up to 1 do not."""
        if self.word:
            return self.word not in ("a", "one", "half")
        has_decimals = bool(re.search(r"\d[.,]\d", self.low))
        return self.value > 1 or (has_decimals and self.value != 1)

    def text(self, source: str, target: str, *, gender: str = "m") -> str:
        """Return the quantity in the language `target`. gender: of the counted thing in Spanish."""
        if self.word:
            return quantity_word(self.word, target, gender)
        if self.link in RANGE_WORDS[source]:
            link = f" {RANGE_WORDS[source][self.link]} " if source != target else f" {self.link} "
        else:
            link = self.link
        return f"{numeral(self.low, source, target)}{link}{numeral(self.high, source, target) if self.high else ''}"


def quantity_word(word: str, target: str, gender: str) -> str:
    if target == "en":
        return {"half": "half a", "few": "a few"}.get(word, word)
    if word in ("a", "one"):
        return "una" if gender == "f" else "un"
    if word in ("half", "few"):
        masculine, feminine = {"half": ("medio", "media"), "few": ("unos", "unas")}[word]
        return feminine if gender == "f" else masculine
    return COUNTS["es"][COUNTS["en"].index(word)]


def numeral(text: str, source: str, target: str) -> str:
    """Return a number in the other language's marks.

    >>> numeral("1.5", "en", "es"), numeral("1,5", "es", "en"), numeral("1 ½", "en", "es"), numeral("1,000", "en", "es")
    ('1,5', '1.5', '1½', '1000')
    """
    text = THOUSANDS[source].sub("", text)
    text = re.sub(rf"\s*(?=[{FRACTION}])", "", text)
    return re.sub(r"(?<=\d)[.,](?=\d)", DECIMAL_MARK[target], text)


def number_value(text: str, language: str) -> float:
    """Return what a written number is worth.

    >>> number_value("1 1/2", "en"), number_value("1½", "en"), number_value("1,5", "es")
    (1.5, 1.5, 1.5)
    """
    text = THOUSANDS[language].sub("", text).replace(",", ".").replace("⁄", "/")
    if text[-1] in FRACTION:
        return float(text[:-1] or 0) + unicodedata.numeric(text[-1])
    whole, _, fraction = text.rpartition(" ") if "/" in text else (text, "", "")
    if not fraction:
        return float(whole)
    upper, lower = fraction.split("/")
    return float(whole or 0) + float(upper) / max(float(lower), 1)


def word_quantity(word: str, language: str) -> Quantity | None:
    """Return what a word counts; None if it counts nothing."""
    if word in ARTICLES[language]:
        return Quantity("", 1, word="a")
    if word in HALVES[language]:
        return Quantity("", 0.5, word="half")
    if word in FEW[language]:
        return Quantity("", 3, word="few")
    if word in COUNTS[language]:
        count = COUNTS[language].index(word)
        return Quantity("", count + 1, word=COUNTS["en"][count])
    return None


def values_in(text: str, language: str) -> list[float]:
    """Return what the numbers of a text are worth, in order.

    >>> values_in("Bake 1½ hours at 180 °C (350–360 °F)", "en"), values_in("1,5 horas a 180 °C", "es")
    ([1.5, 180.0, 350.0, 360.0], [1.5, 180.0])
    """
    found = ANY_NUMBER.finditer(THOUSANDS[language].sub("", text))
    return [round(number_value(match[0], language), 6) for match in found]
