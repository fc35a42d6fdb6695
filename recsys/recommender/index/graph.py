"""A graph of neighbouring vectors (HNSW) by usearch, in memory and in one file, by the recipes' keys. Floor 3."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray
from recsys.recommender.embedding import DIMENSIONS
from recsys.recommender.index.collection import Collection, Keys
from recsys.recommender.vectors import quantised

CHECKSUM_BYTES = 4
ADDED_A_TURN = 2048  # a turn takes less than a second
ADDED_AT_ONCE = 16  # a search waits for so many at most: 5 ms
KEPT_EVERY = 20_480  # recipes: an unclean end costs at most the seconds that these take
SEARCHED_MIN = 128  # neighbours looked at: with 64, the hundredth is missed too often
NO_KEYS: Keys = np.zeros(0, dtype=np.uint64)


class Graph:
    """The neighbours of the vectors. Without usearch it stays empty. Used by several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.index: Any = None
        self.is_open = False
        self.unkept = 0
        self.seen: tuple[Collection, BoolArray] | None = None
        self.done: tuple[Collection, int] | None = None

    def nearest(self, vector: FloatArray, count: int) -> Keys:
        """Return the keys of some `count` nearest vectors, almost surely the nearest."""
        with self.lock:
            if self.index is None:
                return NO_KEYS
            self.index.expansion_search = max(count, SEARCHED_MIN)
            found: Keys = self.index.search(quantised(vector), count, threads=1).keys
            return found

    def indexed(self, collection: Collection) -> BoolArray:
        """Return whether each recipe of the collection is in the graph, (n,). The first call reads the file."""
        seen = self.seen
        if seen is None or seen[0] is not collection:
            with self.lock:
                self.open()
                seen = self.seen = collection, np.isin(collection.keys, self.keys())
        return seen[1]

    def keys(self) -> Keys:
        found: Keys = self.index.keys[:] if self.index is not None and len(self.index) else NO_KEYS
        return found

    def advance(self, collection: Collection) -> int:
        """Drop what is gone and add some of what is new; return how many are left to add."""
        goal = collection, int(np.count_nonzero(collection.vectors.known))
        is_indexed = self.indexed(collection)
        if self.index is None or goal == self.done:
            return 0
        self.drop(self.keys(), collection)
        waiting = np.flatnonzero(collection.vectors.known & ~is_indexed)
        for start in range(0, len(waiting[:ADDED_A_TURN]), ADDED_AT_ONCE):
            rows = waiting[start : min(start + ADDED_AT_ONCE, ADDED_A_TURN)]
            with self.lock:
                self.index.add(collection.keys[rows], collection.vectors.eighths[rows], threads=1)
            is_indexed[rows] = True
            self.unkept += len(rows)
        left = max(len(waiting) - ADDED_A_TURN, 0)
        is_whole = goal[1] == len(collection)
        if self.unkept >= KEPT_EVERY or (self.unkept and is_whole and not left):
            self.keep()
        self.done = None if left else goal
        return left

    def drop(self, keys: Keys, collection: Collection) -> None:
        gone = keys[~collection.holds(keys)]
        for start in range(0, len(gone), ADDED_AT_ONCE):
            with self.lock:
                self.index.remove(gone[start : start + ADDED_AT_ONCE], threads=1)
        self.unkept += len(gone)

    def open(self) -> None:
        """Read the graph from its file, or begin a new one if that is not there or damaged."""
        if self.is_open:
            return
        self.is_open = True
        try:
            from usearch.index import Index  # only now: most catalogues are small and need none
        except ImportError:
            return
        self.index = Index(ndim=DIMENSIONS, metric="cos", dtype="i8")
        with suppress(OSError):
            content = self.path.read_bytes()
            checksum = int.from_bytes(content[-CHECKSUM_BYTES:], "little")
            if crc32(content[:-CHECKSUM_BYTES]) == checksum:
                self.index.load(content[:-CHECKSUM_BYTES])

    def keep(self) -> None:
        """Write the graph to its file. A full disk costs the next start its time, nothing else."""
        with self.lock:
            content = bytes(self.index.save())
        self.unkept = 0
        temporary = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.write(crc32(content).to_bytes(CHECKSUM_BYTES, "little"))
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
