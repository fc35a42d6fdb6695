"""What a ranking is worth: nDCG, reciprocal rank, recall and hits, of many requests at once. Floor 3; pure numpy.

All take the grades of the answers, (requests, ranks): the grade of the recipe at each rank, 0 where it is not relevant
or where there is no answer; and give one value a request, (requests,), in [0, 1].
"""

import numpy as np

from recsys.recommender.arrays import DoubleArray, IntArray

MEASURED_RANK = 10
RECALL_RANK = 50


def ndcg(grades: IntArray, ideal: IntArray, *, k: int) -> DoubleArray:
    """Return the normalised discounted cumulative gain of the first k ranks; 0 where nothing is relevant.

    The gain of a grade is 2^grade - 1. ideal: (requests, ranks) the grades of the best ranking possible.
    Source: Burges et al. 2005, after Järvelin & Kekäläinen 2002, TOIS 20(4).
    """
    best = discounted_gain(ideal[:, :k])
    return np.divide(discounted_gain(grades[:, :k]), best, out=np.zeros(len(best)), where=best > 0)


def discounted_gain(grades: IntArray) -> DoubleArray:
    """Return the sum of the gains, each divided by the logarithm of its rank and one, (requests,)."""
    discounts = 1 / np.log2(np.arange(2, grades.shape[1] + 2))
    gained: DoubleArray = (np.exp2(grades) - 1) @ discounts
    return gained


def reciprocal_rank(grades: IntArray) -> DoubleArray:
    """Return 1 / the rank of the first relevant answer; 0 if there is none."""
    is_relevant = grades > 0
    ranks: DoubleArray = np.where(is_relevant.any(axis=1), is_relevant.argmax(axis=1) + 1.0, np.inf)
    reciprocal: DoubleArray = 1 / ranks
    return reciprocal


def recall(grades: IntArray, relevant: IntArray, *, k: int) -> DoubleArray:
    """Return the share of the relevant recipes, or of k if they are more, that the first k ranks hold.

    relevant: (requests,) how many there are.
    """
    found = np.count_nonzero(grades[:, :k], axis=1)
    wanted = np.minimum(relevant, k)
    shares: DoubleArray = np.divide(found, wanted, out=np.zeros(len(found)), where=wanted > 0)
    return shares


def hit(grades: IntArray) -> DoubleArray:
    """Return 1 where the first answer is relevant."""
    is_hit: DoubleArray = (grades[:, 0] > 0).astype(np.float64)
    return is_hit


def measures(grades: IntArray, ideal: IntArray, relevant: IntArray) -> dict[str, DoubleArray]:
    """Return every measure by its name."""
    return {
        f"ndcg@{MEASURED_RANK}": ndcg(grades, ideal, k=MEASURED_RANK),
        "mrr": reciprocal_rank(grades),
        f"recall@{RECALL_RANK}": recall(grades, relevant, k=RECALL_RANK),
        "hit@1": hit(grades),
    }
