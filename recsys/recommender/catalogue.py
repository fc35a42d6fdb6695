"""The recipes of one moment with their search index, which later moments replace and never change. Floor 3."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from projections.catalogue import StoredRecipe
from recsys.recommender.arrays import IntArray
from recsys.recommender.contents import Contents, Postings, Reader
from recsys.recommender.embedding import passage_text
from recsys.recommender.lexical import FORMAT_VERSION, LexicalIndex
from recsys.recommender.lexicon import Lexicon
from recsys.recommender.packing import map_arrays, write_arrays
from recsys.recommender.readings import CONCEPT, FIELDS, TAG, Readings
from recsys.recommender.spelling import Speller
from recsys.recommender.text import ALL_STOP_WORDS, LANGUAGES, words
from recsys.recommender.understanding import Knowledge
from recsys.recommender.vectors import KEY_BYTES, text_key

STOP_WORD_COUNT = 100  # of "with" or "quiero", which are rarer in recipes than in requests


@dataclass(frozen=True)
class Index:
    """What is looked up: what was read in the recipes, and from it their words, contents and known spellings.

    keys: of the recipes' vectors.
    """

    readings: Readings
    lexical: LexicalIndex
    contents: Contents
    speller: Speller
    keys: Sequence[bytes]

    @classmethod
    def build(cls, recipes: Sequence[StoredRecipe], lexicon: Lexicon, former: "Index | None" = None) -> "Index":
        """Return the index of the recipes; their order numbers the rows. What `former` has read is taken over."""
        readings = Readings.of(recipes, Reader(lexicon), former.readings if former else None)
        lexical = LexicalIndex.build(readings)
        return cls(
            readings,
            lexical,
            contents_of(readings, lexicon),
            Speller.build(known_words(readings, lexicon)),
            vector_keys(recipes, former),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the index as arrays, for a file."""
        keys = np.frombuffer(b"".join(self.keys), dtype=np.uint8)
        parts = (self.readings, self.lexical, self.contents, self.speller)
        return {"keys": keys} | {name: array for part in parts for name, array in part.arrays().items()}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Index":
        """Return the index of such arrays. Raises KeyError if one is missing."""
        content = arrays["keys"].tobytes()
        return cls(
            Readings.of_arrays(arrays),
            LexicalIndex.of_arrays(arrays),
            Contents.of_arrays(arrays),
            Speller.of_arrays(arrays),
            [content[at : at + KEY_BYTES] for at in range(0, len(content), KEY_BYTES)],
        )


class Catalogue:
    """Recipes by row, with what is looked up in them. position: of the event that it stands at.

    language: (n,) each recipe's, as its place in LANGUAGES.
    """

    def __init__(self, recipes: Sequence[StoredRecipe], index: Index, lexicon: Lexicon) -> None:
        self.recipes = recipes
        self.index = index
        self.lexical = index.lexical
        self.contents = index.contents
        self.keys = index.keys
        self.knowledge = Knowledge(lexicon, index.lexical, index.speller)
        self.rows = {recipe.recipe_id: row for row, recipe in enumerate(recipes)}
        self.language = languages_of(recipes)
        self.position = max((recipe.position for recipe in recipes), default=0)

    @classmethod
    def prepare(
        cls, stored: Iterable[StoredRecipe], lexicon: Lexicon, cache_folder: Path, former: "Catalogue | None" = None
    ) -> "Catalogue":
        """Return the catalogue of the recipes; its index from the cache if it was built before. CPU: for a thread.

        Else it is built, with what was read in the recipes of `former`, or of the last index in the cache.
        """
        recipes = sorted(stored, key=lambda recipe: recipe.recipe_id)
        kept = KeptIndex(cache_folder, lexicon)
        index = kept.load(recipes)
        if index is None:
            index = Index.build(recipes, lexicon, former.index if former else kept.load_former())
            kept.save(recipes, index)
        return cls(recipes, index, lexicon)

    def with_changes(self, changed: Iterable[StoredRecipe]) -> list[StoredRecipe]:
        """Return the recipes after these have been stored."""
        return list({recipe.recipe_id: recipe for recipe in (*self.recipes, *changed)}.values())


def languages_of(recipes: Sequence[StoredRecipe]) -> IntArray:
    return np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32)


def known_words(readings: Readings, lexicon: Lexicon) -> Counter[str]:
    """Return the words that are spelt right, with the number of names, lists and so on that have each."""
    found: Counter[str] = Counter()
    counts = np.bincount(readings.numbers, minlength=len(readings.names))
    for name, count in zip(readings.names, counts.tolist(), strict=True):
        if count and name[:2] in LANGUAGES:
            found[name[3:]] += count
    for concept in lexicon.concepts.values():
        for names in concept.names.values():
            found.update({word: 1 for name in names for word in words(name)})
    found.update(dict.fromkeys(ALL_STOP_WORDS, STOP_WORD_COUNT))
    return found


def contents_of(readings: Readings, lexicon: Lexicon) -> Contents:
    """Return what each recipe contains, as it was read."""
    concepts = sorted(lexicon.concepts)
    tags = [name.removeprefix(TAG) for name in readings.names if name.startswith(TAG)]
    return Contents(
        concepts,
        postings_of(readings, "held", [CONCEPT + concept for concept in concepts]),
        postings_of(readings, "listed", [CONCEPT + concept for concept in concepts]),
        tags,
        postings_of(readings, "tagged", [TAG + tag for tag in tags]),
        readings.line_counts,
        readings.minutes,
    )


def postings_of(readings: Readings, field: str, names: Sequence[str]) -> Postings:
    """Return which recipes have each of the names in that field."""
    numbers = {name: number for number, name in enumerate(names)}
    number_of_name = np.array([numbers.get(name, -1) for name in readings.names], dtype=np.int32)
    at = np.flatnonzero(readings.fields == FIELDS[field])
    return Postings.of(number_of_name[readings.numbers[at]], readings.recipe_of[at], len(names))


def vector_keys(recipes: Sequence[StoredRecipe], former: Index | None) -> list[bytes]:
    """Return the keys of the recipes' vectors."""
    known = dict(zip(former.readings.contents.tolist(), former.keys, strict=True)) if former else {}
    contents = [recipe.content_hash.encode() for recipe in recipes]
    return [
        known.get(content) or text_key(passage_text(recipe.decode()))
        for content, recipe in zip(contents, recipes, strict=True)
    ]


class KeptIndex:
    """The index on disk: of one catalogue, in a file named after the lexicon and the recipes that it is bound to."""

    def __init__(self, folder: Path, lexicon: Lexicon) -> None:
        self.folder = folder
        self.prefix = f"index-{FORMAT_VERSION}-{lexicon.digest}-"

    def path(self, recipes: Sequence[StoredRecipe]) -> Path:
        content = "\n".join(f"{recipe.recipe_id} {recipe.content_hash}" for recipe in recipes)
        return self.folder / f"{self.prefix}{sha256(content.encode()).hexdigest()[:16]}.arrays"

    def load(self, recipes: Sequence[StoredRecipe]) -> Index | None:
        """Return the index of these recipes in their order; None if it is not there or damaged."""
        return read_index(self.path(recipes))

    def load_former(self) -> Index | None:
        """Return the index of another catalogue by the same lexicon; None if there is none."""
        return next(filter(None, map(read_index, sorted(self.folder.glob(f"{self.prefix}*.arrays")))), None)

    def save(self, recipes: Sequence[StoredRecipe], index: Index) -> None:
        """Write the index to its file, and drop those of former catalogues. A full disk only costs the time."""
        path = self.path(recipes)
        with suppress(OSError):
            write_arrays(path, index.arrays())
            for former in self.folder.glob("index-*"):
                if former != path:
                    former.unlink(missing_ok=True)


def read_index(path: Path) -> Index | None:
    try:
        return Index.of_arrays(map_arrays(path))
    except (OSError, KeyError, ValueError, msgspec.DecodeError):
        return None
