"""The vector index that the settings ask for. Floor 3."""

from functools import partial
from pathlib import Path

from recsys.config import Settings
from recsys.recommender.index.embedded import EmbeddedIndex
from recsys.recommender.index.guarded import GuardedIndex
from recsys.recommender.index.port import VectorIndex
from recsys.recommender.index.qdrant import QdrantIndex, connect


def chosen_index(settings: Settings, folder: Path, fingerprint: str) -> VectorIndex:
    """Return the index in this process, kept in `folder`; before it a Qdrant server, if one is named."""
    embedded = EmbeddedIndex(folder, fingerprint)
    url = qdrant_url(settings)
    if not url:
        return embedded
    make_client = partial(connect, url, settings.qdrant_api_key)
    return GuardedIndex(partial(QdrantIndex, make_client, name=f"recipes-{fingerprint}"), embedded, name="qdrant")


def qdrant_url(settings: Settings) -> str:
    """Return where the server is; "" if none is named."""
    host = settings.qdrant_host
    return settings.qdrant_url or (f"http://{host}:{settings.qdrant_port}" if host else "")
