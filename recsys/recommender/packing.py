"""Arrays in one file that is mapped into memory, and lists of words as arrays. Floor 3: imports nothing of ours.

A file is a header, which names each array with its type, shape and place, then the arrays. What is mapped costs memory
only where it is read, and several processes share it.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
HEADER_LENGTH_BYTES = 8


class Section(msgspec.Struct, frozen=True):
    """Where an array stands. start: its first byte, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


def packed(words: Iterable[str]) -> NDArray[np.uint8]:
    """Return words, none of which holds a line break, as bytes."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpacked(array: NDArray[np.uint8]) -> list[str]:
    """Return the words of such bytes."""
    return array.tobytes().decode().split("\n") if array.size else []


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the arrays to a file that is there whole or not at all. Raises OSError."""
    sections: dict[str, Section] = {}
    end = 0
    for name, array in arrays.items():
        sections[name] = Section(array.dtype.str, array.shape, end, array.nbytes)
        end += aligned(array.nbytes)
    header = msgspec.json.encode(sections)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.new")
    try:
        with temporary.open("wb") as file:
            file.write(len(header).to_bytes(HEADER_LENGTH_BYTES, "little") + header)
            file.write(bytes(aligned(file.tell()) - file.tell()))
            for array in arrays.values():
                file.write(np.ascontiguousarray(array).data)
                file.write(bytes(aligned(array.nbytes) - array.nbytes))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of such a file, which cannot be written to. Raises OSError, ValueError if it is cut short."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        header = file.read(min(length, path.stat().st_size))
    first = aligned(HEADER_LENGTH_BYTES + length)
    content = np.memmap(path, dtype=np.uint8, mode="r")
    found: dict[str, NDArray[Any]] = {}
    for name, section in msgspec.json.decode(header, type=dict[str, Section]).items():
        start = first + section.start
        # A plain array over the mapping: each access to a memmap costs microseconds more.
        part = np.asarray(content[start : start + section.size])
        found[name] = part.view(section.dtype).reshape(section.shape)
    return found


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
