"""Diversity: of near-duplicates one comes first and the others later. Floor 3; pure."""

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray

# Cosines of this model are 0.75 to 0.9 between any two recipes and about 0.97 between two of one dish.
ALIKE_FROM = 0.94
CONSIDERED = 50


def diversified(
    order: IntArray, scores: FloatArray, vectors: FloatArray, has_vector: BoolArray, *, loss: float, n: int
) -> IntArray:
    """Return the first `n` of `order`, each chosen by its score less `loss` times its likeness to those before it.

    Maximal marginal relevance (Carbonell & Goldstein 1998), with likeness 0 below a cosine of 0.94 and 1 at 1.
    order: (k,) places, best first. scores: (k,). vectors: (k, d) of length 1, of use where has_vector, (k,).
    """
    places = order[: max(CONSIDERED, n)]
    if not loss or len(places) <= 1 or n <= 1:
        return places[:n]
    left = scores[places].astype(np.float32)
    likeness = np.zeros(len(places), dtype=np.float32)
    chosen: list[int] = []
    while len(chosen) < min(n, len(places)):
        best = int((left - loss * likeness).argmax())
        chosen.append(best)
        left[best] = -np.inf
        if has_vector[places[best]]:
            cosine = np.vecdot(vectors[places], vectors[places[best]])
            alike = np.clip((cosine - ALIKE_FROM) / (1 - ALIKE_FROM), 0, 1) * has_vector[places]
            likeness = np.maximum(likeness, alike)
    return places[np.array(chosen, dtype=np.int64)]
