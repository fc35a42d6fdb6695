"""The recipes of one moment with their search index, which later moments replace and never change. Floor 3."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from events.catalog import Recipe
from projections.catalogue import StoredRecipe
from recsys.recommender.arrays import IntArray
from recsys.recommender.contents import Contents, Reader
from recsys.recommender.embedding import passage_text
from recsys.recommender.lexical import FORMAT_VERSION, LexicalIndex
from recsys.recommender.lexicon import Lexicon
from recsys.recommender.spelling import Speller
from recsys.recommender.text import LANGUAGES, words
from recsys.recommender.understanding import Knowledge
from recsys.recommender.vectors import KEY_BYTES, text_key


@dataclass(frozen=True)
class Index:
    """What is looked up: the recipes' words, contents and known spellings, and the keys of their vectors."""

    lexical: LexicalIndex
    contents: Contents
    speller: Speller
    keys: Sequence[bytes]

    @classmethod
    def build(cls, recipes: Sequence[Recipe], lexicon: Lexicon) -> "Index":
        """Return the index of the recipes; their order numbers the rows."""
        reader = Reader(lexicon)
        lexical = LexicalIndex.build(recipes, reader)
        return cls(
            lexical,
            Contents.build(recipes, reader),
            Speller.build(known_words(lexical, lexicon)),
            [text_key(passage_text(recipe)) for recipe in recipes],
        )


class Catalogue:
    """Recipes by row, with what is looked up in them. position: of the event that it stands at.

    language: (n,) each recipe's, as its place in LANGUAGES.
    """

    def __init__(self, recipes: Sequence[StoredRecipe], index: Index, lexicon: Lexicon) -> None:
        self.recipes = recipes
        self.lexical = index.lexical
        self.contents = index.contents
        self.keys = index.keys
        self.knowledge = Knowledge(lexicon, index.lexical, index.speller)
        self.rows = {recipe.recipe_id: row for row, recipe in enumerate(recipes)}
        self.language = languages_of(recipes)
        self.position = max((recipe.position for recipe in recipes), default=0)

    @classmethod
    def prepare(cls, stored: Iterable[StoredRecipe], lexicon: Lexicon, cache_folder: Path) -> "Catalogue":
        """Return the catalogue of the recipes; its index from the cache if it was built before. CPU: for a thread."""
        recipes = sorted(stored, key=lambda recipe: recipe.recipe_id)
        path = cache_folder / f"index-{digest(recipes, lexicon)}.npz"
        index = load_index(path)
        if index is None:
            index = Index.build([recipe.decode() for recipe in recipes], lexicon)
            save_index(path, index)
        return cls(recipes, index, lexicon)

    def with_changes(self, changed: Iterable[StoredRecipe]) -> list[StoredRecipe]:
        """Return the recipes after these have been stored."""
        return list({recipe.recipe_id: recipe for recipe in (*self.recipes, *changed)}.values())


def languages_of(recipes: Sequence[StoredRecipe]) -> IntArray:
    return np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32)


def known_words(lexical: LexicalIndex, lexicon: Lexicon) -> Counter[str]:
    """Return the words that are spelt right, with the number of recipes that have each."""
    found: Counter[str] = Counter()
    for language, vocabulary in zip(LANGUAGES, lexical.vocabularies, strict=True):
        for word in vocabulary:
            found[word] += lexical.count(word, language)
    for concept in lexicon.concepts.values():
        for names in concept.names.values():
            found.update({word: 1 for name in names for word in words(name)})
    return found


def digest(recipes: Sequence[StoredRecipe], lexicon: Lexicon) -> str:
    """Return what an index is bound to: its format, the lexicon, and the recipes in their order."""
    content = "\n".join(f"{recipe.recipe_id} {recipe.content_hash}" for recipe in recipes)
    return sha256(f"{FORMAT_VERSION} {lexicon.digest}\n{content}".encode()).hexdigest()[:16]


def save_index(path: Path, index: Index) -> None:
    """Write the index to a file, and drop those of former catalogues. A full disk only costs the time."""
    temporary = path.with_suffix(f".{os.getpid()}.new")
    keys = np.frombuffer(b"".join(index.keys), dtype=np.uint8)
    arrays = {**index.lexical.arrays(), **index.contents.arrays(), **index.speller.arrays()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, keys=keys, **arrays)
        for former in path.parent.glob("index-*"):
            if former != temporary:
                former.unlink(missing_ok=True)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)


def load_index(path: Path) -> Index | None:
    """Return the index of a file; None if it is not there or damaged."""
    try:
        with path.open("rb") as content_file, np.load(content_file, allow_pickle=False) as file:
            content = file["keys"].tobytes()
            keys = [content[at : at + KEY_BYTES] for at in range(0, len(content), KEY_BYTES)]
            return Index(LexicalIndex.of_arrays(file), Contents.of_arrays(file), Speller.of_arrays(file), keys)
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None
