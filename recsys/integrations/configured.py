"""What the settings name of others' services: a translator and an embedding model, or neither. Floor 3."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from events.store import EventStore
from recsys.config import Settings
from recsys.integrations.chat import ChatTranslator
from recsys.integrations.embeddings import OpenAIEmbedder
from recsys.integrations.endpoint import OpenAIEndpoint
from recsys.integrations.errors import IntegrationError
from recsys.logging import mlops_logger
from recsys.recommender.embedding import E5, Embedder
from recsys.recommender.translation import Translations

PROBE_SECONDS = 5.0  # at the start: an endpoint that takes longer is no help to requests


@dataclass(frozen=True, kw_only=True)
class Integrations:
    """embedder: None for the shipped model. translations: None where no model is named. `run()` beside the requests."""

    embedder: OpenAIEmbedder | None = None
    translations: Translations | None = None

    @property
    def vectors_fingerprint(self) -> str:
        return self.embedder.fingerprint if self.embedder else ""

    def make_embedder(self) -> Embedder:
        """Return an embedder. Raises EmbeddingUnavailable."""
        return self.embedder or E5()

    async def run(self) -> None:
        """Do what goes on beside the requests, until cancelled or done."""
        if self.translations:
            await self.translations.run()

    def close(self) -> None:
        """Let go of the threads that wait for an endpoint."""
        if self.embedder:
            self.embedder.close()


@asynccontextmanager
async def open_integrations(settings: Settings, store: EventStore) -> AsyncIterator[Integrations]:
    """Yield what the settings name; where the embeddings endpoint does not answer, the shipped model instead."""
    # Each its own: a chat model that fails must not close the way to the embeddings.
    embeddings, chat = (OpenAIEndpoint(settings.openai_base_url, settings.openai_api_key) for _ in range(2))
    try:
        named = embedder_of(settings, embeddings)
        embedder = named if named and await answers(named) else None
        translator = ChatTranslator(chat, settings.llm_model) if settings.llm_model else None
        yield Integrations(
            embedder=embedder,
            translations=Translations(translator, store) if translator else None,
        )
    finally:
        await embeddings.close()
        await chat.close()


def embedder_of(settings: Settings, endpoint: OpenAIEndpoint) -> OpenAIEmbedder | None:
    if not settings.embedding_model:
        return None
    return OpenAIEmbedder(endpoint, settings.embedding_model, asyncio.get_running_loop())


async def answers(embedder: OpenAIEmbedder) -> bool:
    """Whether the endpoint gives vectors that the index can hold."""
    try:
        await embedder.embedded(["pan"], PROBE_SECONDS)
    except IntegrationError as error:
        mlops_logger.warning("EMBEDDING_MODEL %s cannot be used, the shipped one is: %s", embedder.model, error)
        return False
    return True
