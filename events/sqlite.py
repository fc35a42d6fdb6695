"""The embedded event store: one process writes log.db, the others append through it, all read. Floor 1."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

import apsw
import msgspec

from events.catalog import Event
from events.errors import EventStoreError, StoreClosed, StoreOverloaded, StoreUnavailable
from events.event import ANY, Appended, Metadata, NewEvent, RecordedEvent, StreamAppend
from events.group_commit import QUEUED_EVENTS_MAX, GroupCommit, Source
from events.lock import WriterLock
from events.reading import LogReader
from events.request import AppendRequest, encode_append
from events.wire import Answer, AppendServer, ClientConnection, connect
from events.writer import LogWriter, Outcome, now_microseconds

READER_THREADS: Final = 2
POLL_SECONDS: Final = 0.25  # the safety net under the heads that the writer sends
LOCK_POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 0.01  # between tries to find the writer or to become it
WRITER_WAIT_SECONDS: Final = 10.0  # an append that found no writer for so long is given up
T = TypeVar("T")


class SqliteEventStore:
    """The EventStore on `path`. Open it with `await SqliteEventStore.open(path)`, in as many processes as you like.

    The process that takes the lock beside the file writes; the others send their appends to it, and one of them takes
    over when it ends. Every process reads for itself.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int]) -> None:
        self.path = path
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lock = WriterLock(path.with_suffix(".lock"))
        self._socket_path = path.with_suffix(".sock")
        self._reader = LogReader(path)
        self._executor = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="log-reader")
        self._commits: GroupCommit | None = None  # while this process writes
        self._server: AppendServer | None = None  # while this process writes
        self._client: ClientConnection | None = None  # while another one writes
        self._own_appends = Source(self._deliver)
        self._numbers = itertools.count(1)
        self._client_id = uuid.uuid4().hex
        self._sent: dict[int, Sent] = {}
        self._sent_events = 0
        self._head = 0
        self._head_waiters: set[asyncio.Future[None]] = set()
        self._failure: EventStoreError | None = None
        self._is_closed = False
        self._role: asyncio.Task[None]

    @classmethod
    async def open(cls, path: Path, *, clock: Callable[[], int] = now_microseconds) -> Self:
        """Open the log, making it if there is none. Raises EventStoreError, LogTampered, MigrationError."""
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        store = cls(path, clock=clock)
        ready: asyncio.Future[None] = store._loop.create_future()
        store._role = asyncio.create_task(store._play_role(ready), name="log-role")
        await ready
        return store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Who writes

    @property
    def is_writer(self) -> bool:
        return self._commits is not None

    async def writer_pid(self) -> int | None:
        """Return the process that writes the log, or wrote it last."""
        return await asyncio.to_thread(self._lock.holder_pid)

    async def _play_role(self, ready: asyncio.Future[None]) -> None:
        """Write if the lock is free, else append through the process that holds it; again whenever that one ends."""
        try:
            while not self._lock.try_acquire():
                lost: asyncio.Future[None] = self._loop.create_future()
                try:
                    client = await connect(self._socket_path, self._answered, partial(wake, lost))
                except OSError:  # the holder starts, stops, or has just died
                    self._give_up_old_appends()
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self._client = client
                client.request((number, sent.again()) for number, sent in self._sent.items())
                if not ready.done():
                    ready.set_result(None)
                if await self._outlasts_writer(lost):
                    client.transport.abort()
                    break
                self._client = None
            await self._become_writer()
            if not ready.done():
                ready.set_result(None)
        except Exception as error:
            self._lock.release()
            if not ready.done():
                ready.set_exception(error)
                return
            self._failure = StoreUnavailable(f"this process could not take over writing the log: {error}")
            for sent in self._take_sent():
                answer(sent.future, self._failure)

    async def _outlasts_writer(self, lost: asyncio.Future[None]) -> bool:
        """Return when the connection to the writer is lost; True if the lock fell to this process before that.

        A process that the writer had forked may keep the connection open after the writer's death.
        """
        while not (await asyncio.wait((lost,), timeout=LOCK_POLL_SECONDS))[0]:
            self._give_up_old_appends()  # the writer may hang
            if self._lock.try_acquire():
                return True
        return False

    async def _become_writer(self) -> None:
        making = asyncio.ensure_future(asyncio.to_thread(LogWriter, self.path, clock=self._clock))
        try:
            writer = await asyncio.shield(making)
        except asyncio.CancelledError:  # closed meanwhile: the lock is kept until the thread is done with the file
            await asyncio.wait((making,))
            if making.exception() is None:
                making.result().close()
            raise
        commits = GroupCommit(writer, on_head=self._committed)
        self._set_head(writer.head[0])
        server = AppendServer(commits, lambda: self._head)
        await asyncio.to_thread(self._socket_path.unlink, missing_ok=True)  # left by a holder that died
        await server.listen(self._socket_path)
        self._commits, self._server, self._client = commits, server, None
        for sent in self._take_sent():  # unanswered by the former writer; the log says whether it committed them
            commits.submit(self._own_appends, sent.again(), sent.future)

    def _give_up_old_appends(self) -> None:
        now = self._loop.time()
        for number, sent in list(self._sent.items()):
            if now > sent.deadline:
                self._forget(number)
                answer(
                    sent.future,
                    StoreUnavailable(
                        f"no process has written the append for {WRITER_WAIT_SECONDS:.0f} s; retry with the same key"
                    ),
                )

    # Appending

    async def append(
        self,
        stream: str,
        events: Sequence[Event | NewEvent],
        *,
        metadata: Metadata,
        expected_version: int = ANY,
        key: str | None = None,
        fingerprint: str = "",
    ) -> Appended:
        """Append to one stream and return when it is on disk; see `append_all`."""
        return await self._submit([StreamAppend(stream, events, expected_version)], metadata, key, fingerprint)

    async def append_all(
        self, appends: Sequence[StreamAppend], *, metadata: Metadata, key: str | None = None, fingerprint: str = ""
    ) -> Appended:
        """Append to several streams in one atomic unit and return when all of it is on disk: events/store.py.

        Raises ValueError too, for a stream's name or an event that could not be read back.
        """
        return await self._submit(appends, metadata, key, fingerprint)

    def _submit(
        self, appends: Sequence[StreamAppend], metadata: Metadata, key: str | None, fingerprint: str
    ) -> asyncio.Future[Appended]:
        if self._is_closed:
            raise StoreClosed("the event store is closed")
        if self._failure is not None:
            raise self._failure
        future: asyncio.Future[Appended] = self._loop.create_future()
        if self._commits is not None:
            self._commits.submit(self._own_appends, encode_append(appends, metadata, key, fingerprint), future)
        else:
            number = next(self._numbers)
            append_id = f"{self._client_id}:{number}" if key is None else ""
            self._send(number, append_id, encode_append(appends, metadata, key, fingerprint, append_id), future)
        return future

    def _send(self, number: int, append_id: str, request: AppendRequest, future: asyncio.Future[Appended]) -> None:
        events = request.events
        if self._sent and self._sent_events + events > QUEUED_EVENTS_MAX:
            raise StoreOverloaded(f"{self._sent_events} events wait for the writer: nothing was written, retry later")
        deadline = self._loop.time() + WRITER_WAIT_SECONDS
        self._sent[number] = Sent(request, future, deadline, append_id, self._head)
        self._sent_events += events
        if self._client is not None:
            self._client.request([(number, request)])

    def _forget(self, number: int) -> "Sent | None":
        sent = self._sent.pop(number, None)
        if sent is not None:
            self._sent_events -= sent.request.events
        return sent

    def _take_sent(self) -> "list[Sent]":
        taken = list(self._sent.values())
        self._sent.clear()
        self._sent_events = 0
        return taken

    def _deliver(self, futures: list[asyncio.Future[Appended]], outcomes: list[Outcome], _head: int) -> None:
        """Answer this process's own appends."""
        for future, outcome in zip(futures, outcomes, strict=True):
            if type(outcome) is Appended and not future.done():  # the usual case, without a call
                future.set_result(outcome)
            else:
                answer(future, outcome)

    def _answered(self, reply: Answer) -> None:
        """Answer the appends that another process wrote."""
        for item in reply.replies:
            sent = self._forget(item.number)
            if sent is not None:
                answer(sent.future, item.outcome)
        self._set_head(reply.head)

    # The head

    def _committed(self, head: int) -> None:
        self._set_head(head)
        if self._server is not None:
            self._server.announce(head)

    def _set_head(self, head: int) -> None:
        if head > self._head:
            self._head = head
            self._wake()

    def _wake(self) -> None:
        waiters, self._head_waiters = self._head_waiters, set()
        for waiter in waiters:
            wake(waiter)

    async def _head_moved(self) -> None:
        """Return at the next commit that this process hears of, at the latest after POLL_SECONDS, or when closed."""
        if self._is_closed:
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._head_waiters.add(waiter)
        timer = self._loop.call_later(POLL_SECONDS, wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._head_waiters.discard(waiter)

    async def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return self._head if self.is_writer else await self._read(self._reader.head)

    # Reading

    async def _read(self, function: Callable[..., T], *arguments: Any) -> T:
        if self._is_closed:
            raise StoreClosed("the event store is closed")
        try:
            return await self._loop.run_in_executor(self._executor, function, *arguments)
        except apsw.Error as error:
            raise EventStoreError(f"{self.path} cannot be read: {error}") from error

    async def read_all(
        self, after: int = 0, limit: int = 1000, *, types: Sequence[str] = (), scan_max: int = 100_000
    ) -> list[RecordedEvent]:
        """Return at most `limit` events above position `after`, in order, and of `types` if any: events/store.py."""
        return await self._read(self._reader.read_all, after, limit, types, scan_max)

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[RecordedEvent]:
        """Return at most `limit` events of one stream above the stream version `after`, in order."""
        return await self._read(self._reader.read_stream, stream, after, limit)

    async def stream_version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 if it has none."""
        return await self._read(self._reader.stream_version, stream)

    async def position_at(self, recorded_at: int) -> int:
        """Return the position of the last event recorded at or before that time (microseconds); 0 if there is none."""
        return await self._read(self._reader.position_at, recorded_at)

    async def find_key(self, key: str, *, fingerprint: str) -> Appended | None:
        """Return what the append with `key` did; None if there was none. Raises IdempotencyKeyReused."""
        return await self._read(self._reader.find_key, key, fingerprint)

    async def find_event(self, event_id: str) -> RecordedEvent | None:
        """Return the event of that id, or None."""
        return await self._read(self._reader.find_event, event_id)

    async def subscribe(self, after: int = 0, *, batch_events_max: int = 1000) -> AsyncIterator[list[RecordedEvent]]:
        """Yield all events above `after` in batches: first those that are there, then new ones as they are appended."""
        position = after
        while not self._is_closed:
            try:
                events = await self.read_all(position, batch_events_max)
            except StoreClosed:
                return
            if events:
                position = events[-1].position
                yield events
            elif self._head <= position:
                await self._head_moved()

    # The end

    async def close(self) -> None:
        """Finish the accepted appends and let go of the files."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._commits is None and self._sent:
            await asyncio.wait([sent.future for sent in self._sent.values()], timeout=WRITER_WAIT_SECONDS)
        self._role.cancel()
        await asyncio.gather(self._role, return_exceptions=True)
        if self._client is not None:
            self._client.transport.close()
        self._wake()
        await asyncio.to_thread(self._executor.shutdown)
        self._reader.close()
        if self._server is not None and self._commits is not None:
            await self._server.close()
            await self._commits.close()  # the last connection to close: it moves the WAL into the file
            await asyncio.to_thread(self._socket_path.unlink, missing_ok=True)
        self._lock.release()


class Sent(NamedTuple):
    """An append that another process was asked to write. deadline: of the loop's clock.

    append_id: by which its rows are known if it has no key. head: the log's when it was sent; it can only stand above.
    """

    request: AppendRequest
    future: asyncio.Future[Appended]
    deadline: float
    append_id: str
    head: int

    def again(self) -> AppendRequest:
        """Return the request for another writer, which finds out whether it was written."""
        return msgspec.structs.replace(self.request, resent_as=self.append_id, resent_after=self.head)


def wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def answer(future: asyncio.Future[Appended], outcome: Outcome) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(outcome, Appended):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
