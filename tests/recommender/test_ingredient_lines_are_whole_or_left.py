"""Ingredient lines are put into the other language whole, as a cook would write them, or are left as they are."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.recommender.ingredient_lines import translated_line
from recsys.recommender.ingredient_parser import Budget, Parser, TooAmbiguous, tokens_of
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.phrasebook import KINDS, PHRASEBOOK_PATH, phrase_words, shipped_phrasebook
from recsys.recommender.quantities import values_in

OTHER = {"es": "en", "en": "es"}
with (Path(__file__).parent / "ingredient_lines.csv").open(encoding="utf-8", newline="") as file:
    READ_BY_A_COOK = [(row["language"], row["line"], row["rendering"]) for row in csv.DictReader(file)]
NOTES = {"", "f", "m", "fixed", "measure", "symbol", "of", "piece", "length", "size", "after", "before", "english"}


@pytest.mark.parametrize(("language", "line", "rendering"), READ_BY_A_COOK)
def test_lines_are_rendered_as_a_cook_found_right(language: str, line: str, rendering: str) -> None:
    """Each line is rendered as it was when a cook read it; an empty rendering is a line that is left as it is."""
    assert (translated_line(line, source=language, target=OTHER[language]) or "") == rendering


def test_most_lines_are_rendered() -> None:
    """Of our own recipes' lines nine in ten are understood whole."""
    own = [rendering for language, _, rendering in READ_BY_A_COOK if language == "es"]
    assert sum(map(bool, own)) / len(own) >= 0.85


@pytest.mark.parametrize(("language", "line"), [row[:2] for row in READ_BY_A_COOK if row[2]])
def test_numbers_are_kept(language: str, line: str) -> None:
    """What is rendered has the numbers of its original, whatever the marks; "y media" is the half it says."""
    rendering = translated_line(line, source=language, target=OTHER[language])
    assert rendering
    assert " y media " in line or set(values_in(rendering, OTHER[language])) == set(values_in(line, language))


def test_one_unknown_word_leaves_the_line() -> None:
    """No line is translated by half."""
    assert translated_line("2 cups flour", source="en", target="es") == "2 tazas de harina"
    assert translated_line("2 cups xyzzy flour", source="en", target="es") is None


def test_the_same_language_is_the_same_line() -> None:
    """Nothing is done to a line that stands in the language asked for."""
    assert translated_line("2 Cups of WHATEVER", source="en", target="en") == "2 Cups of WHATEVER"


@given(st.text(max_size=80), st.sampled_from(["es", "en"]))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_grammar(line: str, language: str) -> None:
    """Any text is rendered or left."""
    assert translated_line(line, source=language, target=OTHER[language]) != ""


@pytest.mark.parametrize("line", ["chopped, " * 20 + "x", "butter or " * 20 + "x", "1 (" * 20, "1 cup plus " * 13])
def test_no_line_takes_long(line: str) -> None:
    """A line that can be read in very many ways is given up after a bounded number of looks."""
    assert translated_line(line.strip(), source="en", target="es") is None


def test_the_looks_are_bounded() -> None:
    """The budget ends a reading wherever it stands."""
    row = tokens_of("2 cups flour, sifted")
    with pytest.raises(TooAmbiguous):
        list(Parser(row, "en", shipped_phrasebook(), Budget(left=3)).lines())


def test_the_phrasebook_is_consistent() -> None:
    """Its kinds and notes are known, its concepts are the lexicon's, and no name is missing."""
    lexicon = shipped_lexicon()
    with PHRASEBOOK_PATH.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            notes, _, concepts = row["note"].partition("for ")
            assert row["kind"] in KINDS, row
            assert set(notes.split()) <= NOTES, row
            assert set(filter(None, concepts.split("|"))) <= lexicon.concepts.keys(), row
            assert all(row[language] for language in OTHER), row


def test_usual_english_names_are_read_back() -> None:
    """No food hides another one's usual English name: what a Spanish line becomes can be read again."""
    with PHRASEBOOK_PATH.open(encoding="utf-8", newline="") as rows:
        foods = [row for row in csv.DictReader(rows) if row["kind"] == "food"]
    for row in foods:
        name = row["en"].split("|")[0]
        found = shipped_phrasebook().found("food", "en", phrase_words(name))
        assert name in [form.entry.names["en"][0] for form in found]
