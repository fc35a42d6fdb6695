"""The vectors of recipes: at eight bits in memory, and on disk by the hash of their text. Floor 3.

On disk they are files of records that are only appended to. A file is bound to one model by its name. A record is
16 bytes of hash and 384 int8: an append is one write, several processes may append, a record twice does no harm, and a
torn last record is passed over.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.embedding import DIMENSIONS

KEY_BYTES = 16
RECORD = np.dtype([("key", f"V{KEY_BYTES}"), ("vector", np.int8, (DIMENSIONS,))])
BLOCK_ROWS = 1024  # as float32 they fit into a core's own cache
SHORTEST = np.float32(1e-9)


def text_key(text: str) -> bytes:
    """Return the key of a text: the first 16 bytes of its SHA-256."""
    return sha256(text.encode()).digest()[:KEY_BYTES]


class Vectors:
    """The vectors of a catalogue's recipes: a quarter of the memory that floats would take, and as good.

    eighths: (n, 384) int8, each row up to its length. known: (n,) whether the row has a vector by now.
    """

    def __init__(self, eighths: NDArray[np.int8], known: BoolArray) -> None:
        self.eighths = eighths
        self.known = known
        self.scales = np.empty(len(eighths), dtype=np.float32)
        for start in range(0, len(eighths), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            self.scales[block] = inverse_lengths(eighths[block])

    @classmethod
    def none(cls, size: int) -> "Vectors":
        """Return the vectors of recipes that have none yet."""
        return cls(np.zeros((size, DIMENSIONS), dtype=np.int8), np.zeros(size, dtype=bool))

    def __len__(self) -> int:
        return len(self.eighths)

    def __getitem__(self, rows: IntArray) -> FloatArray:
        """Return the vectors of these rows, each of length 1, or 0 where it is unknown."""
        scaled: FloatArray = self.eighths[rows].astype(np.float32) * self.scales[rows, None]
        return scaled

    def middle(self, rows: IntArray) -> FloatArray | None:
        """Return the direction, of length 1, in the middle of these rows; None if none of them is known."""
        total = self[rows[self.known[rows]]].sum(axis=0)
        length = np.linalg.norm(total)
        return (total / length).astype(np.float32) if length > SHORTEST else None

    def set(self, row: int, eighths: NDArray[np.int8]) -> None:
        """Fill in a row. A search beside it sees the row once it is whole."""
        self.eighths[row] = eighths
        self.scales[row] = inverse_lengths(eighths[None])[0]
        self.known[row] = True

    def cosines(self, vector: FloatArray, rows: IntArray | None = None) -> FloatArray:
        """Return the cosines of these rows, or of all, to a vector of length 1; 0 where a row is unknown."""
        found = np.empty(len(self) if rows is None else len(rows), dtype=np.float32)
        for start in range(0, len(found), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            chosen = block if rows is None else rows[block]
            # vecdot and not @: the threads of BLAS wait for a busy core, up to 8 ms, and save 0.1 ms.
            found[block] = np.vecdot(self.eighths[chosen].astype(np.float32), vector) * self.scales[chosen]
        return found


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

    def __getitem__(self, key: bytes) -> NDArray[np.int8]:
        """Return a known vector at eight bits, (384,)."""
        return self.vectors[key]

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

    def of(self, keys: Sequence[bytes]) -> Vectors:
        """Return the vectors of `keys`, in their order."""
        found = Vectors.none(len(keys))
        for row, key in enumerate(keys):
            if (vector := self.vectors.get(key)) is not None:
                found.eighths[row] = vector
                found.known[row] = True
        return Vectors(found.eighths, found.known)


def inverse_lengths(eighths: NDArray[np.int8]) -> FloatArray:
    """Return one over the length of each row, (n,)."""
    lengths = np.linalg.norm(eighths.astype(np.float32), axis=1)
    inverse: FloatArray = (1 / np.maximum(lengths, SHORTEST)).astype(np.float32)
    return inverse


def quantised(vector: FloatArray) -> NDArray[np.int8]:
    """Return a vector at 8 bits, up to its length, which cosines do not see."""
    scaled: NDArray[np.int8] = np.rint(vector * (127 / max(float(np.abs(vector).max()), 1e-9))).astype(np.int8)
    return scaled


def read_records(path: Path) -> dict[bytes, NDArray[np.int8]]:
    """Return the file's vectors by key; none if there is no file."""
    try:
        records = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError):  # an empty file cannot be mapped
        return {}
    whole = len(records) // RECORD.itemsize
    found = np.asarray(records[: whole * RECORD.itemsize]).view(RECORD)
    return dict(zip(map(bytes, found["key"]), found["vector"], strict=True))


def append_record(path: Path, key: bytes, vector: NDArray[np.int8]) -> None:
    """Append one record. A torn record of a crash is padded first, so that the later ones stay readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        torn = file.tell() % RECORD.itemsize
        padding = bytes(RECORD.itemsize - torn) if torn else b""
        file.write(padding + key + vector.tobytes())
