"""What was read in a recipe is kept by its content: an index that grew equals one that was built at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from events.catalog import Recipe
from recsys.recommender.catalogue import Catalogue, Index
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.packing import map_arrays, write_arrays
from recsys.recommender.readings import Writer
from tests.recommender.harness import as_stored, recipe

SOUP = recipe("Sopa de ajo", ingredients="ajo, pan", tags=["fácil"])
CHICKEN = recipe("Roast chicken", language="en", ingredients="1 chicken, 2 lemons", minutes=90)
CAKE = recipe("Tarta de queso sin azúcar", ingredients="queso, huevos, leche")


def weights(index: Index) -> dict[str, list[tuple[int, float, bool]]]:
    """Return the recipes of each term."""
    lexical = index.lexical
    rows = zip(lexical.documents.tolist(), lexical.weights.tolist(), lexical.in_name.tolist(), strict=True)
    found = list(rows)
    return {term: found[lexical.starts[number] : lexical.starts[number + 1]] for term, number in lexical.terms.items()}


def test_a_grown_index_equals_a_new_one() -> None:
    """After recipes came, changed and went, nothing is left of the former ones and nothing is missing."""
    former = Index.build(as_stored([SOUP, CHICKEN]), shipped_lexicon())
    later = as_stored([recipe("Sopa de pan", recipe_id=SOUP.recipe_id), CAKE, CHICKEN])
    grown, new = Index.build(later, shipped_lexicon(), former), Index.build(later, shipped_lexicon())
    assert weights(grown) == weights(new)
    assert grown.lexical.vocabularies == new.lexical.vocabularies
    assert grown.keys == new.keys
    concepts = ("egg", "chicken", "garlic", "dairy")
    assert [grown.contents.with_any([name]).tolist() for name in concepts] == [
        new.contents.with_any([name]).tolist() for name in concepts
    ]


def test_a_known_recipe_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later start, and one with more recipes, read only what is new."""
    Catalogue.prepare(as_stored([SOUP, CHICKEN]), shipped_lexicon(), tmp_path)
    read: list[str] = []
    add = Writer.add

    def noted(writer: Writer, recipe: Recipe, content: bytes) -> None:
        read.append(recipe.name)
        add(writer, recipe, content)

    monkeypatch.setattr(Writer, "add", noted)
    Catalogue.prepare(as_stored([SOUP, CHICKEN]), shipped_lexicon(), tmp_path)
    assert read == []
    Catalogue.prepare(as_stored([SOUP, CAKE, CHICKEN]), shipped_lexicon(), tmp_path)
    assert read == [CAKE.name]


def test_arrays_are_mapped_as_they_were(tmp_path: Path) -> None:
    """A file gives back each array with its type and shape; one that was cut short is refused."""
    path = tmp_path / "file.arrays"
    arrays: dict[str, NDArray[Any]] = {
        "a": np.arange(7, dtype=np.int16),
        "b": np.eye(3, dtype=np.float32),
        "none": np.zeros(0, dtype=np.int64),
    }
    write_arrays(path, arrays)
    for name, found in map_arrays(path).items():
        assert (found.dtype, found.tolist()) == (arrays[name].dtype, arrays[name].tolist())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"."):
        map_arrays(path)
