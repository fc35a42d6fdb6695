"""Judged requests: what was asked, and which recipes answer it how well. Floor 3.

A dataset is a file of JSON Lines, or a folder with judged.jsonl and, unless it is about the default catalogue, its own
recipes.* in any format that import-recipes reads. One request a line:

    {"query": "sopa sin ajo", "language": "es", "kind": "exclusion", "split": "tune",
     "relevant": {"es-caldo-de-pollo-casero": 3}, "forbidden": ["garlic"], "note": "why, if it needs saying"}

The ids are the catalogue's: <source>-<slug>, where the source of recipes.* is "recipes". A grade is 3 for what was
asked, 2 for what will do, 1 for what is near it; a recipe that is not named is not relevant.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from recsys.recommender.errors import UnreadableSource

GRADE_MAX = 3
JUDGED_FILE = "judged.jsonl"

Grade = Annotated[int, Meta(ge=1, le=GRADE_MAX)]


class JudgedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One request. kind: what it is like ("dish", "exclusion", …), as groups are reported. relevant: recipe id → grade.

    split: "final" is kept aside for the last figure; nothing is chosen by it. forbidden: the concepts of
    recsys/data/judged/concepts.json that no answer may hold.
    """

    query: Annotated[str, Meta(min_length=1)]
    language: Literal["es", "en"]
    kind: str
    relevant: Annotated[dict[str, Grade], Meta(min_length=1)]
    split: Literal["tune", "final"] = "tune"
    forbidden: list[str] = []
    note: str = ""


class JudgedSet(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of a dataset, and the recipes that they are about; None: the default ones."""

    requests: list[JudgedRequest]
    recipes: Path | None = None


def read_judged(path: Path) -> JudgedSet:
    """Return the dataset of a file or folder. Raises UnreadableSource, which names the line."""
    if path.is_dir():
        return JudgedSet(requests=read_requests(path / JUDGED_FILE), recipes=own_recipes(path))
    return JudgedSet(requests=read_requests(path))


def own_recipes(folder: Path) -> Path | None:
    """Return the folder's recipes.*, if there is one. Raises UnreadableSource if there are several."""
    found = sorted(folder.glob("recipes.*"))
    if len(found) > 1:
        raise UnreadableSource(f"{folder} holds {', '.join(path.name for path in found)}: leave one of them")
    return found[0] if found else None


def read_requests(path: Path) -> list[JudgedRequest]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableSource(f"cannot read judged requests from {path}: {error.strerror}") from error
    requests = [request_of(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not requests:
        raise UnreadableSource(f"{path} holds no judged requests: expected one JSON object a line")
    return requests


def request_of(line: bytes, path: Path, number: int) -> JudgedRequest:
    try:
        return msgspec.json.decode(line, type=JudgedRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableSource(f"{path} line {number} is no judged request: {error}") from error
