"""The catalogue and feedback views follow from the events alone, however these are cut into batches."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import aiosqlite
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalog import Event, RecipeRated, RecipesImported
from events.event import RecordedEvent, Run
from projections.catalogue import CatalogueProjection, SourceImport, get_recipe, source_imports, stored_recipes
from projections.feedback import FeedbackProjection, ratings_of, ratings_since, recipe_ratings
from tests.recommender.harness import ACTOR, recipe, stored

MIGRATIONS = Path(__file__).parents[2] / "migrations" / "views"
PROJECTIONS = (CatalogueProjection(), FeedbackProjection())
SOUP, BREAD = recipe("Sopa"), recipe("Pan", language="en")
IMPORTED = RecipesImported(source="test", added=2, changed=0, unchanged=0, skipped=1)
EVENTS: list[Event] = [
    stored(SOUP),
    stored(BREAD),
    IMPORTED,
    RecipeRated(recipe_id=SOUP.recipe_id, rating=3, user="ana"),
    RecipeRated(recipe_id=SOUP.recipe_id, rating=4.5, user="eva"),
    RecipeRated(recipe_id=SOUP.recipe_id, rating=5, user="ana"),
    RecipeRated(recipe_id=BREAD.recipe_id, rating=1),
    RecipeRated(recipe_id=BREAD.recipe_id, rating=2),
    stored(recipe("Sopa fría", recipe_id=SOUP.recipe_id)),
]


def recorded(events: Sequence[Event]) -> list[RecordedEvent]:
    """Return the events as a log would give them, one second apart."""
    return [
        RecordedEvent(at, at, event, Run(at, "s", at, type(event).__name__, 1, at * 1_000_000, None, 1, ACTOR, b""))
        for at, event in enumerate(events, 1)
    ]


def build(path: Path | str, batches: Sequence[Sequence[RecordedEvent]]) -> list[str]:
    """Apply the batches to new views at `path`; return all rows as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        for name in ("0101_catalogue.sql", "0102_feedback.sql", "0106_feedback.sql"):
            connection.executescript((MIGRATIONS / name).read_text())
        for batch in batches:
            for projection in PROJECTIONS:
                projection.apply(connection, batch)
        connection.commit()
        return list(connection.iterdump())


@given(st.lists(st.integers(1, len(EVENTS)), max_size=4))
def test_any_cut_gives_the_same_rows(cuts: list[int]) -> None:
    """One batch, single events, or anything between."""
    events = recorded(EVENTS)
    places = sorted({0, *cuts, len(events)})
    batches = [events[start:end] for start, end in pairwise(places)]
    assert build(":memory:", batches) == build(":memory:", [events])


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_other_events_change_nothing(projection: CatalogueProjection | FeedbackProjection) -> None:
    """apply says whether a row changed."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name in ("0101_catalogue.sql", "0102_feedback.sql", "0106_feedback.sql"):
            connection.executescript((MIGRATIONS / name).read_text())
        changed = [projection.apply(connection, [event]) for event in recorded(EVENTS)]
    is_rating = [isinstance(event, RecipeRated) for event in EVENTS]
    assert changed == (is_rating if projection.name == "feedback" else [not rating for rating in is_rating])


async def test_the_queries_tell_the_present(tmp_path: Path) -> None:
    """The last stored recipe, the last rating of each user, every anonymous rating, the last import."""
    build(tmp_path / "views.db", [recorded(EVENTS)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        soup = await get_recipe(db, SOUP.recipe_id)
        assert soup is not None
        assert soup.name == "Sopa fría"
        assert await get_recipe(db, "none") is None
        assert [(found.recipe_id, found.position) for found in await stored_recipes(db)] == [
            ("test-pan", 2),
            ("test-sopa", 9),
        ]
        assert [found.decode() for found in await stored_recipes(db, after=2)] == [soup]
        ratings = {found.recipe_id: (found.rating_count, found.average) for found in await recipe_ratings(db)}
        assert ratings == {"test-sopa": (2, 4.75), "test-pan": (2, 1.5)}
        assert [found.recipe_id for found in await recipe_ratings(db, after=6)] == ["test-pan"]
        assert list(await ratings_of(db, ["test-pan", "none"])) == ["test-pan"]
        assert await ratings_since(db, 5_000_000) == 3
        (last,) = await source_imports(db)
        assert last == SourceImport(source="test", added=2, changed=0, unchanged=0, skipped=1, imported_at=3_000_000)
