"""Hybrid retrieval: the allowed recipes by the words and by the meaning of a request, in one relevance. Floor 3."""

from dataclasses import dataclass

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.lexical import Scores
from recsys.recommender.ranker import min_max
from recsys.recommender.text import LANGUAGES
from recsys.recommender.understanding import Understanding

CANDIDATES_A_SIDE = 100
# Words serve short requests best and meaning serves sentences: (content words at most, weight of the words' score).
WORD_WEIGHTS = ((3, 0.7), (6, 0.5))
WORD_WEIGHT_OF_SENTENCES = 0.2
# What a recipe in the other language must be better by, of the whole range of relevance.
OTHER_LANGUAGE_PENALTY = 0.3
# A recipe that bakes, for who asked for one without an oven.
AVOIDED_PENALTY = 0.5


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
    semantic: FloatArray,
    *,
    allowed: BoolArray,
    has_vector: BoolArray,
    avoided: BoolArray,
    pantry: FloatArray,
    language: IntArray,
) -> Candidates:
    """Return the best by words, by meaning and by the foods at hand, with one relevance for all.

    semantic: (n,) cosines. allowed: (n,) what may be an answer. has_vector: (n,) where the cosine is known; elsewhere
    the words alone decide. avoided: (n,) what goes about it in a way not wanted. pantry: (n,) how well the foods at
    hand serve. language: (n,) places in LANGUAGES.
    """
    rows = np.union1d(best(lexical.bm25, allowed & (lexical.bm25 > 0)), best(semantic, allowed & has_vector))
    rows = np.union1d(rows, best(pantry, allowed & (pantry > 0)))
    if not len(rows) and not request.units:  # "anything but meat": one is as good as another
        rows = np.flatnonzero(allowed)[:CANDIDATES_A_SIDE].astype(np.int32)
    bm25 = lexical.bm25[rows]
    by_words = bm25 / max(float(bm25.max(initial=0)), 1e-9)
    by_meaning = by_words.copy()
    known = has_vector[rows]
    by_meaning[known] = min_max(semantic[rows[known]])
    # Words that even the best recipe lacks ("healthy") are left to the meaning.
    found = float(lexical.shares[rows[bm25.argmax()]]) if len(rows) else 0.0
    weight = word_weight(sum(max(len(unit.words), 1) for unit in request.units)) * found
    is_foreign = language[rows] != LANGUAGES.index(request.language)
    foreign = (abs(request.lean) * is_foreign).astype(np.float32)
    penalty = OTHER_LANGUAGE_PENALTY * foreign + AVOIDED_PENALTY * avoided[rows]
    relevance = weight * by_words + (1 - weight) * by_meaning - penalty
    return Candidates(rows, relevance.astype(np.float32), by_words, by_meaning, 1 - foreign)


def best(scores: FloatArray, eligible: BoolArray) -> IntArray:
    """Return the rows of the highest scores among the eligible, at most a hundred, in no order."""
    rows = np.flatnonzero(eligible)
    if len(rows) <= CANDIDATES_A_SIDE:
        return rows.astype(np.int32)
    return rows[np.argpartition(-scores[rows], CANDIDATES_A_SIDE)[:CANDIDATES_A_SIDE]].astype(np.int32)


def word_weight(words: int) -> float:
    """Return the share of the words' score in the relevance."""
    return next((weight for most, weight in WORD_WEIGHTS if words <= most), WORD_WEIGHT_OF_SENTENCES)
