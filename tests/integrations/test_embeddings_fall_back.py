"""Vectors come from the named endpoint in batches; where it cannot give them, the shipped model or the words do."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from events.sqlite import SqliteEventStore
from recsys.config import Settings
from recsys.integrations.configured import open_integrations
from recsys.integrations.embeddings import TEXTS_A_CALL, OpenAIEmbedder
from recsys.integrations.endpoint import OpenAIEndpoint
from recsys.recommender.embedding import BatchEmbedder, Embedder
from recsys.recommender.encoder import QueryEncoder
from recsys.recommender.errors import EmbeddingUnavailable
from tests.integrations.harness import (
    DIMENSIONS,
    FakeEndpoint,
    closed_address,
    embeddings,
    json,
    never,
    status,
    text,
)

MODEL = "text-embedding-3-small"


@pytest.fixture
async def embedder(endpoint: OpenAIEndpoint) -> OpenAIEmbedder:
    return OpenAIEmbedder(endpoint, MODEL, asyncio.get_running_loop())


async def test_vectors_are_of_length_one_in_the_texts_order(fake: FakeEndpoint, embedder: OpenAIEmbedder) -> None:
    """The order of the answer does not matter, its indices do."""
    fake.replies = [embeddings]
    short, long = await asyncio.to_thread(embedder.passages, ["sopa", "sopa de ajo con huevo"])
    assert short.shape == long.shape == (DIMENSIONS,)
    assert np.linalg.norm(short) == pytest.approx(1, abs=1e-6)
    assert short[0] / short[1] == pytest.approx(4)
    assert long[0] / long[1] == pytest.approx(21)
    assert fake.asked[0]["dimensions"] == DIMENSIONS
    assert fake.asked[0]["model"] == MODEL


async def test_many_texts_go_in_batches(fake: FakeEndpoint, embedder: OpenAIEmbedder) -> None:
    """So many texts a call, no more."""
    fake.replies = [embeddings]
    vectors = await asyncio.to_thread(embedder.passages, ["pan"] * (TEXTS_A_CALL * 2 + 1))
    assert len(vectors) == TEXTS_A_CALL * 2 + 1
    assert [len(asked["input"]) for asked in fake.asked] == [TEXTS_A_CALL, TEXTS_A_CALL, 1]


async def test_it_is_an_embedder(embedder: OpenAIEmbedder) -> None:
    """The recommender takes it as it takes the shipped one, and knows that it takes many texts at once."""
    taken: Embedder = embedder
    assert isinstance(taken, BatchEmbedder)
    assert taken.fingerprint == f"openai-{MODEL}-{DIMENSIONS}-p1"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda body: embeddings(body, dimensions=1536), "1536 dimensions"),
        (json({"data": []}), "0 vectors for 1 texts"),
        (json({"data": [{"index": 0, "embedding": [0.0] * DIMENSIONS}]}), "without a direction"),
        (text('{"data": [{"index": 0, "embedding": [NaN]}]}'), "protocol"),
        (status(429), "429"),
        (status(500), "500"),
    ],
)
async def test_unusable_vectors_are_an_error(
    fake: FakeEndpoint, embedder: OpenAIEmbedder, reply: object, reason: str
) -> None:
    """A wrong dimension, a broken answer or a busy endpoint is told as EmbeddingUnavailable."""
    fake.replies = [reply]  # type: ignore[list-item]  # one of the harness's replies
    with pytest.raises(EmbeddingUnavailable, match=reason):
        await asyncio.to_thread(embedder.query, "pan")


async def test_a_request_without_a_vector_is_answered_by_words(fake: FakeEndpoint, embedder: OpenAIEmbedder) -> None:
    """The encoder gives no vector and says so, and has vectors again as soon as the endpoint answers."""
    fake.replies = [embeddings, text("no"), embeddings]
    encoder = QueryEncoder(lambda: embedder)
    await asyncio.to_thread(encoder.open, 1)
    assert await asyncio.to_thread(encoder.vector, "sopa") is None
    assert encoder.trouble
    assert await asyncio.to_thread(encoder.vector, "sopa") is not None
    assert not encoder.trouble


async def test_closing_lets_go_of_waiting_threads(fake: FakeEndpoint, embedder: OpenAIEmbedder) -> None:
    """A thread that waits for the endpoint is let go, and later calls are refused."""
    fake.replies = [never]
    waiting = asyncio.create_task(asyncio.to_thread(embedder.passage, "pan"))
    while not fake.asked:  # noqa: ASYNC110 - the fake endpoint tells nobody
        await asyncio.sleep(0)
    embedder.close()
    with pytest.raises(EmbeddingUnavailable, match="stopping"):
        await waiting
    with pytest.raises(EmbeddingUnavailable, match="stopping"):
        await asyncio.to_thread(embedder.query, "pan")


async def test_nothing_is_sent_unless_a_model_is_named(fake: FakeEndpoint, tmp_path: Path) -> None:
    """A key and an address alone send nothing."""
    settings = Settings(openai_api_key="sk-1", openai_base_url=fake.address)
    async with (
        await SqliteEventStore.open(tmp_path / "log.db") as store,
        open_integrations(settings, store) as integrations,
    ):
        assert (integrations.embedder, integrations.translations) == (None, None)
    assert not fake.asked


@pytest.mark.parametrize("reply", [text("{"), status(503), lambda body: embeddings(body, dimensions=3)])
async def test_the_shipped_model_stands_in(
    fake: FakeEndpoint, tmp_path: Path, reply: object, caplog: pytest.LogCaptureFixture
) -> None:
    """An endpoint that gives no vectors at the start leaves the shipped model in place, and the log says why."""
    fake.replies = [reply]  # type: ignore[list-item]  # one of the harness's replies
    settings = Settings(openai_base_url=fake.address, embedding_model=MODEL)
    async with (
        await SqliteEventStore.open(tmp_path / "log.db") as store,
        open_integrations(settings, store) as integrations,
    ):
        assert integrations.vectors_fingerprint == ""
    assert "the shipped one is" in caplog.text


async def test_a_dead_endpoint_leaves_the_shipped_model(tmp_path: Path) -> None:
    """Where nothing listens, the service starts all the same."""
    settings = Settings(openai_base_url=closed_address(), embedding_model=MODEL)
    async with (
        await SqliteEventStore.open(tmp_path / "log.db") as store,
        open_integrations(settings, store) as integrations,
    ):
        assert integrations.embedder is None


async def test_a_named_model_is_used(fake: FakeEndpoint, tmp_path: Path) -> None:
    """With a model and an endpoint that answers, its vectors are the ones."""
    fake.replies = [embeddings]
    settings = Settings(openai_base_url=fake.address, embedding_model=MODEL)
    async with (
        await SqliteEventStore.open(tmp_path / "log.db") as store,
        open_integrations(settings, store) as integrations,
    ):
        assert integrations.make_embedder() is integrations.embedder
        assert MODEL in integrations.vectors_fingerprint
