"""The array types of the recommender, and sorting in linear time. Floor 3: imports nothing of ours."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]


def stable_order(numbers: IntArray) -> NDArray[np.int64]:
    """Return the order that sorts numbers >= 0, keeping that of equal ones.

    By their lower, then their upper halves: numpy sorts 16 bits in linear time, and 32 five times as slowly.
    """
    order = np.argsort((numbers & 0xFFFF).astype(np.uint16), kind="stable")
    return order[np.argsort((numbers[order] >> 16).astype(np.uint16), kind="stable")]
