"""The index of the recipes' vectors: its port, the one in this process, and a Qdrant server's. Floor 3."""

from recsys.recommender.index.collection import Collection
from recsys.recommender.index.embedded import EmbeddedIndex
from recsys.recommender.index.port import Allowed, Found, Outage, VectorIndex

__all__ = ["Allowed", "Collection", "EmbeddedIndex", "Found", "Outage", "VectorIndex"]
