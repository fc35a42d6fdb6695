"""The vector index of a Qdrant server, through qdrant-client: a collection for each model. Floor 3.

qdrant_client is imported where it is used: without a server configured, no one waits for its second of imports.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.recommender.arrays import FloatArray
from recsys.recommender.embedding import DIMENSIONS
from recsys.recommender.filters import Bounds
from recsys.recommender.index.collection import NO_ROW, Collection
from recsys.recommender.index.port import Allowed, Found, Outage
from recsys.recommender.options import folded_tags

if TYPE_CHECKING:
    from qdrant_client import QdrantClient
    from qdrant_client.models import FieldCondition, Filter

TURN = 256  # recipes sent or dropped at once
PAGE = 10_000  # keys read at once
TIMEOUT_SECONDS = 5
# Words that the lexicon does not know are not among a recipe's facts: more are asked for, and these left out here.
SPARE_FOR_WORDS = 4
FACTS = {"contains": "keyword", "tags": "keyword", "language": "keyword", "minutes": "integer", "lines": "integer"}


def connect(url: str, api_key: str) -> "QdrantClient":
    """Return a client of the server. Nothing is asked of it yet."""
    from qdrant_client import QdrantClient

    return QdrantClient(url=url, api_key=api_key or None, timeout=TIMEOUT_SECONDS, check_compatibility=False)


class QdrantIndex:
    """An index in a collection of a Qdrant server. Every method raises what the client raises.

    connect: makes the client when it is first needed. name: of the collection. held: the keys that the server holds,
    each with the lexicon that its facts are by; None until they are read.
    """

    outage: Outage | None = None

    def __init__(self, connect: "Callable[[], QdrantClient]", *, name: str) -> None:
        self.connect = connect
        self.name = name
        self.opened: QdrantClient | None = None
        self.held: dict[int, str] | None = None
        self.done: tuple[Collection, int] | None = None

    @property
    def client(self) -> "QdrantClient":
        self.opened = self.opened or self.connect()
        return self.opened

    def search(self, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed) -> Found:
        answer = self.client.query_points(
            self.name,
            query=vector.tolist(),
            query_filter=filter_of(allowed.bounds),
            limit=k * SPARE_FOR_WORDS if allowed.bounds.words else k,
            with_payload=False,
        )
        keys = np.array([point.id for point in answer.points], dtype=np.uint64)
        cosines = np.array([point.score for point in answer.points], dtype=np.float32)
        rows = collection.rows_of(keys)
        is_right = rows != NO_ROW
        is_right[is_right] = allowed.rows[rows[is_right]]
        return Found(rows[is_right][:k], cosines[is_right][:k])

    def advance(self, collection: Collection) -> int:
        goal = collection, int(np.count_nonzero(collection.vectors.known))
        if goal == self.done:
            return 0
        if self.held is None:
            self.make_collection()
            self.held = dict(self.read_held())
        held = np.fromiter(self.held, dtype=np.uint64, count=len(self.held))
        right = [key for key, lexicon in self.held.items() if lexicon == collection.lexicon]
        gone = held[~collection.holds(held)].tolist()
        waiting = np.flatnonzero(
            collection.vectors.known & ~np.isin(collection.keys, np.array(right, dtype=np.uint64))
        ).tolist()
        if gone:
            self.client.delete(self.name, points_selector=gone[:TURN], wait=True)
            for key in gone[:TURN]:
                del self.held[key]
        if waiting:
            self.upload(collection, waiting[:TURN])
        left = max(len(gone) - TURN, 0) + max(len(waiting) - TURN, 0)
        self.done = None if left else goal
        return left

    def upload(self, collection: Collection, rows: Sequence[int]) -> None:
        from qdrant_client.models import PointStruct

        assert self.held is not None
        keys = collection.keys[rows].tolist()
        vectors = collection.vectors[np.array(rows, dtype=np.int32)].tolist()
        points = [
            PointStruct(id=key, vector=vector, payload=collection.facts(row))
            for key, vector, row in zip(keys, vectors, rows, strict=True)
        ]
        self.client.upsert(self.name, points=points, wait=True)
        self.held.update(dict.fromkeys(keys, collection.lexicon))

    def make_collection(self) -> None:
        from qdrant_client.models import Distance, PayloadSchemaType, VectorParams

        if not self.client.collection_exists(self.name):
            self.client.create_collection(self.name, VectorParams(size=DIMENSIONS, distance=Distance.COSINE))
            for fact, kind in FACTS.items():
                self.client.create_payload_index(self.name, fact, PayloadSchemaType(kind))

    def read_held(self) -> Iterator[tuple[int, str]]:
        """Yield the keys of all that the server holds, each with the lexicon of its facts."""
        offset: Any = None
        while True:
            page, offset = self.client.scroll(
                self.name, limit=PAGE, offset=offset, with_payload=["lexicon"], with_vectors=False
            )
            yield from ((int(point.id), str((point.payload or {}).get("lexicon"))) for point in page)
            if offset is None:
                return


def filter_of(bounds: Bounds) -> "Filter":
    """Return the bounds as the server's filter, all but words that the lexicon does not know."""
    from qdrant_client.models import Filter

    return Filter(must=list(required(bounds)), must_not=list(forbidden(bounds)))


def required(bounds: Bounds) -> "Iterator[FieldCondition]":
    from qdrant_client.models import FieldCondition, MatchValue, Range

    limits, options = bounds.limits, bounds.options
    if limits.minutes_max is not None:
        yield FieldCondition(key="minutes", range=Range(lte=limits.minutes_max))
    if options.max_minutes is not None:
        yield FieldCondition(key="minutes", range=Range(gte=0, lte=options.max_minutes))
    for most in (limits.ingredients_max, options.max_ingredients):
        if most is not None:
            yield FieldCondition(key="lines", range=Range(lte=most))
    if options.language:
        yield FieldCondition(key="language", match=MatchValue(value=options.language))
    for tag in folded_tags(options.tags):
        yield FieldCondition(key="tags", match=MatchValue(value=tag))


def forbidden(bounds: Bounds) -> "Iterator[FieldCondition]":
    from qdrant_client.models import FieldCondition, MatchAny

    if bounds.concepts:
        yield FieldCondition(key="contains", match=MatchAny(any=list(bounds.concepts)))
