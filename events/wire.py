"""Appending through another process: the frames, the writer's server and the others' client. Floor 1.

A frame is four bytes of length and a msgpack body. Others send lists of (number, append); the writer answers with the
log's head and lists of (number, outcome), and sends the head alone after commits that hold nothing for a client.
"""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from events.errors import (
    EventStoreError,
    IdempotencyKeyReused,
    StoreClosed,
    StoreFull,
    StoreOverloaded,
    StoreUnavailable,
    WrongExpectedVersion,
)
from events.event import Appended
from events.group_commit import GroupCommit, Source
from events.request import AppendRequest
from events.writer import Outcome

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
FRAME_CHARACTERS: Final = 4 * 1024 * 1024  # of JSON, after which a client begins another frame
UNREAD_BYTES_MAX: Final = 64 * 1024  # a client that does not read gets no more heads; it polls
SOCKET_PATH_BYTES_MAX: Final = 100  # the kernel takes 108, macOS 104


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """An error on its way to the process that asked."""

    type: str
    message: str
    stream: str = ""
    expected: int = 0
    found: int = 0


class Reply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    number: int
    appended: Appended | None
    refusal: Refusal | None = None

    @property
    def outcome(self) -> Outcome:
        if self.appended is not None:
            return self.appended
        assert self.refusal is not None
        return error_of(self.refusal)


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    head: int
    replies: list[Reply]


PLAIN_ERRORS: Final[dict[str, type[EventStoreError]]] = {
    error.__name__: error for error in (StoreClosed, StoreFull, StoreOverloaded, StoreUnavailable)
}


def refusal(error: EventStoreError) -> Refusal:
    if isinstance(error, WrongExpectedVersion):
        return Refusal("WrongExpectedVersion", "", error.stream, error.expected, error.found)
    if isinstance(error, IdempotencyKeyReused):
        return Refusal("IdempotencyKeyReused", error.key)
    return Refusal(type(error).__name__, str(error))


def error_of(refusal: Refusal) -> EventStoreError:
    if refusal.type == "WrongExpectedVersion":
        return WrongExpectedVersion(refusal.stream, expected=refusal.expected, found=refusal.found)
    if refusal.type == "IdempotencyKeyReused":
        return IdempotencyKeyReused(refusal.message)
    return PLAIN_ERRORS.get(refusal.type, StoreUnavailable)(refusal.message)


class Framed(asyncio.Protocol, ABC):
    """Cuts the stream into frames."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= 4:
            size = int.from_bytes(buffer[start : start + 4])
            if size > FRAME_BYTES_MAX:
                self.transport.abort()
                return
            if len(buffer) - start < 4 + size:
                break
            body = bytes(buffer[start + 4 : start + 4 + size])
            start += 4 + size
            try:
                self.frame_received(body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.transport.abort()
                return
        del buffer[:start]

    @abstractmethod
    def frame_received(self, body: bytes) -> None:
        """Take one frame's body. Raises msgspec's errors for what is none: the connection is then ended."""

    def send(self, body: bytes) -> None:
        self.transport.write(len(body).to_bytes(4) + body)


class ServerConnection(Framed):
    """The writer's end of one other process: a source of appends like the writer's own."""

    def __init__(self, server: "AppendServer") -> None:
        super().__init__()
        self._server = server
        self._source = Source(self._deliver)
        self._decode = msgspec.msgpack.Decoder(list[tuple[int, AppendRequest]]).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.connections.add(self)
        self.send_head(self._server.head())

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.connections.discard(self)
        self._server.commits.forget(self._source)  # the client sends again, elsewhere, what was not answered

    def frame_received(self, body: bytes) -> None:
        refused: list[Reply] = []
        for number, request in self._decode(body):
            try:
                self._server.commits.submit(self._source, request, number)
            except EventStoreError as error:
                refused.append(Reply(number, None, refusal(error)))
        if refused:
            self.send(self._encode(Answer(self._server.head(), refused)))

    def _deliver(self, numbers: list[int], outcomes: list[Outcome], head: int) -> None:
        replies = [
            Reply(number, outcome) if isinstance(outcome, Appended) else Reply(number, None, refusal(outcome))
            for number, outcome in zip(numbers, outcomes, strict=True)
        ]
        if not self.transport.is_closing():
            self.send(self._encode(Answer(head, replies)))

    def send_head(self, head: int) -> None:
        if self.transport.get_write_buffer_size() < UNREAD_BYTES_MAX:
            self.send(self._encode(Answer(head, [])))


class AppendServer:
    """Takes the appends of other processes on a Unix socket, as the holder of the writer's lock."""

    def __init__(self, commits: GroupCommit, head: Callable[[], int]) -> None:
        self.commits = commits
        self.head = head
        self.connections: set[ServerConnection] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path) -> None:
        with ShortPath(path) as address:
            self._server = await asyncio.get_running_loop().create_unix_server(lambda: ServerConnection(self), address)
            os.chmod(address, 0o600)  # noqa: PTH101  # the short path is a string of /proc

    def announce(self, head: int) -> None:
        for connection in self.connections:
            connection.send_head(head)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.transport.close()


class ClientConnection(Framed):
    """The other end: sends what is asked of it in one frame a turn of the loop."""

    def __init__(self, on_answer: Callable[[Answer], None], on_lost: Callable[[], None]) -> None:
        super().__init__()
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._unsent: list[tuple[int, AppendRequest]] = []
        self._decode = msgspec.msgpack.Decoder(Answer).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def connection_lost(self, _error: Exception | None) -> None:
        self._on_lost()

    def frame_received(self, body: bytes) -> None:
        self._on_answer(self._decode(body))

    def request(self, numbered: Iterable[tuple[int, AppendRequest]]) -> None:
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.extend(numbered)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        while unsent and not self.transport.is_closing():
            end = characters = 0
            while end < len(unsent) and characters < FRAME_CHARACTERS:
                characters += sum(len(run.data) for run in unsent[end][1].runs)
                end += 1
            self.send(self._encode(unsent[:end]))
            unsent = unsent[end:]


async def connect(path: Path, on_answer: Callable[[Answer], None], on_lost: Callable[[], None]) -> ClientConnection:
    """Connect to the writer. Raises OSError while nobody listens."""
    with ShortPath(path) as address:
        _, client = await asyncio.get_running_loop().create_unix_connection(
            lambda: ClientConnection(on_answer, on_lost), address
        )
    return client


class ShortPath:
    """A name of the socket that fits into the kernel's limit, through the open folder where its own does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= SOCKET_PATH_BYTES_MAX:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: Any) -> None:
        if self._folder is not None:
            os.close(self._folder)
