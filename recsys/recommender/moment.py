"""All that an answer is made from at one moment, and the search in it. Floor 3; pure but for its timing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from projections.feedback import RecipeRatings
from recsys.recommender.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.contents import MINUTES_UNKNOWN, STAPLES, Reader
from recsys.recommender.diversity import diversified
from recsys.recommender.filters import allowed_rows, bounds_of
from recsys.recommender.index import Allowed, Collection, VectorIndex
from recsys.recommender.limits import QUICK_MINUTES, Limits
from recsys.recommender.options import Options
from recsys.recommender.pantry import pantry_fit
from recsys.recommender.ranker import Features, Ranker, min_max, popularity
from recsys.recommender.retrieval import CANDIDATES_A_SIDE, ENOUGH, Meaning, best_found, retrieve, words_suffice
from recsys.recommender.text import fold
from recsys.recommender.understanding import Understanding
from recsys.recommender.vectors import Vectors

Embed = Callable[[str], FloatArray | None]

NO_OPTIONS = Options()
PANTRY_WEIGHT = 0.5
OTHER_LANGUAGE_LOSS = (
    0.1  # where the language of the answer was asked for; 0.2 brings other dishes before the right one
)
FOODS_OF_LIKENESS = 0.4


@dataclass(frozen=True)
class Ratings:
    """The ratings of a catalogue's recipes. counts, sums, popularity: (n,) by row. position: of the last change."""

    counts: DoubleArray
    sums: DoubleArray
    popularity: FloatArray
    position: int

    @classmethod
    def none(cls, size: int) -> "Ratings":
        zeros = np.zeros(size)
        return cls(zeros, zeros, popularity(zeros, zeros), 0)

    def updated(self, changed: Iterable[RecipeRatings], rows: Mapping[str, int]) -> "Ratings":
        """Return the ratings after these; those of recipes not in the catalogue count for nothing."""
        counts, sums, position = self.counts.copy(), self.sums.copy(), self.position
        for ratings in changed:
            position = ratings.position
            if (row := rows.get(ratings.recipe_id)) is not None:
                counts[row], sums[row] = ratings.rating_count, ratings.rating_sum
        return Ratings(counts, sums, popularity(counts, sums), position)

    def average(self, row: int) -> float | None:
        return float(self.sums[row] / self.counts[row]) if self.counts[row] else None


@dataclass(frozen=True)
class Moment:
    """The catalogue with its ratings and vectors, and the index that finds the nearest of these."""

    catalogue: Catalogue
    ratings: Ratings
    collection: Collection
    index: VectorIndex

    @property
    def vectors(self) -> Vectors:
        return self.collection.vectors


@dataclass(frozen=True)
class Ranked:
    """The best recipes of one request. rows: (n,) in the catalogue, best first. scores: (n,). features: of each.

    latency_ms: with `embedding` if the words did not suffice.
    """

    rows: IntArray
    scores: FloatArray
    features: list[dict[str, float]]
    latency_ms: dict[str, float]

    @property
    def is_embedded(self) -> bool:
        """Whether the request's meaning was used."""
        return "embedding" in self.latency_ms


def search(
    moment: Moment,
    request: Understanding,
    embed: Embed | None,
    *,
    ranker: Ranker,
    n: int,
    options: Options = NO_OPTIONS,
) -> Ranked:
    """Return the best `n` recipes; by words alone if they suffice or `embed` gives none. CPU: 1 ms at 3,000 recipes.

    Raises InvalidInput for an unknown diet.
    """
    start = perf_counter()
    catalogue = moment.catalogue
    bounds = bounds_of(request, options, catalogue.knowledge.lexicon)
    allowed = allowed_rows(catalogue, bounds)
    lexical = catalogue.lexical.scores(request.units, request.lean)
    avoided = avoided_rows(catalogue, request.avoided)
    pantry = pantry_fit(catalogue.contents, options.ingredients, catalogue.knowledge.lexicon)
    looked_up = perf_counter()
    is_clear = words_suffice(request, catalogue.lexical, lexical)
    vector = None if embed is None or is_clear else embed(request.meaning)
    embedded = perf_counter()
    direction = vector if vector is not None else moment.vectors.middle(best_found(lexical, allowed))
    meaning = meaning_of(moment, direction, Allowed(allowed, bounds), is_of_found=vector is None)
    candidates = retrieve(
        request,
        lexical,
        meaning,
        allowed=allowed,
        avoided=avoided,
        pantry=pantry,
        language=catalogue.language,
        preferred_language=options.preferred_language,
    )
    retrieved = perf_counter()
    rows = candidates.rows
    features = Features(
        relevance=candidates.relevance,
        words=candidates.words,
        meaning=candidates.meaning,
        share=lexical.shares[rows],
        name=lexical.name[rows],
        popularity=moment.ratings.popularity[rows],
        time_fit=time_fit(catalogue.contents.minutes[rows], request.limits),
        language_fit=candidates.language_fit,
        technique_fit=(~avoided[rows]).astype(np.float32),
        pantry=pantry[rows],
    )
    scores = ranker.scores(features)
    if options.ingredients:
        scores = with_pantry(scores, features.pantry, is_all=not request.units)
    if options.preferred_language:
        scores = np.maximum(scores - OTHER_LANGUAGE_LOSS * (1 - features.language_fit), 0).astype(np.float32)
    # Equal scores keep the catalogue's order, so that one log gives one answer.
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    best = diversified(order, scores, moment.vectors[rows], moment.vectors.known[rows], loss=ranker.diversity, n=n)
    latency_ms = {
        "retrieve": (looked_up - start + retrieved - embedded) * 1e3,
        "rank": (perf_counter() - retrieved) * 1e3,
    }
    if vector is not None:
        latency_ms["embedding"] = (embedded - looked_up) * 1e3
    return Ranked(rows[best], scores[best], [features.of(int(place)) for place in best], latency_ms)


def with_pantry(scores: FloatArray, pantry: FloatArray, *, is_all: bool) -> FloatArray:
    """Return the scores with the foods at hand counted in. is_all: nothing else was asked for."""
    weight = np.float32(1 if is_all else PANTRY_WEIGHT)
    return weight * pantry + (1 - weight) * scores


def similar(moment: Moment, row: int, n: int) -> tuple[IntArray, FloatArray]:
    """Return the `n` recipes most like that one, best first, with their likeness in [0, 1]: in foods and in meaning."""
    catalogue = moment.catalogue
    recipe = catalogue.recipes[row].decode()
    reader = Reader(catalogue.knowledge.lexicon)
    foods = frozenset().union(*(reader.foods(line, recipe.language) for line in recipe.ingredients)) - STAPLES
    likeness = catalogue.contents.overlap(foods)
    known = np.flatnonzero(moment.vectors.known).astype(np.int32)
    if moment.vectors.known[row]:
        meaning = min_max(moment.vectors.cosines(moment.vectors[np.array([row])][0], known))
        likeness[known] = FOODS_OF_LIKENESS * likeness[known] + (1 - FOODS_OF_LIKENESS) * meaning
    likeness[row] = -1
    order = np.argsort(-likeness, kind="stable")[: min(n, len(likeness) - 1)].astype(np.int32)
    return order, likeness[order]


def time_fit(minutes: IntArray, limits: Limits) -> FloatArray:
    """Return 1 where the recipe is made in the time asked for, 0 where not, 0.5 where one of the two is unknown."""
    most = limits.minutes_max or (QUICK_MINUTES if limits.is_quick else None)
    if most is None:
        return np.full(len(minutes), 0.5, dtype=np.float32)
    return np.where(minutes == MINUTES_UNKNOWN, 0.5, minutes <= most).astype(np.float32)


def avoided_rows(catalogue: Catalogue, techniques: Iterable[str]) -> BoolArray:
    """Return whether each recipe speaks of an unwanted technique or tool, but for its name: "tarta sin horno"."""
    found = np.zeros(len(catalogue.recipes), dtype=bool)
    for technique in techniques:
        for names in catalogue.knowledge.lexicon.concepts[technique].names.values():
            for name in names:
                if " " not in name:
                    found |= catalogue.lexical.with_word(fold(name), beside_name=True)
    return found


def meaning_of(moment: Moment, vector: FloatArray | None, allowed: Allowed, *, is_of_found: bool) -> Meaning:
    """Return the recipes nearest to a vector, and the cosines of any; of none without a vector.

    is_of_found: it is not the request's, but that of recipes which the words found.
    """
    if vector is None:
        return Meaning.none(len(moment.vectors))
    found = moment.index.search(
        moment.collection, vector, k=ENOUGH if is_of_found else CANDIDATES_A_SIDE, allowed=allowed
    )
    return Meaning(found.rows, moment.vectors.known, lambda rows: moment.vectors.cosines(vector, rows), is_of_found)
