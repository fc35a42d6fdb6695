"""Hybrid retrieval: the allowed recipes by the words and by the meaning of a request, in one relevance. Floor 3."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.lexical import LexicalIndex, Scores
from recsys.recommender.lexicon import FOOD_KINDS
from recsys.recommender.ranker import min_max
from recsys.recommender.text import LANGUAGES
from recsys.recommender.understanding import Understanding

CANDIDATES_A_SIDE = 100
# Words serve short requests best, meaning helps with sentences: (content words at most, weight of the words' score).
# These and the penalty did best for the formula on the judged requests that are for tuning.
WORD_WEIGHTS = ((3, 0.85), (6, 0.8))
WORD_WEIGHT_OF_SENTENCES = 0.7
# What a recipe in the other language must be better by, of the whole range of relevance.
OTHER_LANGUAGE_PENALTY = 0.05
# So many answers may be asked for; where fewer recipes have anything of the request, others like the best are added.
ENOUGH = 20
BEST_FOUND = 5
NAMED_BETTER = 0.05  # a name that has so much more of the request is that of another dish
# The words suffice where a recipe holds so much of what is asked for: to embed every request gave no more on the judged
# ones that are for tuning, and takes 15 ms.
HELD_MOST = 0.75
# A recipe that bakes, for who asked for one without an oven.
AVOIDED_PENALTY = 0.5


class Meaning(NamedTuple):
    """What the request's vector says. nearest: (m,) the rows nearest to it. is_known: (n,) which rows have a vector.

    cosines: of such rows, (j,) → (j,). is_of_found: the vector is that of recipes which the words found.
    """

    nearest: IntArray
    is_known: BoolArray
    cosines: Callable[[IntArray], FloatArray]
    is_of_found: bool = False

    @classmethod
    def none(cls, size: int) -> "Meaning":
        """Return what there is without a vector."""
        return cls(
            np.zeros(0, dtype=np.int32), np.zeros(size, dtype=bool), lambda rows: np.zeros(len(rows), np.float32)
        )


def words_suffice(request: Understanding, index: LexicalIndex, lexical: Scores) -> bool:
    """Whether the meaning is not needed: all words are known, and a recipe, allowed or not, holds most of them."""
    is_understood = all(map(index.is_in_a_name, request.words))
    return is_understood and bool((lexical.shares >= HELD_MOST).any())


def best_found(lexical: Scores, allowed: BoolArray) -> IntArray:
    """Return the recipes that others are to be like, best first; none where enough is found.

    They need not be allowed: an omelette tells what is like an omelette, to who cannot have eggs.
    """
    if np.count_nonzero(allowed & (lexical.shares > 0)) >= ENOUGH:
        return np.zeros(0, dtype=np.int32)
    rows = best(lexical.bm25, lexical.shares >= HELD_MOST)
    return rows[np.argsort(-lexical.bm25[rows], kind="stable")][:BEST_FOUND]


@dataclass(frozen=True)
class Candidates:
    """Recipes worth ranking. rows: (k,) in the catalogue. relevance: (k,) higher is better, at most 1.

    words, meaning: (k,) what it is made of, each in [0, 1]. language_fit: (k,) in [0, 1].
    """

    rows: IntArray
    relevance: FloatArray
    words: FloatArray
    meaning: FloatArray
    language_fit: FloatArray


def retrieve(
    request: Understanding,
    lexical: Scores,
    meaning: Meaning,
    *,
    allowed: BoolArray,
    avoided: BoolArray,
    pantry: FloatArray,
    language: IntArray,
    preferred_language: str = "",
) -> Candidates:
    """Return the best by words, by meaning and by the foods at hand, with one relevance for all.

    allowed: (n,) what may be an answer. Where a vector is not known, the words alone decide. avoided: (n,) what goes
    about it in a way not wanted. pantry: (n,) how well the foods at hand serve. language: (n,) places in LANGUAGES.
    preferred_language: the one to answer in, if it was said; else the request's own counts, as sure as it is.
    """
    rows = np.union1d(best(lexical.bm25, allowed & (lexical.bm25 > 0)), meaning.nearest)
    rows = np.union1d(rows, best(pantry, allowed & (pantry > 0)))
    is_open = not (names_food(request) or pantry.any())  # "anything but meat": one is as good as another
    if is_open and len(rows) < ENOUGH:
        rows = np.union1d(rows, np.flatnonzero(allowed)[:CANDIDATES_A_SIDE].astype(np.int32))
    bm25 = lexical.bm25[rows]
    by_words = bm25 / max(float(bm25.max(initial=0)), 1e-9)
    by_meaning = by_words.copy()
    known = meaning.is_known[rows] & ~((bm25 > 0) & meaning.is_of_found)
    by_meaning[known] = min_max(meaning.cosines(rows[known]))
    # Words that even the best recipe lacks ("healthy") are left to the meaning.
    found = float(lexical.shares[rows[bm25.argmax()]]) if len(rows) else 0.0
    weight = word_weight(sum(max(len(unit.words), 1) for unit in request.units)) * found
    is_foreign = language[rows] != LANGUAGES.index(preferred_language or request.language)
    # Where only the other language has the dish, it is no worse for that.
    is_foreign &= lexical.named[rows] <= lexical.named[rows[~is_foreign]].max(initial=0) + NAMED_BETTER
    foreign = ((1.0 if preferred_language else abs(request.lean)) * is_foreign).astype(np.float32)
    penalty = OTHER_LANGUAGE_PENALTY * foreign + AVOIDED_PENALTY * avoided[rows]
    relevance = weight * by_words + (1 - weight) * by_meaning - penalty
    return Candidates(rows, relevance.astype(np.float32), by_words, by_meaning, 1 - foreign)


def names_food(request: Understanding) -> bool:
    """Whether a food or dish was asked for: then what has nothing to do with it is no answer, and fewer are better."""
    return bool(request.words) or any(concept.kind in FOOD_KINDS for concept in request.concepts)


def best(scores: FloatArray, eligible: BoolArray) -> IntArray:
    """Return the rows of the highest scores among the eligible, at most a hundred, in no order."""
    rows = np.flatnonzero(eligible)
    if len(rows) <= CANDIDATES_A_SIDE:
        return rows.astype(np.int32)
    return rows[np.argpartition(-scores[rows], CANDIDATES_A_SIDE)[:CANDIDATES_A_SIDE]].astype(np.int32)


def word_weight(words: int) -> float:
    """Return the share of the words' score in the relevance."""
    return next((weight for most, weight in WORD_WEIGHTS if words <= most), WORD_WEIGHT_OF_SENTENCES)
