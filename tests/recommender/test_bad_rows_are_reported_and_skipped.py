"""A bad row is reported with its line, field and reason; the rest of the file is read."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.recommender.errors import UnreadableSource
from recsys.recommender.sources import Problem, read_source
from tests.recommender.harness import write_lines
from tests.recommender.test_every_format_is_read import FILES

GOOD = {"name": "Sopa", "language": "es", "ingredients": ["agua"], "steps": ["Hervir."]}
BAD: list[tuple[object, str, str]] = [
    ("{broken", "", "no JSON"),
    ("[1, 2]", "", "not a JSON object"),
    ("[" * 100_000, "", "no JSON"),
    ({**GOOD, "name": " "}, "name", "is empty"),
    ({**GOOD, "name": ["Sopa"]}, "name", "expected text, found list"),
    ({**GOOD, "name": "a" * 201}, "name", "at most 200"),
    ({**GOOD, "ingredients": []}, "ingredients", "is empty"),
    ({**GOOD, "ingredients": 7}, "ingredients", "expected a list, found int"),
    ({**GOOD, "steps": [None, "  "]}, "steps", "is empty"),
    ({**GOOD, "steps": ["a" * 5_001]}, "steps", "at most 5000"),
    ({**GOOD, "steps": ["a�o"]}, "steps", "lost bytes"),
    ({**GOOD, "language": "fr"}, "language", "none of es, en"),
    ({**GOOD, "minutes": "pronto"}, "minutes", "expected a whole number"),
    ({**GOOD, "servings": 10**30}, "servings", "from 1 to 1000"),
    ({**GOOD, "servings": True}, "servings", "expected a whole number"),
    ({**GOOD, "name": "x" * 1_100_000}, "", "longer than 1000000 bytes"),
]


@pytest.mark.parametrize(("row", "field", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_line_costs_nothing_but_itself(tmp_path: Path, row: object, field: str, reason: str) -> None:
    """The rows around it are read, and the problem says where and why."""
    path = write_lines(tmp_path / "rows.jsonl", GOOD, row, {**GOOD, "name": "Caldo"})
    before, problem, after = read_source(path)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.field) == (2, field)
    assert reason in problem.reason
    assert not isinstance(before, Problem)
    assert not isinstance(after, Problem)


def test_bytes_that_are_no_text_are_one_bad_line(tmp_path: Path) -> None:
    """Invalid UTF-8 in a line leaves the lines around it alone."""
    path = tmp_path / "rows.jsonl"
    line = json.dumps(GOOD).encode()
    path.write_bytes(b"\n".join([line, line.replace(b"Sopa", b"S\xffpa"), line]))
    assert [isinstance(row, Problem) for row in read_source(path)] == [False, True, False]


def test_a_table_reports_rows_of_another_width(tmp_path: Path) -> None:
    """A row with columns too few or too many is reported with its line in the file, after quoted line breaks, too."""
    path = tmp_path / "abuela.csv"
    path.write_text('Nombre,Ingredientes,Pasos\nSopa,"agua\nsal",Hervir\nCaldo,agua\nPan,harina,Amasar,y más\n')
    recipe, narrow, wide = read_source(path)
    assert not isinstance(recipe, Problem)
    assert isinstance(narrow, Problem)
    assert isinstance(wide, Problem)
    assert (narrow.line, wide.line) == (4, 5)
    assert narrow.reason == "the row has 2 columns, the header 3"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0), st.binary(max_size=20), st.integers(0, 30))
def test_damage_is_never_a_crash(name: str, at: int, inserted: bytes, removed: int) -> None:
    """A file of any format, damaged anywhere, gives rows, problems or one clear error."""
    content = FILES[name].encode()
    at %= len(content)
    with TemporaryDirectory() as folder, suppress(UnreadableSource):
        path = Path(folder) / name
        path.write_bytes(content[:at] + inserted + content[at + removed :])
        for row in read_source(path):
            assert isinstance(row, Problem) or row[1].name
