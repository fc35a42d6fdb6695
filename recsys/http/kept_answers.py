"""Answers of reads, kept until the views that they follow from change. Floor 3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ANSWERS_MAX: Final = 4096
BYTES_MAX: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An encoded answer. stamp: when its views last changed; an answer of another stamp is out of date."""

    body: bytes
    content_type: str
    etag: str
    stamp: tuple[int, ...]
    headers: Mapping[str, str]


class KeptAnswers:
    """A bounded map from path and query string to answers; the oldest give way."""

    def __init__(self, *, answers_max: int = ANSWERS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._answers_max = answers_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._answers: dict[str, KeptAnswer] = {}

    def get(self, address: str) -> KeptAnswer | None:
        return self._answers.get(address)

    def put(self, address: str, answer: KeptAnswer) -> None:
        """Keep an answer in the place of the former one."""
        if address in self._answers:
            self._drop(address)
        self._answers[address] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._bytes_max or len(self._answers) > self._answers_max:
            self._drop(next(iter(self._answers)))

    def _drop(self, address: str) -> None:
        self._bytes -= len(self._answers.pop(address).body)
