"""Lists of words as arrays, for files. Floor 3: imports nothing of ours."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def packed(words: Iterable[str]) -> NDArray[np.uint8]:
    """Return words, none of which holds a line break, as bytes."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpacked(array: NDArray[np.uint8]) -> list[str]:
    """Return the words of such bytes."""
    return array.tobytes().decode().split("\n") if array.size else []
