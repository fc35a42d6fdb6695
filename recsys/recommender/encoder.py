"""The vectors of requests, kept, or none where the embedding engine cannot be used. Floor 3."""

from collections.abc import Callable
from queue import SimpleQueue

from recsys.recommender.arrays import FloatArray
from recsys.recommender.embedding import E5, Embedder
from recsys.recommender.errors import EmbeddingUnavailable
from recsys.recommender.lru import LruCache

VECTORS_KEPT = 4096


class QueryEncoder:
    """Embeds requests from several threads, each with an engine of its own for the time.

    problem: why it cannot at all, "" if it can. trouble: why it could not the last time, "" if it could.
    """

    def __init__(self, make_embedder: Callable[[], Embedder] = E5) -> None:
        self.make_embedder = make_embedder
        self.idle: SimpleQueue[Embedder] = SimpleQueue()
        self.kept: LruCache[str, FloatArray] = LruCache(VECTORS_KEPT)
        self.problem = ""
        self.trouble = ""

    def open(self, embedders: int) -> None:
        """Load that many engines; they share the model's memory. Blocks for 0.1 s: for a thread."""
        try:
            for _ in range(embedders):
                embedder = self.make_embedder()
                embedder.query("pan")  # the first one reads the model from the disk
                self.idle.put(embedder)
        except EmbeddingUnavailable as error:
            self.problem = str(error)

    def vector(self, text: str) -> FloatArray | None:
        """Return the vector of a request, (384,); None where it cannot be had. Blocks unless it was kept."""
        if self.problem:
            return None
        kept = self.kept.get(text)
        if kept is None:
            embedder = self.idle.get()
            try:
                kept = embedder.query(text)
            except EmbeddingUnavailable as error:
                self.trouble = str(error)
                return None
            finally:
                self.idle.put(embedder)
            self.trouble = ""
            self.kept.put(text, kept)
        return kept
