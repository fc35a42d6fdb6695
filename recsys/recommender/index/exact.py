"""The nearest vectors by comparing with each: exact, and quick while there are some ten thousand. Floor 3; pure."""

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.index.port import Found
from recsys.recommender.vectors import Vectors

# Of all rows a larger share is read in order, at half the time a row.
SCATTERED_SHARE_MAX = 0.5


def nearest(vectors: Vectors, vector: FloatArray, *, k: int, eligible: BoolArray) -> Found:
    """Return the `k` nearest of the eligible rows."""
    rows = np.flatnonzero(eligible).astype(np.int32)
    if len(rows) > SCATTERED_SHARE_MAX * len(vectors):
        cosines = vectors.cosines(vector)[rows]
    else:
        cosines = vectors.cosines(vector, rows)
    return best_of(rows, cosines, k=k)


def best_of(rows: IntArray, cosines: FloatArray, *, k: int) -> Found:
    """Return the `k` of the rows with the highest cosines, the highest first, and of equal ones the first row."""
    if len(rows) > k:
        chosen = np.argpartition(-cosines, k)[:k]
        rows, cosines = rows[chosen], cosines[chosen]
    order = np.lexsort((rows, -cosines))
    return Found(rows[order], cosines[order])
