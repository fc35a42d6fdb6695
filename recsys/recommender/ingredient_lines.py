"""Ingredient lines in the other language, by a grammar over the phrasebook. Floor 3.

A line with a word that no rule takes stays in its own language: half a translation is worse than none.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice

from recsys.recommender.ingredient_parser import Budget, Parser, Token, TooAmbiguous, tokens_of
from recsys.recommender.ingredient_writer import EnglishWriter, NoWord, SpanishWriter
from recsys.recommender.phrasebook import shipped_phrasebook

LINE_LENGTH_MAX = 200
TOKENS_MAX = 40
READINGS_MAX = 30
LINES_KEPT = 20_000


def translated_line(line: str, *, source: str, target: str) -> str | None:
    """Return an ingredient line in the language `target`; None where it is not understood whole.

    >>> translated_line("2 cups all-purpose flour, sifted", source="en", target="es")
    '2 tazas de harina de trigo, tamizada'
    >>> translated_line("1,5 kg de patatas grandes", source="es", target="en")
    '1.5 kg large potatoes'
    >>> translated_line("1 cup of grandma's secret", source="en", target="es")
    """
    return line if source == target else parsed_and_written(line, source, target)


@lru_cache(LINES_KEPT)
def parsed_and_written(line: str, source: str, target: str) -> str | None:
    row = tokens_of(line) if len(line) <= LINE_LENGTH_MAX else []
    text = first_writable(row, source, target) if 0 < len(row) <= TOKENS_MAX else None
    return f"{text[0].upper()}{text[1:]}" if text and line.lstrip()[:1].isupper() else text


def first_writable(row: Sequence[Token], source: str, target: str) -> str | None:
    """Return the likeliest reading that the other language has words for."""
    writer = SpanishWriter(source) if target == "es" else EnglishWriter(source)
    try:
        for tree in islice(Parser(row, source, shipped_phrasebook(), Budget()).lines(), READINGS_MAX):
            with suppress(NoWord):
                return writer.line(tree)
    except TooAmbiguous:
        return None
    return None
