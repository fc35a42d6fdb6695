"""run.py evaluate-search: its figures, its comparison, and what it says of wrong input."""

import json
from pathlib import Path
from typing import Any

import pytest

import run

RECIPES = [
    {
        "name": "Sopa de ajo",
        "language": "es",
        "ingredients": ["6 dientes de ajo", "pan", "2 huevos"],
        "steps": ["Cocer."],
    },
    {"name": "Sopa de cebolla", "language": "es", "ingredients": ["3 cebollas", "caldo"], "steps": ["Cocer."]},
    {"name": "Bizcocho", "language": "es", "ingredients": ["harina", "3 huevos", "azúcar"], "steps": ["Hornear."]},
]
REQUESTS = [
    {"query": "sopa de ajo", "language": "es", "kind": "dish", "relevant": {"recipes-sopa-de-ajo": 3}},
    {"query": "bizcocho", "language": "es", "kind": "dish", "relevant": {"recipes-bizcocho": 3, "recipes-gone": 3}},
    {"query": "tarta", "language": "es", "kind": "dish", "relevant": {"recipes-gone": 3}},
]


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of three recipes and three requests, one of them about a recipe that is not there."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "recipes.jsonl", RECIPES)
    write(tmp_path / "judged.jsonl", REQUESTS)
    return tmp_path


def write(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))


def evaluate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run.main(["evaluate-search", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_figures_are_of_the_judged_requests(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each dish is first, so all measures are 1; the request without a recipe is counted as left out."""
    code, report = evaluate(capsys, str(dataset), "--configuration", "no-embedding")
    assert (code, report["requests"], report["skipped"], report["recipes"]) == (0, 2, 1, 3)
    assert {name: found["mean"] for name, found in report["groups"][0]["measures"].items()} == {
        "ndcg@10": 1.0,
        "mrr": 1.0,
        "recall@50": 1.0,
        "hit@1": 1.0,
    }


def test_two_configurations_are_compared(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no word is misspelt the speller makes no difference, and no request is said to have changed."""
    _, report = evaluate(
        capsys, str(dataset), "--configuration", "no-embedding", "--against", "no-speller,no-embedding"
    )
    comparison = report["comparison"]
    assert comparison["against"] == "served,no-embedding,no-speller"
    assert comparison["difference"]["ndcg@10"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert comparison["changed"] == []


def test_an_answer_that_holds_what_is_forbidden_is_reported(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A request that forbids egg and is answered with egg makes the exit code 1, and names the ingredient."""
    write(dataset / "judged.jsonl", [REQUESTS[0] | {"forbidden": ["egg"]}])
    code, report = evaluate(capsys, str(dataset), "--configuration", "no-embedding")
    assert code == 1
    assert {(found["recipe_id"], found["text"]) for found in report["violations"]} >= {
        ("recipes-sopa-de-ajo", "2 huevos")
    }


def test_words_say_the_same(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a table is printed, a line a group."""
    assert run.main(["evaluate-search", str(dataset), "--configuration", "no-embedding"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 requests over 3 recipes, configuration served,no-embedding"
    assert [line.split()[:2] for line in lines if line.startswith("kind")] == [["kind", "dish"]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "cannot read judged requests from nowhere"),
        ([".", "--against", "9.9.9"], "configuration: found '9.9.9', allowed are served, a ranker's version"),
        ([".", "--against", "no-oven"], "found 'no-oven'"),
        ([".", "--data-dir", "empty"], "there is no log at empty"),
    ],
)
def test_wrong_usage_is_explained(
    dataset: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """What cannot be used is named, before anything is measured."""
    code, report = evaluate(capsys, *words)
    assert code in (2, 3)
    assert message in report["error"]
