"""An import appends what is new or changed, and nothing else."""

from pathlib import Path

import pytest

from events.catalog import RecipesImported, RecipeStored
from events.errors import WrongExpectedVersion
from events.sqlite import SqliteEventStore
from recsys.recommender.errors import InvalidSourceName
from recsys.recommender.importing import Catalogue, import_source
from tests.recommender.harness import ACTOR, write_lines

SOUP = {"name": "Sopa de ajo", "language": "es", "ingredients": ["6 dientes de ajo"], "steps": ["Cocer."]}
BREAD = {"name": "Pan", "language": "es", "ingredients": ["harina", "agua"], "steps": ["Amasar.", "Hornear."]}


async def test_the_second_import_appends_no_event(store: SqliteEventStore, tmp_path: Path) -> None:
    """The same file again leaves the log as it is, and says that all was unchanged."""
    path = write_lines(tmp_path / "two.jsonl", SOUP, BREAD)
    first = await import_source(store, path, source="mine", metadata=ACTOR)
    again = await import_source(store, path, source="mine", metadata=ACTOR)
    assert (first.added, first.unchanged, again.added, again.unchanged) == (2, 0, 0, 2)
    assert await store.head() == first.position == 3
    assert again.position == 0


async def test_a_changed_recipe_is_stored_under_its_id(store: SqliteEventStore, tmp_path: Path) -> None:
    """Only the recipe whose content differs is appended again, with the same id."""
    path = write_lines(tmp_path / "two.jsonl", SOUP, BREAD)
    await import_source(store, path, source="mine", metadata=ACTOR)
    write_lines(path, SOUP, {**BREAD, "minutes": 180})
    report = await import_source(store, path, source="mine", metadata=ACTOR)
    stored, imported = (event.data for event in await store.read_all(after=3))
    assert isinstance(stored, RecipeStored)
    assert (stored.recipe.recipe_id, stored.recipe.minutes) == ("mine-pan", 180)
    assert imported == RecipesImported(source="mine", added=0, changed=1, unchanged=1, skipped=0)
    assert report.changed == 1


async def test_recipes_of_one_name_get_ids_of_their_own(store: SqliteEventStore, tmp_path: Path) -> None:
    """Equal names are numbered in the file's order, also where a recipe is named like a number; copies are skipped."""
    others = [{**SOUP, "servings": servings} for servings in (2, 4)]
    path = write_lines(tmp_path / "soups.jsonl", SOUP, {**SOUP, "id": "sopa-de-ajo-2"}, *others, SOUP)
    report = await import_source(store, path, source="mine", metadata=ACTOR)
    ids = [event.data.recipe.recipe_id for event in await store.read_all() if isinstance(event.data, RecipeStored)]
    assert ids == ["mine-sopa-de-ajo", "mine-sopa-de-ajo-2", "mine-sopa-de-ajo-3", "mine-sopa-de-ajo-4"]
    assert [(problem.line, problem.reason) for problem in report.skipped] == [(5, "the same recipe as in line 1")]


async def test_two_imports_of_a_source_cannot_both_win(store: SqliteEventStore, tmp_path: Path) -> None:
    """An import that decided on an older catalogue is refused by the log."""
    late = await Catalogue.read(store, "mine")
    path = write_lines(tmp_path / "two.jsonl", SOUP, BREAD)
    await import_source(store, path, source="mine", metadata=ACTOR)
    with pytest.raises(WrongExpectedVersion):
        await late.append(store, [late.imported()], ACTOR)


async def test_progress_counts_every_row(store: SqliteEventStore, tmp_path: Path) -> None:
    """The numbers told while reading add up to the rows of the file, good and bad."""
    path = write_lines(tmp_path / "many.jsonl", *({**SOUP, "name": f"Sopa {n}"} for n in range(250)), "{broken")
    told: list[int] = []
    report = await import_source(store, path, source="mine", metadata=ACTOR, progress=told.append)
    assert (told, report.added, len(report.skipped)) == ([100, 100, 51], 250, 1)


async def test_a_source_name_is_checked(store: SqliteEventStore, tmp_path: Path) -> None:
    """A name that could not stand in a stream or an id is refused before anything is read."""
    with pytest.raises(InvalidSourceName, match="use 1-40 of a-z"):
        await import_source(store, tmp_path / "none.jsonl", source="Mine/..", metadata=ACTOR)
