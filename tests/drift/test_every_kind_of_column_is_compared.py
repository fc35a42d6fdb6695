"""Numbers, categories, texts, times and gaps each have drift that is found, and none where nothing moved."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.drift.verdicts import check_drift

ROWS = 2000
Draw = Callable[[np.random.Generator], Any]

SPANISH = ["pollo con arroz y verduras", "tarta de manzana con canela", "sopa de tomate y ajo", "pan de la casa"]
ENGLISH = [
    "chicken with rice and greens",
    "apple pie with the cream",
    "soup of tomato and onion",
    "bread of the home",
]
DAY = 86_400


def days(random: np.random.Generator, *, start: str = "2024-01-01", hours: int = 24) -> Any:
    seconds = random.integers(0, 28, ROWS) * DAY + random.integers(0, hours * 3600, ROWS)
    return pd.Timestamp(start) + pd.to_timedelta(seconds, unit="s")


CASES: dict[str, tuple[str, str, Draw, Draw]] = {
    "numeric": ("numeric", "value", lambda r: r.normal(size=ROWS), lambda r: r.normal(0.3, 1, ROWS)),
    "whole": ("numeric", "value", lambda r: r.integers(0, 50, ROWS), lambda r: r.integers(0, 60, ROWS)),
    "durations": (
        "numeric",
        "value",
        lambda r: pd.to_timedelta(r.integers(10, 60, ROWS), unit="min"),
        lambda r: pd.to_timedelta(r.integers(10, 90, ROWS), unit="min"),
    ),
    "boolean": ("boolean", "value", lambda r: r.random(ROWS) < 0.3, lambda r: r.random(ROWS) < 0.5),
    "strings": ("categorical", "value", lambda r: r.choice(list("abc"), ROWS), lambda r: r.choice(list("abd"), ROWS)),
    "category": (
        "categorical",
        "value",
        lambda r: pd.Categorical(r.choice(list("abc"), ROWS)),
        lambda r: pd.Categorical(r.choice(list("ab"), ROWS)),
    ),
    "lists": (
        "categorical",
        "value",
        lambda r: [["egg", "oil"][: n + 1] for n in r.integers(0, 2, ROWS)],
        lambda r: [["egg"]] * ROWS,
    ),
    "lengths": (
        "text",
        "length",
        lambda r: r.choice(SPANISH, ROWS),
        lambda r: [" ".join([text] * 3) for text in r.choice(SPANISH, ROWS)],
    ),
    "vocabulary": (
        "text",
        "vocabulary",
        lambda r: r.choice(SPANISH, ROWS),
        lambda r: [text.replace("pollo", "pavos").replace("arroz", "pasta") for text in r.choice(SPANISH, ROWS)],
    ),
    "language": (
        "text",
        "language",
        lambda r: r.choice(SPANISH, ROWS),
        lambda r: r.choice(ENGLISH, ROWS),
    ),
    "instants": ("datetime", "instant", days, lambda r: days(r, start="2024-03-04")),
    "hours": ("datetime", "hour", days, lambda r: days(r, hours=12)),
    "missing": (
        "numeric",
        "missing",
        lambda r: r.normal(size=ROWS),
        lambda r: np.where(r.random(ROWS) < 0.1, np.nan, r.normal(size=ROWS)),
    ),
    "infinite": (
        "numeric",
        "missing",
        lambda r: r.normal(size=ROWS),
        lambda r: np.where(r.random(ROWS) < 0.1, np.inf, r.normal(size=ROWS)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_drift_is_found_where_it_is(name: str) -> None:
    """The part that has moved is named, and moved of itself against another draw of the same there is none."""
    kind, part, before, after = CASES[name]
    random = np.random.default_rng(7)
    same, moved = (check_drift({"x": before(random)}, {"x": draw(random)})["columns"]["x"] for draw in (before, after))
    assert moved["type"] == kind
    assert moved["parts"][part]["drift"]
    assert not same["drift"]


def test_nullable_columns_are_read_as_plain_ones() -> None:
    """pandas' nullable numbers, truths and strings give the answers of numpy's."""
    plain = {"n": [1.0, 2.0, np.nan] * 10, "b": [True, False, None] * 10, "s": ["a", "b", None] * 10}
    nullable = pd.DataFrame(plain).astype({"n": "Float64", "b": "boolean", "s": "string"})
    found = check_drift(nullable, plain)
    assert [column["type"] for column in found["columns"].values()] == ["numeric", "boolean", "categorical"]
    assert all(column["effect"] == 0 for column in found["columns"].values())


def test_new_and_lost_categories_are_listed() -> None:
    """What a model has never seen, and what it no longer sees, is named with its share."""
    found = check_drift({"x": ["a", "b"] * 50}, {"x": ["a", "c"] * 50})["columns"]["x"]
    assert (found["new_categories"], found["lost_categories"], found["new_share"]) == (["c"], ["b"], 0.5)
    assert found["shares"]["b"] == {"reference": 0.5, "current": 0.0}
