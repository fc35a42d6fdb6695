"""The vectors of recipes on disk, by the hash of their text: files of records that are only appended to. Floor 3.

A file is bound to one model by its name. A record is 16 bytes of hash and 384 int8: an append is one write, several
processes may append, a record twice does no harm, and a torn last record is passed over.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.recommender.arrays import BoolArray, FloatArray
from recsys.recommender.embedding import DIMENSIONS

KEY_BYTES = 16
RECORD = np.dtype([("key", f"V{KEY_BYTES}"), ("vector", np.int8, (DIMENSIONS,))])


def text_key(text: str) -> bytes:
    """Return the key of a text: the first 16 bytes of its SHA-256."""
    return sha256(text.encode()).digest()[:KEY_BYTES]


class VectorStore:
    """Vectors from the shipped file and from the cache, which new ones are appended to."""

    def __init__(self, cache_folder: Path, *, fingerprint: str, shipped_folder: Path) -> None:
        name = f"vectors-{fingerprint}.i8"
        self.cache_path = cache_folder / name
        self.vectors: dict[bytes, NDArray[np.int8]] = {}
        for path in (shipped_folder / name, self.cache_path):
            self.vectors.update(read_records(path))

    def __contains__(self, key: bytes) -> bool:
        return key in self.vectors

    def add(self, key: bytes, vector: FloatArray) -> None:
        """Keep a vector; a cache that cannot be written costs the next start its time, nothing else."""
        self.vectors[key] = quantised(vector)
        try:
            append_record(self.cache_path, key, self.vectors[key])
        except OSError:
            return

    def keep_only(self, keys: Iterable[bytes]) -> None:
        """Write the cache file anew with these vectors alone, in the order of the keys."""
        self.vectors = {key: self.vectors[key] for key in sorted(keys)}
        temporary = self.cache_path.with_suffix(".new")
        temporary.write_bytes(b"".join(key + vector.tobytes() for key, vector in self.vectors.items()))
        temporary.replace(self.cache_path)

    def matrix(self, keys: Sequence[bytes]) -> tuple[FloatArray, BoolArray]:
        """Return the vectors of `keys`, (n, 384) of length 1, zero where unknown; and whether each is known, (n,)."""
        unknown = np.zeros(DIMENSIONS, dtype=np.int8)
        rows = [self.vectors.get(key, unknown) for key in keys]
        known = np.array([key in self.vectors for key in keys], dtype=bool)
        matrix = np.array(rows, dtype=np.float32).reshape(len(keys), DIMENSIONS)
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        matrix /= np.maximum(lengths, np.float32(1e-9))
        return matrix, known


def quantised(vector: FloatArray) -> NDArray[np.int8]:
    """Return a vector at 8 bits, up to its length, which cosines do not see."""
    scaled: NDArray[np.int8] = np.rint(vector * (127 / max(float(np.abs(vector).max()), 1e-9))).astype(np.int8)
    return scaled


def read_records(path: Path) -> dict[bytes, NDArray[np.int8]]:
    """Return the file's vectors by key; none if there is no file."""
    try:
        content = path.read_bytes()
    except OSError:
        return {}
    records = np.frombuffer(content, dtype=RECORD, count=len(content) // RECORD.itemsize)
    return dict(zip(map(bytes, records["key"]), records["vector"], strict=True))


def append_record(path: Path, key: bytes, vector: NDArray[np.int8]) -> None:
    """Append one record. A torn record of a crash is padded first, so that the later ones stay readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        torn = file.tell() % RECORD.itemsize
        padding = bytes(RECORD.itemsize - torn) if torn else b""
        file.write(padding + key + vector.tobytes())
