"""A Qdrant server that is dead, slow or wrong fails no request and delays none but the first; then it is used again."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from recsys.recommender.arrays import FloatArray
from recsys.recommender.index import Allowed, Collection, EmbeddedIndex, Found, Outage, VectorIndex
from recsys.recommender.index.guarded import EVERYTHING, RETRY_SECONDS, GuardedIndex
from recsys.recommender.index.qdrant import QdrantIndex, connect
from tests.contract.test_a_vector_index_finds_the_nearest import collection_of
from tests.recommender.harness import WordEmbedder, recipe

NOW = 1_700_000_000.0
COLLECTION = collection_of([recipe("Pan"), recipe("Sopa de ajo")])
REFUSED_PORT = 9  # nothing listens there


class Server:
    """A server that answers wrongly with no rows, so that its answers are told from the right ones."""

    outage: Outage | None = None
    failure: Exception | None = None

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def search(self, collection: Collection, vector: FloatArray, *, k: int, allowed: Allowed) -> Found:
        self.asked += 1
        self.may_answer.wait(30)
        if self.failure:
            raise self.failure
        return Found(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))

    def advance(self, collection: Collection) -> int:
        if self.failure:
            raise self.failure
        return 0


class Clock:
    """The time, as the test sets it."""

    seconds = NOW

    def __call__(self) -> float:
        return self.seconds


def guarded(make_server: Callable[[], VectorIndex], folder: Path, clock: Clock) -> GuardedIndex:
    behind = EmbeddedIndex(folder, "fake")
    return GuardedIndex(make_server, behind, name="qdrant", clock=clock, answer_seconds=5)


def rows(index: VectorIndex) -> list[int]:
    """Return what is found: nothing by the test's server, both recipes by the index behind it."""
    allowed = Allowed(np.ones(len(COLLECTION), dtype=bool), EVERYTHING)
    return list(index.search(COLLECTION, WordEmbedder().query("pan"), k=2, allowed=allowed).rows)


def test_the_server_answers_once_it_holds_all(tmp_path: Path) -> None:
    """Before it was tried out the index behind it answers, afterwards the server."""
    index = guarded(Server, tmp_path, Clock())
    assert rows(index) == [0, 1]
    assert index.advance(COLLECTION) == 0
    assert rows(index) == []
    assert index.outage is None


def test_after_a_failure_the_index_behind_answers(tmp_path: Path) -> None:
    """The request that meets the failure is answered, the next ones do not ask, and it is said since when and why."""
    server, clock = Server(), Clock()
    index = guarded(lambda: server, tmp_path, clock)
    index.advance(COLLECTION)
    server.failure, asked = OSError("no route"), server.asked
    assert [rows(index) for _ in range(3)] == [[0, 1]] * 3
    assert server.asked == asked + 1
    assert index.outage == Outage("qdrant_unavailable", int(NOW * 1e6), "OSError: no route")


def test_a_server_that_came_back_is_used_again(tmp_path: Path) -> None:
    """It is tried after a while, in the background, and only once it has answered do requests go there."""
    server, clock = Server(), Clock()
    index = guarded(lambda: server, tmp_path, clock)
    server.failure = OSError("down")
    index.advance(COLLECTION)
    server.failure = None
    index.advance(COLLECTION)
    assert (rows(index), index.outage is not None) == ([0, 1], True)
    clock.seconds += RETRY_SECONDS
    index.advance(COLLECTION)
    assert (rows(index), index.outage) == ([], None)


def test_a_late_answer_is_not_waited_for(tmp_path: Path) -> None:
    """A server that hangs costs one request the time limit, and the others nothing."""
    server = Server()
    index = guarded(lambda: server, tmp_path, Clock())
    index.advance(COLLECTION)
    index.answer_seconds = 0.01
    server.may_answer.clear()
    assert [rows(index) for _ in range(3)] == [[0, 1]] * 3
    assert index.outage is not None
    assert index.outage.reason == "TimeoutError"
    server.may_answer.set()


@contextmanager
def silent_port() -> Iterator[int]:
    """Listen, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_dead_and_a_silent_server_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real client: a refused connection and a socket that never answers end as outages, not as errors."""
    monkeypatch.setattr("recsys.recommender.index.qdrant.TIMEOUT_SECONDS", 1)
    with silent_port() as silent:
        for port in (REFUSED_PORT, silent):
            url = f"http://127.0.0.1:{port}"
            index = guarded(partial(QdrantIndex, partial(connect, url, ""), name="r"), tmp_path, Clock())
            index.advance(COLLECTION)
            assert index.outage is not None
            assert rows(index) == [0, 1]
