"""The recommender: answers requests from the catalogue of the moment, and follows it as it changes. Floor 3."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

import aiosqlite
import msgspec
import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from projections.catalogue import StoredRecipe, stored_recipes
from projections.errors import ProjectionError
from projections.feedback import recipe_ratings
from projections.registry import production_version
from recsys.errors import RecipeNotFound, RecommenderUnavailable
from recsys.logging import mlops_logger
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.embedding import E5, BatchEmbedder, Embedder, fingerprint, passage_text, yield_to_requests
from recsys.recommender.encoder import QueryEncoder
from recsys.recommender.errors import EmbeddingUnavailable, UnservableModel
from recsys.recommender.index import Collection, EmbeddedIndex, Outage, VectorIndex
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.lru import LruCache
from recsys.recommender.moment import NO_OPTIONS, Moment, Ratings, search, similar
from recsys.recommender.options import Options
from recsys.recommender.pantry import missing_lines
from recsys.recommender.ranker import LinearRanker, Ranker, ranker_of
from recsys.recommender.understanding import Understanding, understand
from recsys.recommender.vectors import VectorStore

SHIPPED_FOLDER = Path(__file__).parent.parent / "data"
SEARCH_THREADS = 2  # embedding is most of a request's time, and lets go of the interpreter
ANSWERS_KEPT = 4096
LOOK_SECONDS = 0.25
FIRST_REQUEST = "recetas fáciles"  # the first search reads all arrays from the disk, so no user should wait for it
EMBED_RETRY_SECONDS = 30.0  # an endpoint that fails is left alone for so long
EMBEDDED_A_TURN = 8  # recipes embedded in the background, before other work there has its turn
RENEWED_SECONDS = 5.0  # so often are kept answers dropped for better ones while recipes are embedded


class ViewsReader(Protocol):
    """What the recommender needs of the views."""

    def reader(self) -> AbstractAsyncContextManager[aiosqlite.Connection]: ...
    def changed_at(self, view: str) -> int: ...


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """Recipes for a request, best first; scores, in [0, 1], and ratings run beside them.

    ratings: the average of 0 to 5, None while unrated. latency_ms: stage → milliseconds; a stage left out was not
    needed. degraded: what the answer had to do without. language: of the request, es or en. understanding: what the
    request was taken to ask for; features: what each recipe was ranked by; missing: the ingredient lines of each that
    the foods at hand do not cover, if some were named.
    """

    recipes: list[Recipe]
    scores: list[float]
    ratings: list[float | None]
    latency_ms: dict[str, float]
    language: str
    degraded: list[str]
    model_id: str
    model_version: str
    understanding: Understanding | None = None
    features: list[dict[str, float]] = []
    missing: list[list[str]] = []


class SimilarRecipes(msgspec.Struct, frozen=True, kw_only=True):
    """Recipes like another one, best first; scores, in [0, 1], and ratings run beside them."""

    recipes: list[Recipe]
    scores: list[float]
    ratings: list[float | None]


@contextmanager
def going_on() -> Iterator[None]:
    """Let views that cannot be read just now be: answers come from what was read before."""
    try:
        yield
    except (sqlite3.Error, ProjectionError) as error:
        mlops_logger.warning("the views cannot be read, the recommender goes on with what it has: %s", error)


class Recommender:
    """Answers requests. `await load()` first, keep `run()` running beside it, `close()` at the end."""

    def __init__(
        self,
        views: ViewsReader,
        cache_folder: Path,
        *,
        ranker: Ranker | None = None,
        make_embedder: Callable[[], Embedder] = E5,
        vectors_fingerprint: str = "",
        make_index: Callable[[Path, str], VectorIndex] = EmbeddedIndex,
    ) -> None:
        """vectors_fingerprint: of the embedders' vectors, if it is not the shipped model's.

        make_index: makes the index of the vectors from the cache's folder and their fingerprint.
        """
        self.views = views
        self.cache_folder = cache_folder
        self.ranker = ranker or LinearRanker()
        self.follows_registry = ranker is None
        self.unservable = ""
        self.make_embedder = make_embedder
        self.encoder = QueryEncoder(make_embedder)
        self.answers: LruCache[tuple[str, int, Options], Recommendation] = LruCache(ANSWERS_KEPT)
        self.searchers = ThreadPoolExecutor(SEARCH_THREADS, thread_name_prefix="search")
        self.background = ThreadPoolExecutor(1, thread_name_prefix="embed", initializer=yield_to_requests)
        self.embedder: Embedder | None = None
        self.is_closing = False
        self.vector_store: VectorStore | None = None
        self.fingerprint = vectors_fingerprint or fingerprint()
        self.embed_after = 0.0
        self.answers_renewed = 0.0
        self.index = make_index(cache_folder, self.fingerprint)
        self.unindexed = 0
        self.moment: Moment | None = None
        self.catalogue_seen = self.feedback_seen = self.registry_seen = -1
        self.refreshing = asyncio.Lock()

    @property
    def degraded(self) -> list[str]:
        """What answers do without now: `embedding_unavailable`, or `embedding_incomplete` while recipes wait for it.

        `production_model_unavailable`: the version in production cannot be served, the one before goes on.
        `qdrant_unavailable`: the vectors are searched in this process alone.
        """
        without = ["production_model_unavailable"] if self.unservable else []
        without += [outage.name for outage in self.outages]
        if self.encoder.problem or self.encoder.trouble:
            return [*without, "embedding_unavailable"]
        return [*without, "embedding_incomplete"] if self.unembedded else without

    @property
    def unembedded(self) -> int:
        """How many recipes are found by their words only, until the background has embedded them."""
        return int(np.count_nonzero(~self.moment.vectors.known)) if self.moment else 0

    @property
    def outages(self) -> list[Outage]:
        """The parts elsewhere that cannot be used now, each with since when and why."""
        return [self.index.outage] if self.index.outage else []

    async def load(self) -> None:
        """Read the catalogue and make ready to answer."""
        loop = asyncio.get_running_loop()
        engines = loop.run_in_executor(self.searchers, self.encoder.open, SEARCH_THREADS)
        await self.refresh()
        await engines
        if self.encoder.problem:
            mlops_logger.warning("recipes are found by their words only: %s", self.encoder.problem)
        await self.recommend(FIRST_REQUEST)

    async def run(self) -> None:
        """Follow the catalogue and embed its new recipes, until cancelled."""
        while True:
            start = perf_counter()
            with going_on():
                await self.refresh()
            embedded, indexed = await self.embed_some(), await self.index_some()
            if not (embedded or indexed):
                # While an import goes on, half of the time at most is spent on building the index anew.
                await asyncio.sleep(max(LOOK_SECONDS, perf_counter() - start))

    def close(self) -> None:
        """Let go of the threads; a text that is being embedded is finished first."""
        self.is_closing = True
        self.searchers.shutdown(cancel_futures=True)
        self.background.shutdown(cancel_futures=True)

    async def recommend(self, query: str, n: int = 3, *, options: Options = NO_OPTIONS) -> Recommendation:
        """Return the best `n` recipes. An answer given before, to a catalogue and ratings unchanged since, is repeated.

        Raises RecommenderUnavailable before `load`, InvalidInput for an unknown diet.
        """
        start = perf_counter()
        moment = await self.present()
        key = (query, n, options)
        kept = self.answers.get(key)
        if kept is None:
            kept = await asyncio.get_running_loop().run_in_executor(
                self.searchers, self.answer, moment, self.ranker, *key
            )
            if moment is self.moment and not self.encoder.trouble:
                self.answers.put(key, msgspec.structs.replace(kept, latency_ms={}))
        return msgspec.structs.replace(kept, latency_ms={**kept.latency_ms, "total": (perf_counter() - start) * 1e3})

    async def present(self) -> Moment:
        """Return the moment to answer from, with the latest ratings. Raises RecommenderUnavailable."""
        with going_on():
            await self.refresh_ranker()
            await self.refresh_ratings()
        if self.moment is None:
            raise RecommenderUnavailable("the catalogue is being read: try again in a second")
        return self.moment

    def answer(self, moment: Moment, ranker: Ranker, query: str, n: int, options: Options) -> Recommendation:
        start = perf_counter()
        request = understand(query, moment.catalogue.knowledge)
        understood = perf_counter()
        embed = self.encoder.vector if query.strip() else None
        ranked = search(moment, request, embed, ranker=ranker, n=n, options=options)
        recipes = [moment.catalogue.recipes[row].decode() for row in ranked.rows]
        at_hand = options.ingredients
        return Recommendation(
            recipes=recipes,
            scores=[float(score) for score in ranked.scores],
            ratings=[moment.ratings.average(row) for row in ranked.rows],
            latency_ms={"understand": (understood - start) * 1e3} | ranked.latency_ms,
            language=request.language,
            degraded=self.degraded,
            model_id=ranker.model_id,
            model_version=ranker.model_version,
            understanding=request if ranked.is_embedded else msgspec.structs.replace(request, meaning=""),
            features=ranked.features,
            missing=[missing_lines(recipe, at_hand, shipped_lexicon()) for recipe in recipes] if at_hand else [],
        )

    async def similar(self, recipe_id: str, n: int) -> SimilarRecipes:
        """Return the `n` recipes most like that one. Raises RecommenderUnavailable before `load`, RecipeNotFound."""
        moment = await self.present()
        row = moment.catalogue.rows.get(recipe_id)
        if row is None:
            raise RecipeNotFound(recipe_id)
        rows, likeness = await asyncio.get_running_loop().run_in_executor(self.searchers, similar, moment, row, n)
        return SimilarRecipes(
            recipes=[moment.catalogue.recipes[found].decode() for found in rows],
            scores=[float(score) for score in likeness],
            ratings=[moment.ratings.average(found) for found in rows],
        )

    async def refresh_ranker(self) -> None:
        """Serve the version in production; if this release cannot, the one that it served last goes on."""
        if not self.follows_registry or (changed_at := self.views.changed_at("registry")) == self.registry_seen:
            return
        async with self.views.reader() as db:
            version = await production_version(db, self.ranker.model_id)
        former = self.ranker, self.unservable
        if version is not None:
            try:
                self.ranker = ranker_of(
                    version.model_id,
                    version.model_version,
                    model_type=version.model_type,
                    parameters=version.parameters,
                )
                self.unservable = ""
            except UnservableModel as error:
                self.unservable = f"{version.model_id} {version.model_version} cannot be served: {error}"
        self.registry_seen = changed_at
        if (self.ranker, self.unservable) == former:
            return
        mlops_logger.info("answers are ranked by %s. %s", self.ranker.model_version, self.unservable)
        if self.moment is not None:
            self.replace_moment(replace(self.moment))  # so that no answer of the former is kept

    async def refresh(self) -> None:
        """Read what changed in the catalogue and the ratings. Answers are given from what was until it is ready."""
        async with self.refreshing:
            changed_at = self.views.changed_at("catalogue")
            if changed_at != self.catalogue_seen:
                await self.read_catalogue()
                self.catalogue_seen = changed_at
        await self.refresh_ranker()
        await self.refresh_ratings()

    async def read_catalogue(self) -> None:
        former = self.moment.catalogue if self.moment else None
        async with self.views.reader() as db:
            changed = await stored_recipes(db, after=former.position if former else 0)
        catalogue, collection = await asyncio.to_thread(self.prepare, former, changed)
        feedback_at = self.views.changed_at("feedback")
        async with self.views.reader() as db:
            ratings = Ratings.none(len(catalogue.recipes)).updated(await recipe_ratings(db), catalogue.rows)
        self.replace_moment(Moment(catalogue, ratings, collection, self.index))
        self.feedback_seen = feedback_at

    def prepare(self, former: Catalogue | None, changed: list[StoredRecipe]) -> tuple[Catalogue, Collection]:
        """Return the catalogue after these recipes were stored, and with its vectors. CPU: for a thread."""
        if self.vector_store is None:
            self.vector_store = VectorStore(
                self.cache_folder, fingerprint=self.fingerprint, shipped_folder=SHIPPED_FOLDER
            )
        stored = former.with_changes(changed) if former else changed
        catalogue = Catalogue.prepare(stored, shipped_lexicon(), self.cache_folder, former)
        return catalogue, Collection(catalogue, self.vector_store.of(catalogue.keys))

    async def refresh_ratings(self) -> None:
        """Read the ratings that changed, if any did: so that who rated sees it in the next answer."""
        moment, changed_at = self.moment, self.views.changed_at("feedback")
        if moment is None or changed_at == self.feedback_seen:
            return
        async with self.views.reader() as db:
            changed = await recipe_ratings(db, after=moment.ratings.position)
        if moment is self.moment:
            self.replace_moment(replace(moment, ratings=moment.ratings.updated(changed, moment.catalogue.rows)))
            self.feedback_seen = changed_at

    def replace_moment(self, moment: Moment) -> None:
        self.moment = moment
        self.answers.clear()

    async def embed_some(self) -> bool:
        """Embed a few of the recipes that have no vector yet, in the background; False if there was nothing to do."""
        moment = self.moment
        if moment is None or self.encoder.problem or perf_counter() < self.embed_after or moment.vectors.known.all():
            return False
        try:
            await asyncio.get_running_loop().run_in_executor(self.background, self.embed_rows, moment)
        except EmbeddingUnavailable as error:
            mlops_logger.warning("embedding goes on in %g s: %s", EMBED_RETRY_SECONDS, error)
            self.embed_after = perf_counter() + EMBED_RETRY_SECONDS
            return False
        is_due = perf_counter() >= self.answers_renewed + RENEWED_SECONDS
        if moment is self.moment and (is_due or moment.vectors.known.all()):
            self.answers_renewed = perf_counter()
            self.replace_moment(replace(moment))  # so that an answer begun before is not kept
        return True

    async def index_some(self) -> bool:
        """Bring the index a part of the way to the present vectors; False if there is no more to do."""
        moment = self.moment
        if moment is None:
            return False
        loop = asyncio.get_running_loop()
        self.unindexed = await loop.run_in_executor(self.background, self.index.advance, moment.collection)
        return self.unindexed > 0

    def embed_rows(self, moment: Moment) -> None:
        """Fill in the first missing vectors. A search beside it sees a row once it is whole."""
        assert self.vector_store is not None
        self.embedder = self.embedder or self.make_embedder()
        rows = np.flatnonzero(~moment.vectors.known)[:EMBEDDED_A_TURN]
        if isinstance(self.embedder, BatchEmbedder):
            rows = np.flatnonzero(~moment.vectors.known)[: self.embedder.texts_a_call]
            self.embed_together(moment, rows, self.embedder)
        for row in rows:
            if self.is_closing:
                return
            key = moment.catalogue.keys[row]
            if key not in self.vector_store:
                text = passage_text(moment.catalogue.recipes[row].decode())
                self.vector_store.add(key, self.embedder.passage(text))
            moment.vectors.set(row, self.vector_store[key])

    def embed_together(self, moment: Moment, rows: NDArray[np.int64], embedder: BatchEmbedder) -> None:
        """Keep the vectors of these rows that are not kept yet. Raises EmbeddingUnavailable."""
        assert self.vector_store is not None
        new = [row for row in rows if moment.catalogue.keys[row] not in self.vector_store]
        texts = [passage_text(moment.catalogue.recipes[row].decode()) for row in new]
        for row, vector in zip(new, embedder.passages(texts), strict=True):
            self.vector_store.add(moment.catalogue.keys[row], vector)
