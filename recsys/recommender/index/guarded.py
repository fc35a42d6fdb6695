"""A vector index elsewhere with the one in this process behind it, so that its failures are nobody's. Floor 3."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recsys.logging import mlops_logger
from recsys.recommender.arrays import FloatArray
from recsys.recommender.filters import Bounds
from recsys.recommender.index.collection import Collection
from recsys.recommender.index.port import Allowed, Found, Outage, VectorIndex
from recsys.recommender.limits import Limits
from recsys.recommender.options import Options

ANSWER_SECONDS = 0.05  # a server near by answers in 5 ms; one request waits for so long, the next ones not at all
RETRY_SECONDS = 15.0
EVERYTHING = Bounds(concepts=(), words=(), limits=Limits(), options=Options())
US_A_SECOND = 1_000_000


class GuardedIndex:
    """Asks a server while it holds the collection and answers in time, and the index behind it at all other times.

    The first failure or late answer closes it off; the background then tries again with a new connection, and only
    when the server has answered in time are requests put to it. make_server: makes a connection. clock: in seconds.
    """

    def __init__(
        self,
        make_server: Callable[[], VectorIndex],
        behind: VectorIndex,
        *,
        name: str,
        clock: Callable[[], float] = time.time,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.make_server = make_server
        self.behind = behind
        self.name = name
        self.clock = clock
        self.answer_seconds = answer_seconds
        self.server: VectorIndex | None = None
        self.ready: tuple[VectorIndex, Collection] | None = None
        self.retry_at = 0.0
        self.outage: Outage | None = None
        self.asking = ThreadPoolExecutor(2, thread_name_prefix=name)

    def search(self, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed) -> Found:
        ready = self.ready
        if ready is not None and ready[1] is collection:
            try:
                return self.ask(ready[0], collection, vector, k=k, allowed=allowed)
            except Exception as error:  # whatever it is, the answer comes from the index behind
                self.close_off(error)
        return self.behind.search(collection, vector, k=k, allowed=allowed)

    def ask(
        self, server: VectorIndex, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed
    ) -> Found:
        """Return the server's answer. Raises TimeoutError if it is late, and what the server raises."""
        asked = self.asking.submit(server.search, collection, vector, k=k, allowed=allowed)
        return asked.result(self.answer_seconds)

    def advance(self, collection: Collection) -> int:
        left = self.behind.advance(collection)
        if self.clock() < self.retry_at:
            return left
        try:
            self.server = self.server or self.make_server()
            waiting = self.server.advance(collection)
            if not waiting and (self.ready is None or self.ready[1] is not collection):
                self.try_out(self.server, collection)
        except Exception as error:  # as above
            self.close_off(error)
            return left
        return left + waiting

    def try_out(self, server: VectorIndex, collection: Collection) -> None:
        """Let requests go to the server if it answers in time; the first question only opens the connection."""
        everything = Allowed(np.ones(len(collection), dtype=bool), EVERYTHING)
        known = np.flatnonzero(collection.vectors.known)[:1].astype(np.int32)
        for vector in collection.vectors[known]:
            server.search(collection, vector, k=1, allowed=everything)
            self.ask(server, collection, vector, k=1, allowed=everything)
        self.ready = server, collection
        self.outage = None

    def close_off(self, error: Exception) -> None:
        """Put no more questions to the server until it has been tried out again."""
        self.server = self.ready = None
        self.retry_at = self.clock() + RETRY_SECONDS
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        if self.outage is None:
            mlops_logger.warning("%s cannot be used, the index in this process answers: %s", self.name, reason)
        since = self.outage.since if self.outage else int(self.clock() * US_A_SECOND)
        self.outage = Outage(f"{self.name}_unavailable", since, reason)
