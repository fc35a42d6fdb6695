"""The feedback view: the ratings that users gave, latest a user and recipe, summed a recipe. Floor 2."""

import sqlite3
from collections.abc import Sequence

import aiosqlite
import msgspec

from events.catalog import Event, RecipeRated
from events.event import RecordedEvent

SELECT_RATING = "SELECT rating FROM ratings WHERE recipe_id = ? AND user = ? AND anonymous = ?"
UPSERT_RATING = """
INSERT INTO ratings (recipe_id, user, anonymous, rating, rated_at)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (recipe_id, user, anonymous) DO UPDATE SET rating = excluded.rating, rated_at = excluded.rated_at
"""
ADD_TO_RECIPE = """
INSERT INTO recipe_ratings (recipe_id, rating_count, rating_sum, position)
VALUES (?, ?, ?, ?)
ON CONFLICT (recipe_id) DO UPDATE SET
    rating_count = rating_count + excluded.rating_count,
    rating_sum = rating_sum + excluded.rating_sum,
    position = excluded.position
"""


class FeedbackProjection:
    """Ratings, from RecipeRated. A user's later rating replaces the earlier; an anonymous one stands for itself."""

    name = "feedback"
    schema_version = 1
    tables: tuple[str, ...] = ("ratings", "recipe_ratings")
    event_types: frozenset[type[Event]] = frozenset({RecipeRated})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's ratings; True if there were any."""
        rated = [(event, event.data) for event in events if isinstance(event.data, RecipeRated)]
        for event, rating in rated:
            store_rating(connection, event, rating)
        return bool(rated)


def store_rating(connection: sqlite3.Connection, event: RecordedEvent, rated: RecipeRated) -> None:
    key = (rated.recipe_id, rated.user, 0 if rated.user else event.position)
    former = connection.execute(SELECT_RATING, key).fetchone()
    connection.execute(UPSERT_RATING, (*key, rated.rating, event.recorded_at))
    count, difference = (0, rated.rating - former[0]) if former else (1, rated.rating)
    connection.execute(ADD_TO_RECIPE, (rated.recipe_id, count, difference, event.position))


class RecipeRatings(msgspec.Struct, frozen=True, gc=False):
    """The ratings of one recipe, one a user. position: of the last event that changed them."""

    recipe_id: str
    rating_count: int
    rating_sum: float
    position: int

    @property
    def average(self) -> float:
        return self.rating_sum / self.rating_count


async def recipe_ratings(db: aiosqlite.Connection, *, after: int = 0) -> list[RecipeRatings]:
    """Return the recipes whose ratings changed above position `after`, in the order of those positions."""
    query = """
        SELECT recipe_id, rating_count, rating_sum, position
        FROM recipe_ratings
        WHERE position > ?
        ORDER BY position
    """
    return [RecipeRatings(*row) for row in await db.execute_fetchall(query, (after,))]


async def ratings_of(db: aiosqlite.Connection, recipe_ids: Sequence[str]) -> dict[str, RecipeRatings]:
    """Return the ratings of those recipes that have any, by recipe id."""
    query = f"""
        SELECT recipe_id, rating_count, rating_sum, position
        FROM recipe_ratings
        WHERE recipe_id IN ({", ".join("?" * len(recipe_ids))})
    """
    return {row[0]: RecipeRatings(*row) for row in await db.execute_fetchall(query, tuple(recipe_ids))}


async def ratings_since(db: aiosqlite.Connection, rated_at: int) -> int:
    """Return how many ratings now standing were given after that time (microseconds since the epoch)."""
    async with db.execute("SELECT count(*) FROM ratings WHERE rated_at > ?", (rated_at,)) as cursor:
        row = await cursor.fetchone()
    return int(row[0]) if row else 0
