"""run.py import-feedback: each row of a file once, however often it is imported; bad rows are named and skipped."""

import asyncio
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

import run
from events.catalog import FeedbackGiven, Recipe, RecipeStored
from events.event import Metadata
from events.sqlite import SqliteEventStore

HEADER = "query,recipe_id,rating,relevance,timestamp,user\n"
ROWS = f"""{HEADER}sopa,test-a,4,1,2024-12-30T15:30:00Z,ana
"pan, tostado",test-b,,0,1735572601.5,
pan,test-b,3,,,
pan,test-b,3,,,
"""
AT = 1_735_572_600_000_000


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory whose catalogue holds two recipes."""

    async def fill() -> None:
        async with await SqliteEventStore.open(tmp_path / "log.db") as store:
            for name in ("test-a", "test-b"):
                recipe = Recipe(recipe_id=name, name=name, language="es", ingredients=["sal"], steps=["Servir."])
                stored = RecipeStored(source="test", recipe=recipe, content_hash=name)
                await store.append("catalogue-test", [stored], metadata=Metadata(actor="test"))

    asyncio.run(fill())
    return tmp_path


@pytest.fixture
def imported(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that imports a text and returns exit code and result."""

    def import_text(text: str, *options: str, name: str = "opinions.csv") -> tuple[int, dict[str, Any]]:
        path = data_dir / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        code = run.main(["import-feedback", str(path), "--json", "--data-dir", str(data_dir), *options])
        return code, json.loads(capsys.readouterr().out)

    return import_text


def recorded(data_dir: Path) -> list[FeedbackGiven]:
    async def read() -> list[FeedbackGiven]:
        async with await SqliteEventStore.open(data_dir / "log.db") as store:
            return [event.data for event in await store.read_all() if isinstance(event.data, FeedbackGiven)]

    return asyncio.run(read())


def test_every_row_is_one_event(data_dir: Path, imported: Any) -> None:
    """Empty cells say nothing; times are ISO 8601 or seconds; two equal rows are two opinions."""
    code, report = imported(ROWS)
    first, *others = recorded(data_dir)
    assert (code, report["recorded"], report["skipped"]) == (0, 4, [])
    assert first == FeedbackGiven(recipe_id="test-a", query="sopa", user="ana", rating=4, relevance=1, at=AT)
    assert others == [
        FeedbackGiven(recipe_id="test-b", query="pan, tostado", relevance=0, at=AT + 1_500_000),
        FeedbackGiven(recipe_id="test-b", query="pan", rating=3),
        FeedbackGiven(recipe_id="test-b", query="pan", rating=3),
    ]


def test_the_same_file_twice_changes_nothing(data_dir: Path, imported: Any) -> None:
    """The second import finds every row recorded, and of a file that has grown only the new ones are."""
    imported(ROWS)
    before = recorded(data_dir)
    again = imported(ROWS)
    assert (again[0], again[1]["recorded"], again[1]["unchanged"]) == (0, 0, 4)
    assert recorded(data_dir) == before
    assert imported(ROWS + "pan,test-b,3,,,\n")[1]["recorded"] == 1


def test_ratings_by_user_and_date_are_read(data_dir: Path, imported: Any) -> None:
    """A file of ratings names its recipes by their ids in the source; it may be compressed."""
    code, report = imported("user,recipe_id,rating,date\n7,a,5,2011-10-15\n", "--source", "test", name="ratings.csv.gz")
    assert (code, report["recorded"]) == (0, 1)
    assert recorded(data_dir) == [FeedbackGiven(recipe_id="test-a", user="7", rating=5, at=1_318_636_800_000_000)]


def test_unknown_recipes_are_counted_and_skipped(data_dir: Path, imported: Any) -> None:
    """Rows about recipes that the catalogue lacks are skipped and counted, unless they are to be taken."""
    text = HEADER + "sopa,test-x,4,,,\nsopa,test-x,5,,,\nsopa,test-a,5,,,\n"
    code, report = imported(text)
    assert (code, report["recorded"], report["unknown_recipes"]) == (1, 1, {"test-x": 2})
    taken = imported(text, "--allow-unknown")
    assert (taken[0], taken[1]["recorded"], taken[1]["unchanged"]) == (0, 2, 1)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("sopa,test-a,6,,,", "rating"),
        ("sopa,test-a,,2,,", "relevance"),
        ("sopa,test-a,nan,,,", "rating"),
        ("sopa,,4,,,", "recipe_id"),
        ("sopa,test-a,,,,", "rating"),
        ("sopa,test-a,4,,yesterday,", "timestamp"),
        ("sopa,test-a,4,,17,", "timestamp"),
        ("sopa,test-a,4", ""),
    ],
)
def test_a_bad_row_is_named_and_skipped(imported: Any, row: str, field: str) -> None:
    """The report gives line and field; the rows around it are recorded."""
    code, report = imported(f"{HEADER}sopa,test-a,4,,,\n{row}\npan,test-b,5,,,\n")
    assert (code, report["recorded"]) == (1, 2)
    assert [(problem["line"], problem["field"]) for problem in report["skipped"]] == [(3, field)]


@pytest.mark.parametrize("header", ["nombre,pasos\n", "recipe_id,query\n", "recipe_id,rating,stars\n", ""])
def test_a_file_without_feedback_is_refused(imported: Any, header: str) -> None:
    """Columns that are none of feedback's end the import with exit code 2 and the columns that there may be."""
    code, report = imported(header)
    assert code == 2
    assert "recipe_id" in report["error"]


def test_a_file_that_is_not_there_is_refused(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name is told in one line, with exit code 2."""
    code = run.main(["import-feedback", os.devnull + "/none", "--data-dir", str(data_dir)])
    assert (code, capsys.readouterr().err.count("\n")) == (2, 1)
