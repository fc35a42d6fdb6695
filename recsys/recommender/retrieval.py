"""Hybrid retrieval: recipes by the words and by the meaning of a request, in one relevance. Floor 3."""

from dataclasses import dataclass

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.lexical import LexicalIndex
from recsys.recommender.ranker import min_max
from recsys.recommender.text import LANGUAGES, content_words, spanish_votes, without_stop_words

CANDIDATES_A_SIDE = 100
# Words serve short requests best and meaning serves sentences: (content words at most, weight of the words' score).
WORD_WEIGHTS = ((3, 0.7), (6, 0.5))
WORD_WEIGHT_OF_SENTENCES = 0.2
# What a recipe in the other language must be better by, of the whole range of relevance.
OTHER_LANGUAGE_PENALTY = 0.3
# A request word such as "receta" tells more of the language than a word of the kitchen does, which tells up to 1.
STOP_WORD_VOTE = 2.0
# "pizza" is asked in Spanish, until something speaks for English: the service's users are Spanish.
SPANISH_PRIOR = 0.5
SURE_LEAN = 2.0


@dataclass(frozen=True)
class Request:
    """A request as retrieval sees it. words: folded, without stop words. lean: -1, surely English, to 1, Spanish.

    meaning: the text to embed.
    """

    meaning: str
    words: list[str]
    lean: float

    @property
    def language(self) -> str:
        return "es" if self.lean >= 0 else "en"


def understand(text: str, lexical: LexicalIndex) -> Request:
    """Return the request with its content words, and its language by a vote of all words.

    What stands around known words ("recetas con") only blurs their meaning; unknown ones need it.
    """
    words = content_words(text)
    votes = SPANISH_PRIOR + lexical.spanish_lean(words) + STOP_WORD_VOTE * spanish_votes(text)
    meaning = without_stop_words(text) if lexical.knows_any(words) else text
    return Request(meaning, words, max(-1.0, min(1.0, votes / SURE_LEAN)))


@dataclass(frozen=True)
class Candidates:
    """Recipes worth ranking. rows: (k,) in the catalogue. relevance: (k,) higher is better, at most 1."""

    rows: IntArray
    relevance: FloatArray


def retrieve(
    request: Request,
    lexical: FloatArray,
    shares: FloatArray,
    semantic: FloatArray,
    *,
    has_vector: BoolArray,
    language: IntArray,
) -> Candidates:
    """Return the best by words and the best by meaning, with one relevance for both.

    lexical, shares: (n,) as LexicalIndex.scores gives them. semantic: (n,) cosines. has_vector: (n,) where the cosine
    is known; elsewhere the words alone decide. language: (n,) places in LANGUAGES.
    """
    rows = np.union1d(best(lexical, lexical > 0), best(semantic, has_vector))
    by_words = lexical[rows] / max(float(lexical.max(initial=0)), 1e-9)
    by_meaning = by_words.copy()
    known = has_vector[rows]
    by_meaning[known] = min_max(semantic[rows[known]])
    # Words that even the best recipe lacks ("healthy") are left to the meaning.
    found = float(shares[lexical.argmax()]) if len(rows) else 0.0
    weight = word_weight(len(request.words)) * found
    is_foreign = language[rows] != LANGUAGES.index(request.language)
    penalty = OTHER_LANGUAGE_PENALTY * abs(request.lean) * is_foreign
    return Candidates(rows, (weight * by_words + (1 - weight) * by_meaning - penalty).astype(np.float32))


def best(scores: FloatArray, eligible: BoolArray) -> IntArray:
    """Return the rows of the highest scores among the eligible, at most a hundred, in no order."""
    rows = np.flatnonzero(eligible)
    if len(rows) <= CANDIDATES_A_SIDE:
        return rows.astype(np.int32)
    return rows[np.argpartition(-scores[rows], CANDIDATES_A_SIDE)[:CANDIDATES_A_SIDE]].astype(np.int32)


def word_weight(words: int) -> float:
    """Return the share of the words' score in the relevance."""
    return next((weight for most, weight in WORD_WEIGHTS if words <= most), WORD_WEIGHT_OF_SENTENCES)
