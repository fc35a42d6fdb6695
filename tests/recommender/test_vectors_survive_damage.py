"""The file of vectors is only appended to, and a torn record costs that record alone."""

from pathlib import Path

import numpy as np

from recsys.recommender.vectors import RECORD, VectorStore, text_key
from tests.recommender.harness import WordEmbedder

KEYS = [text_key(text) for text in ("sopa", "pan", "ajo")]


def open_store(folder: Path) -> VectorStore:
    return VectorStore(folder / "cache", fingerprint="fake", shipped_folder=folder / "shipped")


def test_a_vector_is_found_by_the_next_start(tmp_path: Path) -> None:
    """What was added is there again, to the precision of eight bits, and unknown texts have none."""
    vector = WordEmbedder().passage("sopa de ajo")
    open_store(tmp_path).add(KEYS[0], vector)
    vectors = open_store(tmp_path).of(KEYS[:2])
    assert vectors.known.tolist() == [True, False]
    assert vectors.cosines(vector)[0] > 0.999
    assert not vectors[np.array([1])].any()


def test_a_torn_record_is_passed_over(tmp_path: Path) -> None:
    """After a crash in the middle of a write the records before and after it are read."""
    store, vector = open_store(tmp_path), WordEmbedder().passage("sopa")
    store.add(KEYS[0], vector)
    store.add(KEYS[1], vector)
    with store.cache_path.open("r+b") as file:
        file.truncate(RECORD.itemsize + 7)
    open_store(tmp_path).add(KEYS[2], vector)
    assert open_store(tmp_path).of(KEYS).known.tolist() == [True, False, True]


def test_shipped_vectors_are_used(tmp_path: Path) -> None:
    """The vectors that come with the service count like those of the cache; keep_only makes such a file."""
    maker = VectorStore(tmp_path / "shipped", fingerprint="fake", shipped_folder=tmp_path / "shipped")
    for key in KEYS:
        maker.add(key, WordEmbedder().passage("sopa"))
    maker.keep_only(KEYS[:2])
    assert open_store(tmp_path).of(KEYS).known.tolist() == [True, True, False]


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    """Without a cache on disk the vector still serves this process."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    store = open_store(tmp_path)
    store.add(KEYS[0], WordEmbedder().passage("sopa"))
    assert store.of(KEYS[:1]).known.all()
    assert np.isclose(np.linalg.norm(store.of(KEYS[:1])[np.array([0])]), 1)
