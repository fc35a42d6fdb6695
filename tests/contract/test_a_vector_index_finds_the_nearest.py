"""Every vector index finds the nearest recipes that are allowed, and none other: in this process and on a server."""

import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from events.catalog import Recipe
from recsys.recommender.arrays import FloatArray
from recsys.recommender.catalogue import Catalogue, Index
from recsys.recommender.embedding import passage_text
from recsys.recommender.filters import Bounds, allowed_rows
from recsys.recommender.index import Allowed, Collection, EmbeddedIndex, VectorIndex
from recsys.recommender.index.qdrant import QdrantIndex
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.limits import Limits
from recsys.recommender.options import Options
from recsys.recommender.vectors import Vectors, quantised
from tests.recommender.harness import WordEmbedder, as_stored, recipe

FOODS = ("pollo", "arroz", "huevo", "tomate", "queso", "atún", "patata", "cebolla", "chocolate", "leche")
LANGUAGES = ("es", "en")
EVERYTHING = Bounds(concepts=(), words=(), limits=Limits(), options=Options())


def graph_index(folder: Path) -> VectorIndex:
    return EmbeddedIndex(folder, "fake", graph_from=1)


def exact_index(folder: Path) -> VectorIndex:
    return EmbeddedIndex(folder, "fake")


def server_index(_folder: Path) -> VectorIndex:
    with warnings.catch_warnings(action="ignore"):
        client = QdrantClient(":memory:")
    return QdrantIndex(lambda: client, name="recipes-fake")


@pytest.fixture(params=[exact_index, graph_index, server_index])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    make: Callable[[Path], VectorIndex] = request.param
    with warnings.catch_warnings():  # the server's local engine says that it knows no payload indexes
        warnings.filterwarnings("ignore", message="Payload indexes have no effect")
        yield make(tmp_path)


def menu(size: int = 60) -> list[Recipe]:
    return [
        recipe(
            f"{FOODS[at % 10]} con {FOODS[at // 10 % 10]} {at}",
            language=LANGUAGES[at % 2],
            ingredients=f"{FOODS[at % 10]}, {FOODS[(at + 3) % 10]}",
            recipe_id=f"test-{at:03}",
            minutes=at + 1 if at % 4 else None,
            tags=["fácil"] if at % 3 else [],
        )
        for at in range(size)
    ]


@cache
def menu_collection() -> Collection:
    return collection_of(menu())


def collection_of(recipes: list[Recipe]) -> Collection:
    stored = as_stored(recipes)
    vectors = [quantised(WordEmbedder().passage(passage_text(recipe))) for recipe in recipes]
    return Collection(
        Catalogue(stored, Index.build(stored, shipped_lexicon()), shipped_lexicon()),
        Vectors(np.array(vectors, dtype=np.int8).reshape(-1, 384), np.ones(len(recipes), dtype=bool)),
    )


def advanced(index: VectorIndex, collection: Collection) -> None:
    while index.advance(collection):
        pass


def found(index: VectorIndex, collection: Collection, query: str, bounds: Bounds = EVERYTHING, k: int = 10) -> set[int]:
    """Return the rows, having seen that they are as near as the nearest of the allowed."""
    vector = WordEmbedder().query(query)
    allowed = Allowed(allowed_rows(collection.catalogue, bounds), bounds)
    rows, cosines = index.search(collection, vector, k=k, allowed=allowed)
    assert allowed.rows[rows].all()
    assert np.allclose(cosines, nearest_cosines(collection, vector, allowed, k), atol=0.002)
    assert np.allclose(cosines, collection.vectors.cosines(vector, rows), atol=0.002)
    return set(rows.tolist())


def nearest_cosines(collection: Collection, vector: FloatArray, allowed: Allowed, k: int) -> FloatArray:
    return np.sort(collection.vectors.cosines(vector)[allowed.rows & collection.vectors.known])[::-1][:k]


@pytest.mark.parametrize("query", ["pollo con arroz", "chocolate", "atún con queso"])
def test_the_nearest_are_found(index: VectorIndex, query: str) -> None:
    """All are as near as those found by comparing with each recipe, the nearest first."""
    collection = menu_collection()
    advanced(index, collection)
    assert len(found(index, collection, query)) == 10


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(concepts=("egg", "fish"), words=(), limits=Limits(), options=Options()),
        Bounds(concepts=("egg",), words=("tomate",), limits=Limits(), options=Options()),
        Bounds(concepts=(), words=(), limits=Limits(minutes_max=15), options=Options()),
        Bounds(concepts=(), words=(), limits=Limits(), options=Options(max_minutes=15)),
        Bounds(concepts=(), words=(), limits=Limits(ingredients_max=1), options=Options(max_ingredients=2)),
        Bounds(concepts=("dairy",), words=(), limits=Limits(), options=Options(language="en", tags=("Fácil",))),
    ],
)
def test_a_filter_holds_and_costs_no_answer(index: VectorIndex, bounds: Bounds) -> None:
    """What is found keeps to every bound, and is the nearest of all that do."""
    collection = menu_collection()
    advanced(index, collection)
    found(index, collection, "pollo con arroz", bounds)


def test_what_is_gone_is_not_found_and_what_is_new_is(index: VectorIndex) -> None:
    """After recipes were dropped, changed and added, the index is as if it had never held others."""
    recipes = menu()
    advanced(index, menu_collection())
    later = collection_of([recipe("Sopa de ajo", recipe_id="test-005"), *recipes[10:], recipe("Sopa de pan")])
    advanced(index, later)
    assert {0, len(later) - 1} <= found(index, later, "sopa de ajo con pan")
    assert len(found(index, later, "pollo", k=100)) == len(later)


def test_a_recipe_without_a_vector_waits(index: VectorIndex) -> None:
    """It is not found until it has one; then the index takes it up."""
    collection = collection_of([recipe("Pan"), recipe("Sopa")])
    collection.vectors.known[1] = False
    advanced(index, collection)
    assert found(index, collection, "sopa") == {0}
    collection.vectors.known[1] = True
    advanced(index, collection)
    assert found(index, collection, "sopa") == {0, 1}


def test_nothing_is_found_where_nothing_is(index: VectorIndex) -> None:
    """An empty collection and a filter that leaves nothing give no rows, and no error."""
    advanced(index, collection_of([]))
    assert found(index, collection_of([]), "pan") == set()
    collection = collection_of([recipe("Pan")])
    advanced(index, collection)
    nothing = Bounds(concepts=(), words=(), limits=Limits(), options=Options(tags=("none",)))
    assert found(index, collection, "pan", nothing) == set()
