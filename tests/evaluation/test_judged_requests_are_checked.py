"""Reading judged requests: the format, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.evaluation.evaluating import judged_in
from recsys.evaluation.judged import read_judged
from recsys.recommender.errors import UnreadableSource

SOUP: dict[str, Any] = {"query": "sopa", "language": "es", "kind": "dish", "relevant": {"es-sopa": 3}}


def written(path: Path, *requests: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(request)}\n" for request in requests))
    return path


def test_a_file_is_about_the_default_recipes(tmp_path: Path) -> None:
    """A file of requests has no recipes of its own; split and notes may be left out."""
    judged = read_judged(written(tmp_path / "some.jsonl", SOUP))
    assert judged.recipes is None
    assert (judged.requests[0].split, judged.requests[0].forbidden) == ("tune", [])


def test_a_folder_brings_its_recipes(tmp_path: Path) -> None:
    """recipes.* beside judged.jsonl is the catalogue that is searched."""
    written(tmp_path / "judged.jsonl", SOUP)
    recipes = written(tmp_path / "recipes.jsonl", {"name": "Sopa"})
    assert read_judged(tmp_path).recipes == recipes


def test_two_catalogues_are_one_too_many(tmp_path: Path) -> None:
    """Which of two is meant cannot be told, so it is asked."""
    written(tmp_path / "judged.jsonl", SOUP)
    for name in ("recipes.csv", "recipes.jsonl"):
        written(tmp_path / name, SOUP)
    with pytest.raises(UnreadableSource, match=r"recipes\.csv, recipes\.jsonl: leave one"):
        read_judged(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"relevant": {"es-sopa": 4}}, "<= 3"),
        ({"relevant": {}}, "length >= 1"),
        ({"language": "fr"}, "fr"),
        ({"grade": 1}, "grade"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    """The error names the file, the line and what is wrong with it."""
    path = written(tmp_path / "judged.jsonl", SOUP, SOUP | wrong)
    with pytest.raises(UnreadableSource, match=f"line 2 is no judged request: .*{message}"):
        read_judged(path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_no_requests_are_no_dataset(tmp_path: Path, content: str) -> None:
    """An empty file is refused: a mean over nothing says nothing."""
    path = tmp_path / "judged.jsonl"
    path.write_text(content)
    with pytest.raises(UnreadableSource, match="holds no judged requests"):
        read_judged(path)


def test_what_the_catalogue_lacks_is_left_out(tmp_path: Path) -> None:
    """Recipes that are not there are not expected, and requests without any are not asked."""
    stew = SOUP | {"query": "guiso", "relevant": {"es-guiso": 3, "es-sopa": 1}}
    requests = read_judged(written(tmp_path / "some.jsonl", SOUP, stew)).requests
    kept = judged_in(requests, frozenset(["es-guiso"]))
    assert [(request.query, request.relevant) for request in kept] == [("guiso", {"es-guiso": 3})]
