"""The recommender answers from the catalogue and the ratings as they are, without a gap when they change."""

import asyncio
from pathlib import Path

import pytest

from events.catalog import RecipeRated
from events.sqlite import SqliteEventStore
from recsys.errors import RecommenderUnavailable
from tests.recommender.harness import Kitchen, no_embedder, open_kitchen, recipe, stored

SOUP = recipe("Sopa de ajo", ingredients="ajo, pan")
GARLIC_CHICKEN = recipe("Pollo al ajillo", ingredients="pollo, ajo")


async def test_before_it_is_loaded_it_says_so(kitchen: Kitchen) -> None:
    """A request that comes too early gets an error that invites to try again."""
    with pytest.raises(RecommenderUnavailable, match="try again"):
        await kitchen.recommender.recommend("pollo", 3)


async def test_an_empty_catalogue_gives_no_recipes(kitchen: Kitchen) -> None:
    """With nothing to recommend the answer is empty, not an error."""
    await kitchen.recommender.load()
    assert await kitchen.names("pollo") == []


async def test_a_stored_recipe_is_found_after_refresh(kitchen: Kitchen) -> None:
    """New and changed recipes are found; until they are ready the former ones answer."""
    await kitchen.tell(stored(SOUP))
    await kitchen.recommender.load()
    await kitchen.tell(stored(GARLIC_CHICKEN))
    assert await kitchen.names("ajo y pollo") == ["Sopa de ajo"]
    await kitchen.recommender.refresh()
    assert await kitchen.names("ajo y pollo") == ["Pollo al ajillo", "Sopa de ajo"]
    await kitchen.tell(stored(recipe("Caldo", recipe_id=SOUP.recipe_id)))
    await kitchen.recommender.refresh()
    assert await kitchen.names("ajo y pollo") == ["Pollo al ajillo"]


async def test_run_follows_by_itself_and_embeds(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task beside the recommender reads new recipes and gives them their vectors."""
    await kitchen.recommender.load()
    found = asyncio.Event()
    embed_some = kitchen.recommender.embed_some

    async def embed_and_tell() -> bool:
        embedded = await embed_some()
        if embedded:
            found.set()
        return embedded

    monkeypatch.setattr(kitchen.recommender, "embed_some", embed_and_tell)
    running = asyncio.create_task(kitchen.recommender.run())
    await kitchen.tell(stored(SOUP))
    await asyncio.wait_for(found.wait(), 10)
    running.cancel()
    assert await kitchen.names("ajo") == ["Sopa de ajo"]
    assert kitchen.recommender.degraded == []


async def test_a_rating_shows_in_the_next_answer(kitchen: Kitchen) -> None:
    """Who has rated sees the average at once, and better rated recipes rise among equals."""
    twins = [recipe("Sopa", recipe_id=f"test-{letter}", tags=[letter]) for letter in "ab"]
    await kitchen.tell(*map(stored, twins))
    await kitchen.recommender.load()
    before = await kitchen.recommender.recommend("sopa", 2)
    assert before.ratings == [None, None]
    loved, hated = (
        RecipeRated(recipe_id=twin.recipe_id, rating=rating, user="u")
        for twin, rating in zip(twins[::-1], (5, 1), strict=True)
    )
    await kitchen.tell(loved, hated, RecipeRated(recipe_id=loved.recipe_id, rating=4, user="v"))
    after = await kitchen.recommender.recommend("sopa", 2)
    assert [recipe.recipe_id for recipe in after.recipes] == ["test-b", "test-a"]
    assert after.ratings == [4.5, 1.0]


async def test_a_repeated_request_is_answered_from_the_last_answer(kitchen: Kitchen) -> None:
    """The same request gets the same answer without a search; a change of the ratings drops what was kept."""
    await kitchen.tell(stored(SOUP))
    await kitchen.recommender.load()
    first = await kitchen.recommender.recommend("sopa", 3)
    again = await kitchen.recommender.recommend("sopa", 3)
    assert set(first.latency_ms) == {"understand", "retrieve", "rank", "total"}
    assert set(again.latency_ms) == {"total"}
    assert (again.recipes, again.scores) == (first.recipes, first.scores)
    await kitchen.tell(RecipeRated(recipe_id=SOUP.recipe_id, rating=5))
    assert "rank" in (await kitchen.recommender.recommend("sopa", 3)).latency_ms


async def test_only_what_the_words_leave_open_is_embedded(kitchen: Kitchen) -> None:
    """A request that a recipe holds is answered by its words, one that none holds by its meaning too: it says which."""
    await kitchen.tell(stored(SOUP), stored(GARLIC_CHICKEN))
    await kitchen.recommender.load()
    held = await kitchen.recommender.recommend("pollo al ajillo", 1)
    assert "embedding" not in held.latency_ms
    assert held.understanding
    assert not held.understanding.meaning
    assert held.degraded == ["embedding_incomplete"]  # of the recipes that wait for vectors, not of the request
    left_open = await kitchen.recommender.recommend("quiero bizcocho de zanahoria", 1)
    assert "embedding" in left_open.latency_ms
    assert left_open.understanding
    assert left_open.understanding.meaning == "bizcocho zanahoria"


async def test_equal_scores_are_answered_in_one_order(kitchen: Kitchen) -> None:
    """Recipes that nothing tells apart come in the order of their ids, on every start."""
    await kitchen.tell(*(stored(recipe("Sopa", recipe_id=f"test-{letter}")) for letter in "cab"))
    await kitchen.recommender.load()
    answer = await kitchen.recommender.recommend("sopa", 3)
    assert [recipe.recipe_id for recipe in answer.recipes] == ["test-a", "test-b", "test-c"]


async def test_without_an_embedder_words_answer(store: SqliteEventStore, tmp_path: Path) -> None:
    """When the engine cannot be loaded the answer comes from the words, and says what it did without."""
    async with open_kitchen(store, tmp_path, make_embedder=no_embedder) as kitchen:
        await kitchen.tell(stored(SOUP), stored(GARLIC_CHICKEN))
        await kitchen.recommender.load()
        answer = await kitchen.recommender.recommend("receta de pollo", 1)
        assert [recipe.name for recipe in answer.recipes] == ["Pollo al ajillo"]
        assert answer.degraded == kitchen.recommender.degraded == ["embedding_unavailable"]
        assert "embedding" not in answer.latency_ms


async def test_recipes_that_wait_for_vectors_are_told(kitchen: Kitchen) -> None:
    """Until the background has embedded a new recipe, answers say that meaning is incomplete."""
    await kitchen.tell(stored(SOUP))
    await kitchen.recommender.load()
    assert (await kitchen.recommender.recommend("sopa", 1)).degraded == ["embedding_incomplete"]
    assert await kitchen.recommender.embed_some()
    assert (await kitchen.recommender.recommend("sopa", 1)).degraded == []
    assert not await kitchen.recommender.embed_some()


async def test_a_warm_start_uses_what_was_kept(store: SqliteEventStore, tmp_path: Path) -> None:
    """Index and vectors of an earlier start are on disk; a damaged file of them is made anew."""
    async with open_kitchen(store, tmp_path) as kitchen:
        await kitchen.tell(stored(SOUP))
        await kitchen.recommender.load()
        await kitchen.recommender.embed_some()
    (index,) = (tmp_path / "cache").glob("index-*.arrays")
    index.write_bytes(index.read_bytes()[:100])
    async with open_kitchen(store, tmp_path) as kitchen:
        await kitchen.recommender.load()
        assert kitchen.recommender.unembedded == 0
        assert await kitchen.names("ajo") == ["Sopa de ajo"]
