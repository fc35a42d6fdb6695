"""The recipes of one moment with their search index, which later moments replace and never change. Floor 3."""

import os
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from projections.catalogue import StoredRecipe
from recsys.recommender.arrays import IntArray
from recsys.recommender.embedding import passage_text
from recsys.recommender.lexical import FORMAT_VERSION, LexicalIndex
from recsys.recommender.text import LANGUAGES
from recsys.recommender.vectors import KEY_BYTES, text_key


class Catalogue:
    """Recipes by row, their words, and the keys of their vectors. position: of the event that it stands at.

    language: (n,) each recipe's, as its place in LANGUAGES.
    """

    def __init__(self, recipes: Sequence[StoredRecipe], lexical: LexicalIndex, keys: Sequence[bytes]) -> None:
        self.recipes = recipes
        self.lexical = lexical
        self.keys = keys
        self.rows = {recipe.recipe_id: row for row, recipe in enumerate(recipes)}
        self.language = languages_of(recipes)
        self.position = max((recipe.position for recipe in recipes), default=0)

    @classmethod
    def prepare(cls, stored: Iterable[StoredRecipe], cache_folder: Path) -> "Catalogue":
        """Return the catalogue of the recipes; its index from the cache if it was built before. CPU: for a thread."""
        recipes = sorted(stored, key=lambda recipe: recipe.recipe_id)
        path = cache_folder / f"index-{digest(recipes)}.npz"
        cached = load_index(path)
        if cached:
            return cls(recipes, *cached)
        decoded = [recipe.decode() for recipe in recipes]
        lexical = LexicalIndex.build(decoded)
        keys = [text_key(passage_text(recipe)) for recipe in decoded]
        save_index(path, lexical, keys)
        return cls(recipes, lexical, keys)

    def with_changes(self, changed: Iterable[StoredRecipe]) -> list[StoredRecipe]:
        """Return the recipes after these have been stored."""
        return list({recipe.recipe_id: recipe for recipe in (*self.recipes, *changed)}.values())


def languages_of(recipes: Sequence[StoredRecipe]) -> IntArray:
    return np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32)


def digest(recipes: Sequence[StoredRecipe]) -> str:
    """Return what an index is bound to: its format, and the recipes in their order."""
    content = "\n".join(f"{recipe.recipe_id} {recipe.content_hash}" for recipe in recipes)
    return sha256(f"{FORMAT_VERSION}\n{content}".encode()).hexdigest()[:16]


def save_index(path: Path, lexical: LexicalIndex, keys: Sequence[bytes]) -> None:
    """Write the index and the keys to a file, and drop those of former catalogues. A full disk only costs the time."""
    temporary = path.with_suffix(f".{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, keys=np.frombuffer(b"".join(keys), dtype=np.uint8), **lexical.arrays())
        for former in path.parent.glob("index-*"):
            if former != temporary:
                former.unlink(missing_ok=True)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)


def load_index(path: Path) -> tuple[LexicalIndex, list[bytes]] | None:
    """Return the index and the keys of a file; None if it is not there or damaged."""
    try:
        with path.open("rb") as content_file, np.load(content_file, allow_pickle=False) as file:
            content = file["keys"].tobytes()
            keys = [content[at : at + KEY_BYTES] for at in range(0, len(content), KEY_BYTES)]
            return LexicalIndex.of_arrays(file), keys
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None
