"""The samples view: the last opinion of each voice, with the place in the answer that it is about."""

from itertools import chain
from pathlib import Path
from typing import Any

import aiosqlite

from events.catalog import Event, FeedbackGiven, RecipeRated, RecommendationServed
from projections.feedback import recipe_ratings
from projections.samples import Sample, samples_after
from tests.projections.harness import SECOND, START, apply_in_batches, recorded


def served(request_id: str, *recipe_ids: str, version: str = "1.0.0", query: str = "pollo") -> RecommendationServed:
    return RecommendationServed(
        request_id=request_id,
        query=query,
        model_id="ranker",
        model_version=version,
        recipe_ids=list(recipe_ids),
        scores=[1 / place for place in range(1, len(recipe_ids) + 1)],
        latency_ms={"total": 1.0},
    )


def about(request_id: str, recipe_id: str, **said: Any) -> FeedbackGiven:
    return FeedbackGiven(request_id=request_id, recipe_id=recipe_id, **said)


async def samples_of(path: Path, *events: Event) -> list[Sample]:
    apply_in_batches(path / "views.db", [recorded(events)])
    async with aiosqlite.connect(path / "views.db") as db:
        return await samples_after(db)


async def test_an_opinion_is_joined_with_its_answer(tmp_path: Path) -> None:
    """Query, place from 1, score and model version come from what was served."""
    (sample,) = await samples_of(tmp_path, served("q1", "a", "b"), about("q1", "b", rating=4.0, user="ana"))
    assert (sample.query, sample.recipe_id, sample.user, sample.rating) == ("pollo", "b", "ana", 4.0)
    assert (sample.answer_position, sample.score, sample.model_id, sample.model_version) == (2, 0.5, "ranker", "1.0.0")
    assert (sample.timestamp, sample.position, sample.relevance) == (START + SECOND, 2, None)


async def test_a_users_later_opinion_on_the_same_pair_replaces_the_earlier(tmp_path: Path) -> None:
    """The last answer that showed the pair counts; what the later opinion does not speak of stays."""
    (sample,) = await samples_of(
        tmp_path,
        served("q1", "a", "b"),
        about("q1", "b", rating=2.0, save=True, user="ana"),
        served("q2", "b", version="1.1.0"),
        about("q2", "b", rating=5.0, user="ana"),
        FeedbackGiven(query="pollo", recipe_id="b", save=False, user="ana"),
    )
    assert (sample.rating, sample.save, sample.position) == (5.0, 0, 5)
    assert (sample.request_id, sample.answer_position, sample.model_version) == ("q2", 1, "1.1.0")


async def test_nobody_known_is_one_voice_a_request(tmp_path: Path) -> None:
    """Without a user a request's later opinion replaces the earlier; without a request, too, each stands for itself."""
    samples = await samples_of(
        tmp_path,
        served("q1", "a"),
        about("q1", "a", rating=1.0),
        about("q1", "a", rating=3.0),
        FeedbackGiven(query="pollo", recipe_id="a", rating=4.0),
        FeedbackGiven(query="pollo", recipe_id="a", rating=5.0),
    )
    assert [sample.rating for sample in samples] == [3.0, 4.0, 5.0]
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        (ratings,) = await recipe_ratings(db)
    assert (ratings.rating_count, ratings.average) == (3, 4.0)


async def test_ratings_of_the_first_release_are_samples(tmp_path: Path) -> None:
    """RecipeRated, which an older log holds, is an opinion on the recipe by itself."""
    (sample,) = await samples_of(tmp_path, RecipeRated(recipe_id="a", rating=3, user="ana"))
    assert (sample.query, sample.recipe_id, sample.rating, sample.request_id) == ("", "a", 3.0, None)


async def test_an_opinion_keeps_the_time_at_which_it_was_given(tmp_path: Path) -> None:
    """Feedback that was imported is as old as it says."""
    (sample,) = await samples_of(tmp_path, FeedbackGiven(recipe_id="a", rating=3.0, at=7 * SECOND))
    assert sample.timestamp == 7 * SECOND


async def test_samples_come_in_pages(tmp_path: Path) -> None:
    """Each page goes on behind the position at which the last one ended."""
    opinions = [FeedbackGiven(query="q", recipe_id=f"r{number}", rating=5.0) for number in range(5)]
    whole = await samples_of(tmp_path, *opinions)
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        pages = [await samples_after(db, position, limit=2) for position in (0, 2, 4, 5)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert list(chain.from_iterable(pages)) == whole
