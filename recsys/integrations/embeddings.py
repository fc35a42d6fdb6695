"""Texts to vectors by an OpenAI-compatible endpoint: for threads, while the event loop does the waiting. Floor 3."""

import asyncio
import math
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future

import msgspec
import numpy as np

from recsys.integrations.endpoint import OpenAIEndpoint
from recsys.integrations.errors import IntegrationError, UnusableAnswer
from recsys.recommender.arrays import FloatArray
from recsys.recommender.embedding import DIMENSIONS, PASSAGE_VERSION, capped
from recsys.recommender.errors import EmbeddingUnavailable

TEXTS_A_CALL = 64
QUERY_SECONDS = 1.5  # a user waits; without a vector the words answer
PASSAGES_SECONDS = 30.0
STOPPING = "the embeddings endpoint is not asked any more: the service is stopping"


class Embedding(msgspec.Struct, frozen=True):
    index: int
    embedding: list[float]


class Embeddings(msgspec.Struct, frozen=True):
    """What POST /embeddings answers, as far as it is read."""

    data: list[Embedding]


class OpenAIEmbedder:
    """An embedder behind the network. Its methods block: for threads, never for the loop itself.

    The endpoint is asked for 384 dimensions, which the index is made for; a model that cannot give them is refused.
    """

    def __init__(self, endpoint: OpenAIEndpoint, model: str, loop: asyncio.AbstractEventLoop) -> None:
        self.endpoint = endpoint
        self.model = model
        self.loop = loop
        self.texts_a_call = TEXTS_A_CALL
        self.asked: set[Future[list[FloatArray]]] = set()
        self.closed = threading.Event()
        self.fingerprint = endpoint_fingerprint(model)

    def query(self, text: str) -> FloatArray:
        """Return the vector of a request, (384,). Raises EmbeddingUnavailable."""
        return self.blocking([text], QUERY_SECONDS)[0]

    def passage(self, text: str) -> FloatArray:
        """Return the vector of a recipe's text, (384,). Raises EmbeddingUnavailable."""
        return self.passages([text])[0]

    def passages(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return the vectors of recipes' texts, asked for in batches. Raises EmbeddingUnavailable."""
        batches = (texts[start : start + TEXTS_A_CALL] for start in range(0, len(texts), TEXTS_A_CALL))
        return [vector for batch in batches for vector in self.blocking(batch, PASSAGES_SECONDS)]

    def blocking(self, texts: Sequence[str], seconds: float) -> list[FloatArray]:
        if self.closed.is_set():
            raise EmbeddingUnavailable(STOPPING)
        asked = asyncio.run_coroutine_threadsafe(self.embedded(texts, seconds), self.loop)
        self.asked.add(asked)
        if self.closed.is_set():  # since the first look
            asked.cancel()
        try:
            return asked.result()
        except IntegrationError as error:
            raise EmbeddingUnavailable(f"the embeddings endpoint cannot be used: {error}") from error
        except CancelledError as error:
            raise EmbeddingUnavailable(STOPPING) from error
        finally:
            self.asked.discard(asked)

    def close(self) -> None:
        """Let go of the threads that wait: a loop that waits for them cannot answer them."""
        self.closed.set()
        for asked in list(self.asked):
            asked.cancel()

    async def embedded(self, texts: Sequence[str], seconds: float) -> list[FloatArray]:
        """Return the vectors of at most a batch of texts, in their order. Raises IntegrationError."""
        # An empty text is refused by OpenAI's own endpoint.
        asked = [capped(text).strip() or "-" for text in texts]
        body = {"model": self.model, "input": asked, "dimensions": DIMENSIONS, "encoding_format": "float"}
        answer = await self.endpoint.post("/embeddings", body, Embeddings, seconds=seconds)
        found = sorted(answer.data, key=lambda item: item.index)
        if [item.index for item in found] != list(range(len(texts))):
            raise UnusableAnswer(f"found {len(found)} vectors for {len(texts)} texts")
        return [unit_vector(item.embedding) for item in found]


def endpoint_fingerprint(model: str) -> str:
    """Return what must be equal for two vectors to be compared, fit for a file's name."""
    name = "".join(character if character.isalnum() or character in "-." else "_" for character in model)
    return f"openai-{name}-{DIMENSIONS}-p{PASSAGE_VERSION}"


def unit_vector(numbers: Sequence[float]) -> FloatArray:
    """Return the vector at length 1. Raises UnusableAnswer if it has another dimension or no direction."""
    if len(numbers) != DIMENSIONS:
        raise UnusableAnswer(
            f"found vectors of {len(numbers)} dimensions, needed are {DIMENSIONS}: choose an EMBEDDING_MODEL that "
            "takes `dimensions`, such as text-embedding-3-small"
        )
    vector = np.array(numbers, dtype=np.float32)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not math.isfinite(length) or length < 1e-9:
        raise UnusableAnswer("found a vector without a direction")
    return (vector / np.float32(length)).astype(np.float32)
