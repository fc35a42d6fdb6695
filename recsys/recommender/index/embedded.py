"""The vector index in this process: exact while it is small, a graph of neighbours (HNSW) beyond. Floor 3."""

from pathlib import Path

import numpy as np

from recsys.recommender.arrays import BoolArray, FloatArray
from recsys.recommender.index.collection import NO_ROW, Collection
from recsys.recommender.index.exact import best_of, nearest
from recsys.recommender.index.graph import Graph
from recsys.recommender.index.port import Allowed, Found, Outage

# bench/scale.py: an exact search takes 4 ms here; the graph 0.5 ms, but 0.2 ms a recipe to build and a file to keep.
GRAPH_FROM = 30_000
# What a recipe costs to look at, in microseconds: one by one, and along the graph, where each found one costs more.
EXACT_COST, GRAPH_COST = 0.2, 4.0
# Found along the graph are as many more as the filter leaves out, and some for its being uneven.
SPARE = 1.5


class EmbeddedIndex:
    """An index over the vectors in memory; the graph is kept in a file of the cache folder."""

    outage: Outage | None = None

    def __init__(self, folder: Path, fingerprint: str, *, graph_from: int = GRAPH_FROM) -> None:
        self.graph = Graph(folder / f"graph-{fingerprint}.hnsw")
        self.graph_from = graph_from

    def search(self, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed) -> Found:
        eligible = allowed.rows & collection.vectors.known
        count = int(np.count_nonzero(eligible))
        wanted = int(SPARE * k * len(collection) / max(count, 1))
        if len(collection) >= self.graph_from and wanted * GRAPH_COST < count * EXACT_COST:
            found = self.along_graph(collection, vector, k=k, wanted=wanted, eligible=eligible)
            if found is not None and len(found.rows) == k:
                return found
        return nearest(collection.vectors, vector, k=k, eligible=eligible)

    def along_graph(
        self, collection: Collection, vector: FloatArray, *, k: int, wanted: int, eligible: BoolArray
    ) -> Found | None:
        """Return the nearest by the graph and, one by one, of the rows that it lacks; None if it lacks too many."""
        is_indexed = self.graph.indexed(collection)
        missing = np.flatnonzero(eligible & ~is_indexed)
        if len(missing) > self.graph_from:
            return None
        rows = collection.rows_of(self.graph.nearest(vector, wanted))
        rows = rows[rows != NO_ROW]
        rows = np.union1d(rows[eligible[rows]], missing).astype(np.int32)
        return best_of(rows, collection.vectors.cosines(vector, rows), k=k)

    def advance(self, collection: Collection) -> int:
        return self.graph.advance(collection) if len(collection) >= self.graph_from else 0
