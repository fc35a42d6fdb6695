"""The feedback view: the ratings that users gave, latest a user and recipe, summed a recipe. Floor 2."""

import sqlite3
from collections.abc import Sequence

import aiosqlite
import msgspec

from events.catalog import Event, FeedbackGiven, RecipeRated
from events.event import RecordedEvent

SELECT_RATING = "SELECT rating FROM ratings WHERE recipe_id = ? AND user = ? AND anonymous = ?"
UPSERT_RATING = """
INSERT INTO ratings (recipe_id, user, anonymous, rating, rated_at, recorded_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (recipe_id, user, anonymous) DO UPDATE SET
    rating = excluded.rating, rated_at = excluded.rated_at, recorded_at = excluded.recorded_at
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
    """Ratings, from FeedbackGiven and RecipeRated. A rating replaces the earlier one of the same voice."""

    name = "feedback"
    schema_version = 2
    tables: tuple[str, ...] = ("ratings", "recipe_ratings")
    event_types: frozenset[type[Event]] = frozenset({FeedbackGiven, RecipeRated})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's ratings; True if there were any."""
        given = [(event, feedback) for event in events if (feedback := feedback_of(event.data)) is not None]
        rated = [(event, feedback, feedback.rating) for event, feedback in given if feedback.rating is not None]
        for event, feedback, rating in rated:
            store_rating(connection, event, feedback, rating)
        return bool(rated)


def feedback_of(data: Event) -> FeedbackGiven | None:
    """Return the feedback that an event holds; None if it is of another type."""
    if isinstance(data, RecipeRated):
        return FeedbackGiven(recipe_id=data.recipe_id, user=data.user, rating=data.rating)
    return data if isinstance(data, FeedbackGiven) else None


def voice_of(event: RecordedEvent, feedback: FeedbackGiven) -> tuple[str, str]:
    """Return (user, anonymous): whose opinion it is, which replaces the earlier ones of the same.

    Nobody is known but by the request that was answered; without one, each opinion stands for itself. No request's id
    has a # in it.
    """
    return feedback.user, "" if feedback.user else feedback.request_id or f"#{event.position}"


def store_rating(connection: sqlite3.Connection, event: RecordedEvent, feedback: FeedbackGiven, rating: float) -> None:
    key = (feedback.recipe_id, *voice_of(event, feedback))
    former = connection.execute(SELECT_RATING, key).fetchone()
    connection.execute(UPSERT_RATING, (*key, rating, given_at(event, feedback), event.recorded_at))
    count, difference = (0, rating - former[0]) if former else (1, rating)
    connection.execute(ADD_TO_RECIPE, (feedback.recipe_id, count, difference, event.position))


def given_at(event: RecordedEvent, feedback: FeedbackGiven) -> int:
    """Return when the opinion was given, microseconds since the epoch."""
    return event.recorded_at if feedback.at is None else feedback.at


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


async def ratings_since(db: aiosqlite.Connection, recorded_at: int) -> int:
    """Return how many ratings now standing were recorded after that time (microseconds since the epoch)."""
    async with db.execute("SELECT count(*) FROM ratings WHERE recorded_at > ?", (recorded_at,)) as cursor:
        row = await cursor.fetchone()
    return int(row[0]) if row else 0
