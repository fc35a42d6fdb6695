"""The shipped judged requests: how many, of which kinds, and about recipes that exist."""

from collections import Counter

import pytest

from recsys.commands.first_start import SPANISH, SPANISH_RECIPES
from recsys.evaluation.judged import JudgedRequest, read_judged
from recsys.recommender.sources import Problem, read_source
from tests.evaluation.shipped import JUDGED

KINDS = {
    "cross-language", "diet", "dish", "exclusion", "fridge", "ingredient", "ingredients", "keyword", "limits",
    "misspelt", "natural", "occasion", "vague",
}  # fmt: skip


@pytest.fixture(scope="module")
def requests() -> list[JudgedRequest]:
    return read_judged(JUDGED).requests


def test_half_are_spanish_and_half_english(requests: list[JudgedRequest]) -> None:
    """At least 150 requests, no text twice, and neither language much more than half."""
    languages = Counter(request.language for request in requests)
    assert len({request.query for request in requests}) == len(requests) >= 150
    assert abs(languages["es"] - languages["en"]) < 0.05 * len(requests)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_is_there_in_both_languages(requests: list[JudgedRequest], language: str) -> None:
    """Figures by kind stand on at least eight requests in each language."""
    kinds = Counter(request.kind for request in requests if request.language == language)
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 8


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_part_is_kept_aside(requests: list[JudgedRequest], language: str) -> None:
    """The final figure stands on a hundred requests and more that nothing was chosen by, of every kind."""
    final = [request for request in requests if request.split == "final" and request.language == language]
    assert len(final) >= 75
    assert {request.kind for request in final} == KINDS


def test_the_judged_spanish_recipes_exist(requests: list[JudgedRequest]) -> None:
    """Every Spanish id that is judged is one that the shipped catalogue's import gives."""
    shipped = {f"{SPANISH}-{row[1].recipe_id}" for row in read_source(SPANISH_RECIPES) if not isinstance(row, Problem)}
    judged = {key for request in requests for key in request.relevant if key.startswith(f"{SPANISH}-")}
    assert judged <= shipped


def test_exclusions_name_what_they_forbid(requests: list[JudgedRequest]) -> None:
    """A request that excludes something names what: diets and exclusions all do, and no other kind does."""
    assert all(bool(request.forbidden) == (request.kind in ("diet", "exclusion")) for request in requests)
