"""What a vector index holds at one moment: each recipe's key, vector, and facts to filter by. Floor 3."""

from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projections.catalogue import StoredRecipe
from recsys.recommender.arrays import BoolArray, IntArray
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.text import LANGUAGES
from recsys.recommender.vectors import Vectors

Keys = NDArray[np.uint64]
NO_ROW = -1


class Collection:
    """The recipes of a catalogue with their vectors.

    keys: (n,) one for each recipe of one content, for ever. lexicon: the digest of the one that the facts are by.
    """

    def __init__(self, catalogue: Catalogue, vectors: Vectors) -> None:
        self.catalogue = catalogue
        self.vectors = vectors
        self.keys = recipe_keys(catalogue.recipes)
        self.lexicon = catalogue.knowledge.lexicon.digest

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def by_key(self) -> NDArray[np.int64]:
        return np.argsort(self.keys)

    def rows_of(self, keys: Keys) -> IntArray:
        """Return the rows of the keys, NO_ROW where the collection has none."""
        if not len(self):
            return np.full(len(keys), NO_ROW, dtype=np.int32)
        places = np.minimum(np.searchsorted(self.keys, keys, sorter=self.by_key), len(self) - 1)
        rows = self.by_key[places]
        return np.where(self.keys[rows] == keys, rows, NO_ROW).astype(np.int32)

    def holds(self, keys: Keys) -> BoolArray:
        """Return whether each of the keys is of a recipe that has a vector."""
        rows = self.rows_of(keys)
        found: BoolArray = rows != NO_ROW
        found[found] = self.vectors.known[rows[found]]
        return found

    def facts(self, row: int) -> dict[str, Any]:
        """Return what a recipe can be filtered by, for an index that filters by itself."""
        catalogue = self.catalogue
        readings = catalogue.index.readings
        return {
            "lexicon": self.lexicon,
            "recipe_id": catalogue.recipes[row].recipe_id,
            "language": LANGUAGES[catalogue.language[row]],
            "minutes": int(catalogue.contents.minutes[row]),
            "lines": int(catalogue.contents.line_counts[row]),
            "contains": readings.in_field(row, "held"),
            "tags": readings.in_field(row, "tagged"),
        }


def recipe_keys(recipes: Iterable[StoredRecipe]) -> Keys:
    """Return 63 bits of a hash for each recipe: the highest number is not free to use in every index."""
    digests = (sha256(f"{recipe.recipe_id} {recipe.content_hash}".encode()).digest()[:8] for recipe in recipes)
    keys: Keys = np.frombuffer(b"".join(digests), dtype=np.uint64) >> np.uint64(1)
    return keys
