"""Analysis of Spanish and English text: words, stems, and the language of a text. Floor 3: imports nothing of ours."""

import re
import unicodedata
from typing import NamedTuple

import Stemmer

LANGUAGES = ("es", "en")
STEMMERS = {"es": "spanish", "en": "english"}
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+[a-z]+")
TOKEN = re.compile(r"[^\W_]+(?:['’´`][^\W\d_]+)?|[,;:.()/!?¿¡&|\[\]]")
APOSTROPHES = re.compile("[’´`]")
MEMO_WORDS_MAX = 300_000

SPANISH_FUNCTION_WORDS = """
a al algo ante aquel aquella asi aun aunque bien cada como con contra cual cuando de del desde donde dos e el ella
ellas ellos en entre era es esa ese eso esta estas este esto estos estoy fue ha hacia han hasta hay la las le les lo
los luego mas me mi mis mucho muy nada ni no nos nuestro o os otra otro para pero poco por porque pues que quien se
sea ser si sin sobre solo son su sus tal tambien tan tanto te ti todo todos tu tus u un una unas uno unos y ya yo
"""
ENGLISH_FUNCTION_WORDS = """
a about after all also an and any are as at be been before but by can could did do does for from had has have he her
him his how i if in into is it its just me more most my no not of off on one only or other our out over she should
so some such than that the their them then there these they this those through to too under until up very was we
were what when where which while who will with without would you your
"""
# What people wrap around the dish they ask for; it says nothing about the dish.
SPANISH_REQUEST_WORDS = """
algun alguna autentica autentico busco casera casero clasica clasico cocina cocinar comer comida dame elaborar favor
gustaria hacer haz idea ideas mejor mejores muestrame necesito original originales paso plato platos popular
populares preparacion preparar puedo quiero receta recetas recomienda recomiendame rica ricas rico ricos sugiere
tengo tradicional
"""
ENGLISH_REQUEST_WORDS = """
best cook cooking dish dishes find food give good great homemade idea ideas like make making meal meals need
original please popular prepare recipe recipes recommend show some something suggest tasty traditional want
"""
STOP_WORDS = {
    "es": frozenset((SPANISH_FUNCTION_WORDS + SPANISH_REQUEST_WORDS).split()),
    "en": frozenset((ENGLISH_FUNCTION_WORDS + ENGLISH_REQUEST_WORDS).split()),
}
ALL_STOP_WORDS = STOP_WORDS["es"] | STOP_WORDS["en"]
STOPPED = " "  # marks a stop word where a stem would stand; no stem is a blank
SPANISH_LETTERS = re.compile("[ñáéíóúü¿¡]", re.IGNORECASE)


class FoldedLetters(dict[int, str]):
    """What each letter is without its accents, found out when it is first met."""

    def __missing__(self, letter: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(letter))
        self[letter] = "".join(part for part in decomposed if not unicodedata.combining(part))
        return self[letter]


FOLDED = FoldedLetters()


def fold(text: str) -> str:
    """Return the text in lower case, without accents.

    >>> fold("Piñón CALÇOTS")
    'pinon calcots'
    """
    return text.lower() if text.isascii() else text.lower().translate(FOLDED)


def words(text: str) -> list[str]:
    """Return the folded words of a text, in order; numbers alone are left out."""
    return WORD.findall(fold(text))


class Token(NamedTuple):
    """A word, number or punctuation mark of a text. surface: as written; word: folded."""

    surface: str
    word: str

    @property
    def is_word(self) -> bool:
        return self.word[:1].isalnum()


def tokens(text: str) -> list[Token]:
    """Return the words, numbers and punctuation marks of a text, in order.

    >>> [token.word for token in tokens("Sin gluten, 30min: don’t")]
    ['sin', 'gluten', ',', '30min', ':', "don't"]
    """
    return [Token(found, fold(APOSTROPHES.sub("'", found))) for found in TOKEN.findall(text)]


class Analyzer:
    """Turns texts into stems, without stop words. Not for use by several threads at once: the stemmers keep state."""

    def __init__(self) -> None:
        self.stemmers = {language: Stemmer.Stemmer(algorithm) for language, algorithm in STEMMERS.items()}
        self.memo: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}

    def stems(self, text: str, language: str) -> list[str]:
        """Return the stems of the words that carry meaning, in order."""
        memo = self.memo[language]
        if len(memo) > MEMO_WORDS_MAX:
            memo.clear()
        return [stem for word in words(text) if (stem := memo.get(word) or self.learn(word, language)) != STOPPED]

    def learn(self, word: str, language: str) -> str:
        stem = STOPPED if word in STOP_WORDS[language] else self.stemmers[language].stemWord(word)
        self.memo[language][word] = stem
        return stem


def content_words(text: str) -> list[str]:
    """Return the words of a request that say what is wanted; stop words of neither language.

    >>> content_words("Quiero recetas fáciles de pollo, how to make")
    ['faciles', 'pollo']
    """
    return [word for word in words(text) if word not in ALL_STOP_WORDS]


def without_stop_words(text: str) -> str:
    """Return the text less its stop words, as it was written; all of it if nothing else is there.

    >>> without_stop_words("¿Receta de salmón al horno?"), without_stop_words("recetas")
    ('salmón horno?', 'recetas')
    """
    return " ".join(word for word in text.split() if content_words(word)) or text


def guess_language(text: str) -> str:
    """Return the language that the text's stop words and letters speak for; "es" on a tie."""
    return "es" if spanish_votes(text) >= 0 else "en"


def spanish_votes(text: str) -> int:
    """Return how many stop words and letters speak for Spanish, less those for English."""
    found = words(text)
    spanish, english = (sum(word in STOP_WORDS[language] for word in found) for language in LANGUAGES)
    return spanish - english + len(SPANISH_LETTERS.findall(text))
