"""Requests made by rule: how far misspelt ones are from the clean, and what exclusions cover."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.concepts import read_concepts
from recsys.evaluation.generated import exclusion_requests, misspelt


@given(st.from_regex(r"[a-z]{4,14}", fullmatch=True), st.integers())
def test_a_word_is_edited_once(word: str, seed: int) -> None:
    """One edit changes the length by one at most, and the word if it can; its first letter stays."""
    found = misspelt(word, edits=1, random=Random(seed))
    assert abs(len(found) - len(word)) <= 1
    assert found[0] == word[0]
    assert found != word


@pytest.mark.parametrize("text", ["pan con ajo", "2 kg", ""])
def test_short_words_stay(text: str) -> None:
    """A word of three letters misspelt is another word."""
    assert misspelt(text, edits=2, random=Random(1)) == text


def test_the_same_seed_misspells_alike() -> None:
    """Figures can be repeated."""
    first, second = (misspelt("garbanzos con espinacas", edits=2, random=Random(3)) for _ in range(2))
    assert first == second


def test_exclusions_are_many_and_known() -> None:
    """At least 300 different requests, half in each language, of concepts whose words are known."""
    found = list(exclusion_requests())
    assert len({query for query, _ in found}) == len(found) >= 300
    assert {concept for _, concept in found} <= read_concepts().found.keys()
