"""The samples view: feedback joined with the answer that it is about, to train and to judge by. Floor 2."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import aiosqlite
import msgspec

from events.catalog import Event, FeedbackGiven, RecipeRated, RecommendationServed
from events.codec import encode
from events.event import RecordedEvent
from projections.feedback import feedback_of, given_at, voice_of
from projections.rows import write_rows

SAMPLES_PER_PAGE: Final = 5_000
SELECT_ANSWER = "SELECT query, model_id, model_version, recipe_ids, scores FROM served_answers WHERE request_id = ?"
UPSERT_ANSWER = """
INSERT INTO served_answers (request_id, query, model_id, model_version, recipe_ids, scores)
VALUES ?
ON CONFLICT (request_id) DO UPDATE SET
    query = excluded.query, model_id = excluded.model_id, model_version = excluded.model_version,
    recipe_ids = excluded.recipe_ids, scores = excluded.scores
"""
# What a later opinion does not speak of stays as it was.
UPSERT_SAMPLE = """
INSERT INTO samples (
    query, recipe_id, user, anonymous, rating, relevance, click, cook, save, hide, given_at,
    request_id, answer_position, score, model_id, model_version, position
)
VALUES ?
ON CONFLICT (query, recipe_id, user, anonymous) DO UPDATE SET
    rating = coalesce(excluded.rating, rating),
    relevance = coalesce(excluded.relevance, relevance),
    click = coalesce(excluded.click, click),
    cook = coalesce(excluded.cook, cook),
    save = coalesce(excluded.save, save),
    hide = coalesce(excluded.hide, hide),
    given_at = excluded.given_at,
    request_id = coalesce(excluded.request_id, request_id),
    answer_position = coalesce(excluded.answer_position, answer_position),
    score = coalesce(excluded.score, score),
    model_id = coalesce(excluded.model_id, model_id),
    model_version = coalesce(excluded.model_version, model_version),
    position = excluded.position
"""

Place = tuple[str | None, int | None, float | None, str | None, str | None]


class ServedAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a request was answered. recipe_ids: best first; scores run beside them."""

    query: str
    model_id: str
    model_version: str
    recipe_ids: list[str]
    scores: list[float]


class SamplesProjection:
    """The last opinion of each voice on a recipe for a query, from FeedbackGiven, RecipeRated, RecommendationServed."""

    name = "samples"
    schema_version = 1
    tables: tuple[str, ...] = ("served_answers", "samples")
    event_types: frozenset[type[Event]] = frozenset({FeedbackGiven, RecipeRated, RecommendationServed})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's answers and opinions; True if there were any opinions: answers alone show nowhere."""
        answers: dict[str, ServedAnswer] = {}
        samples: list[tuple[Any, ...]] = []
        for event in events:
            if isinstance(event.data, RecommendationServed):
                answers[event.data.request_id] = answer_of(event.data)
            elif (feedback := feedback_of(event.data)) is not None:
                answer = answers.get(feedback.request_id) or stored_answer(connection, feedback.request_id)
                samples.append(sample_row(event, feedback, answer))
        write_rows(connection, UPSERT_ANSWER, [answer_row(*item) for item in answers.items()])
        write_rows(connection, UPSERT_SAMPLE, samples)
        return bool(samples)


def answer_of(served: RecommendationServed) -> ServedAnswer:
    return ServedAnswer(served.query, served.model_id, served.model_version, served.recipe_ids, served.scores)


def answer_row(request_id: str, answer: ServedAnswer) -> tuple[str, str, str, str, str, str]:
    lists = encode(answer.recipe_ids).decode(), encode(answer.scores).decode()
    return request_id, answer.query, answer.model_id, answer.model_version, *lists


def stored_answer(connection: sqlite3.Connection, request_id: str) -> ServedAnswer | None:
    row = connection.execute(SELECT_ANSWER, (request_id,)).fetchone() if request_id else None
    return row and ServedAnswer(*row[:3], *map(msgspec.json.decode, row[3:]))


def sample_row(event: RecordedEvent, feedback: FeedbackGiven, answer: ServedAnswer | None) -> tuple[Any, ...]:
    return (
        answer.query if answer else feedback.query,
        feedback.recipe_id,
        *voice_of(event, feedback),
        feedback.rating,
        feedback.relevance,
        feedback.click,
        feedback.cook,
        feedback.save,
        feedback.hide,
        given_at(event, feedback),
        *place_of(feedback, answer),
        event.position,
    )


def place_of(feedback: FeedbackGiven, answer: ServedAnswer | None) -> Place:
    """Return request id, place from 1, score, model and its version; None for what is not known."""
    if answer is None or feedback.recipe_id not in answer.recipe_ids:
        return feedback.request_id or None, None, None, None, None
    index = answer.recipe_ids.index(feedback.recipe_id)
    score = answer.scores[index] if index < len(answer.scores) else None
    return feedback.request_id, index + 1, score, answer.model_id, answer.model_version


async def answered_with(db: aiosqlite.Connection, request_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return request id → the recipes that it was answered with, best first; of those that were answered."""
    query = "SELECT request_id, recipe_ids FROM served_answers WHERE request_id IN (SELECT value FROM json_each(?))"
    rows = await db.execute_fetchall(query, (encode(list(request_ids)).decode(),))
    return {row[0]: msgspec.json.decode(row[1]) for row in rows}


Flag = Literal[0, 1] | None


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What one voice thinks of a recipe for a query. None: nothing was said of it, or it is about no answer.

    user: "" if anonymous. rating: 0 to 5. click to hide: 1 done, 0 taken back. timestamp: microseconds since the epoch,
    of the last opinion. answer_position: the recipe's place in the answer, from 1. position: in the log, of the event
    with the last opinion.
    """

    query: str
    recipe_id: str
    user: str
    rating: float | None
    relevance: Flag
    click: Flag
    cook: Flag
    save: Flag
    hide: Flag
    timestamp: int
    request_id: str | None
    answer_position: int | None
    score: float | None
    model_id: str | None
    model_version: str | None
    position: int


async def samples_after(db: aiosqlite.Connection, position: int = 0, *, limit: int = SAMPLES_PER_PAGE) -> list[Sample]:
    """Return at most `limit` samples whose last opinion stands above `position` in the log, in that order.

    The next page follows the last one's position. An opinion given meanwhile brings its sample again, as it then is.
    """
    query = """
        SELECT query, recipe_id, user, rating, relevance, click, cook, save, hide, given_at,
            request_id, answer_position, score, model_id, model_version, position
        FROM samples
        WHERE position > ?
        ORDER BY position
        LIMIT ?
    """
    return [Sample(*row) for row in await db.execute_fetchall(query, (position, limit))]
