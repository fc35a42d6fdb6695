"""The port of the vector index: what an index of the recipes' vectors can do. Floor 3."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.filters import Bounds
from recsys.recommender.index.collection import Collection


@dataclass(frozen=True)
class Allowed:
    """Which recipes may be found. rows: (n,) by row. bounds: the same as rules, for an index that filters by itself."""

    rows: BoolArray
    bounds: Bounds


class Found(NamedTuple):
    """The nearest recipes, the nearest first. rows: (m,) of the collection. cosines: (m,)."""

    rows: IntArray
    cosines: FloatArray


class Outage(NamedTuple):
    """A part that cannot be used. name: for `degradado`; since: microseconds since the epoch; reason: in words."""

    name: str
    since: int
    reason: str


class VectorIndex(Protocol):
    """Finds the recipes whose vectors are nearest to a request's. Used from several threads."""

    @property
    def outage(self) -> Outage | None:
        """What answers do without at present."""
        ...

    def search(self, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed) -> Found:
        """Return the `k` nearest recipes that are allowed and have a vector, or all if there are fewer.

        vector: (384,), of length 1. Of a collection that the index has not been brought to yet, some may be missed.
        """
        ...

    def advance(self, collection: Collection) -> int:
        """Do a part of the work that brings the index to the collection; return how many recipes are left.

        Each recipe is taken up once, and those no longer in the collection are dropped. Blocks for less than a second:
        for a thread in the background, one at a time.
        """
        ...
