"""The one connection that writes the log: takes a batch of appends, decides each, commits all at once. Floor 1.

Synchronous, used by one thread at a time; whoever makes a LogWriter holds the log's lock (events/lock.py).
"""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw

from events import chain
from events.codec import encode
from events.connection import select
from events.errors import EventStoreError, IdempotencyKeyReused, StoreFull, StoreUnavailable, WrongExpectedVersion
from events.event import ANY, Appended
from events.request import AppendRequest, EncodedRun
from migrations.apply import apply

PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",  # the log cannot be rebuilt, so each commit waits for the disk
    "wal_autocheckpoint = 8000",  # 32 MB: at the default 1000 pages, p99 at 16 producers is five times as long
    "cache_size = -65536",
    "busy_timeout = 5000",
)
INSERT: Final = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
VERSIONS_CACHED_MAX: Final = 100_000
TAIL_ROWS_VERIFIED: Final = 1_000
Outcome = Appended | EventStoreError
Head = tuple[int, int, bytes]  # position, recorded_at and hash of the last row


def now_microseconds() -> int:
    return time.time_ns() // 1000


def nothing() -> None:
    """The default of `before_disk`."""


class LogWriter:
    """Writes `path`. Raises LogTampered if the tail's hashes are wrong, MigrationError if the schema is newer."""

    def __init__(self, path: Path, *, clock: Callable[[], int] = now_microseconds) -> None:
        self.clock = clock
        try:
            self._connection = apsw.Connection(str(path))
            self._prepare()
        except BaseException as error:
            self._connection.close()  # now: closed by chance later, it could write without the lock
            if isinstance(error, (apsw.Error, UnicodeDecodeError)):
                raise EventStoreError(f"{path} cannot be used as a log: {error}") from error
            raise

    def _prepare(self) -> None:
        for pragma in PRAGMAS:
            select(self._connection, f"PRAGMA {pragma}")
        apply(self._connection, chain.MIGRATIONS)
        self._ensure_identity()
        self._load_head()
        chain.verify_tail(self._connection, rows_max=TAIL_ROWS_VERIFIED)
        chain.check_schema(self._connection)

    def _ensure_identity(self) -> None:
        """Give a new log its identity; one that has events and no identity is not given another."""
        if select(self._connection, "SELECT 1 FROM log_info UNION ALL SELECT 1 FROM runs LIMIT 1"):
            return
        log_id = str(uuid.uuid4())
        salt = int.from_bytes(sha256(log_id.encode()).digest()[:2]) & 0x3FFF
        self._connection.execute("INSERT INTO log_info VALUES (?, ?, ?)", (log_id, salt, self.clock()))

    def _load_head(self) -> None:
        """Read where the log ends; forget everything remembered about it."""
        last = select(self._connection, "SELECT position, recorded_at, hash FROM runs ORDER BY position DESC LIMIT 1")
        self.head: Head = last[0] if last else (0, 0, chain.first_hash(self._connection))
        self.versions: dict[str, int] = {}

    def prepare(self, requests: Sequence[AppendRequest], *, after: "Batch | None") -> "Batch":
        """Return the batch of the requests, decided already if that needs no look at the disk.

        after: the batch that goes to `commit` before this one. May be called beside `commit`, from another thread.
        """
        batch = Batch(self, requests)
        base = None if after is None or after.is_done else after
        if base is None or base.is_decided:
            with suppress(NeedsDisk):
                batch.decide(base)
        return batch

    def commit(self, batch: "Batch", *, before_disk: Callable[[], None] = nothing) -> list[Outcome]:
        """Append the batch, all in one transaction on disk, and return what became of each request.

        before_disk: called when only the wait for the disk is left, which needs no interpreter.
        Raises StoreFull or StoreUnavailable when nothing at all was written.
        """
        try:
            if not batch.is_decided or batch.start != self.head:  # or else the batch before it has failed
                batch.decide_with_disk()
            if batch.rows:
                self._insert(batch)
            before_disk()
            if batch.rows:
                self._connection.execute("COMMIT")
        except apsw.FullError as error:
            self._roll_back()
            raise StoreFull("the disk is full: nothing was written; free some space and retry") from error
        except apsw.Error as error:
            self._roll_back()
            raise StoreUnavailable(
                f"the log could not be written ({error}): nothing was acknowledged; retry"
            ) from error
        else:
            if len(self.versions) > VERSIONS_CACHED_MAX:
                self.versions = {}
            self.versions.update(batch.versions)
            self.head = batch.end
            return batch.outcomes
        finally:
            batch.is_done = True

    def _insert(self, batch: "Batch") -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, batch.rows)
        if batch.keys:
            self._connection.executemany("INSERT INTO keys VALUES (?, ?, ?, ?)", batch.keys)

    def _roll_back(self) -> None:
        """Return to what is on disk: after an error in a commit only the file knows whether it took place."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._load_head()
        except apsw.Error:
            # The disk refuses reads too: the next commit tries again, against the old head; the insert trigger refuses
            # a row that does not follow the log's last one.
            self.versions = {}

    def load_versions(self, streams: set[str]) -> dict[str, int]:
        """Return the version of each stream; 0 for one that is empty."""
        versions = dict.fromkeys(streams, 0)
        if streams:
            versions.update(
                self._connection.execute(
                    "SELECT stream, max(stream_version) FROM runs "
                    "WHERE stream IN (SELECT value FROM json_each(?)) GROUP BY stream",
                    (encode(list(streams)).decode(),),
                )
            )
        return versions

    def load_keys(self, keys: list[str]) -> dict[str, tuple[int, int, str]]:
        """Return key → (first position, position, fingerprint) of the keys that were used before."""
        found = self._connection.execute(
            "SELECT key, first_position, position, fingerprint FROM keys WHERE key IN (SELECT value FROM json_each(?))",
            (encode(keys).decode(),),
        )
        return {key: (first_position, position, fingerprint) for key, first_position, position, fingerprint in found}

    def load_resent(self, after: int) -> dict[str, tuple[int, int]]:
        """Return append id → (first position, position) of the appends of other processes above the position `after`.

        Read when a writer has taken over, so they need no index.
        """
        found = self._connection.execute(
            "SELECT json_extract(metadata, '$.append_id') AS id, min(position - count) + 1, max(position) FROM runs "
            "WHERE position > ? AND instr(metadata, '\"append_id\":') GROUP BY id",
            (after,),
        )
        return {append_id: (first_position, position) for append_id, first_position, position in found}

    def stream_version_at(self, position: int) -> int:
        [(version,)] = select(
            self._connection,
            "SELECT stream_version FROM runs WHERE position >= ? ORDER BY position LIMIT 1",
            (position,),
        )
        return int(version)

    def close(self) -> None:
        self._connection.close()


class NeedsDisk(Exception):  # no error: the batch is decided by the thread that may read the disk
    """A batch cannot be decided from what is in memory."""


class StreamVersions(dict[str, int]):
    """The versions that a batch leaves its streams at; one that it has not touched is looked up in `older`."""

    def __init__(self, *older: dict[str, int]) -> None:
        self._older = older

    def __missing__(self, stream: str) -> int:
        for versions in self._older:
            if (version := versions.get(stream)) is not None:
                return version
        raise NeedsDisk


class Batch:
    """Requests to commit together; once decided, the rows that they make and the outcome of each.

    start, end: the log's heads before and after it. is_done: committed, or failed.
    """

    def __init__(self, writer: LogWriter, requests: Sequence[AppendRequest]) -> None:
        self._writer = writer
        self._requests = requests
        self._gathered_at = writer.clock()
        self.is_decided = False
        self.is_done = False

    def decide(self, after: "Batch | None") -> None:
        """Decide each request on top of the log's head, or of a batch that is on its way to the disk.

        Raises NeedsDisk if a request has a key, was sent before, or names a stream whose version is not in memory.
        """
        known = self._writer.versions
        if any(request.keys or request.resent_as for request in self._requests):
            raise NeedsDisk
        if after is None:
            self._decide_all(self._writer.head, StreamVersions(known))
        else:
            # A copy, or else each batch would keep alive all those before it.
            self._decide_all(after.end, StreamVersions(dict(after.versions), known))

    def decide_with_disk(self) -> None:
        """Decide each request on top of the log's head."""
        writer, requests = self._writer, self._requests
        streams = {run.stream for request in requests for run in request.runs}
        loaded = writer.load_versions(streams - writer.versions.keys())
        wanted = [key for request in requests for key, _ in request.keys]
        self._used = writer.load_keys(wanted) if wanted else {}
        resent = [request for request in requests if request.resent_as]
        self._written = writer.load_resent(min(request.resent_after for request in resent)) if resent else {}
        self._decide_all(writer.head, StreamVersions(loaded, writer.versions))

    def _decide_all(self, start: Head, versions: StreamVersions) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.keys: list[tuple[str, int, int, str]] = []
        self.start = start
        self.position, self.recorded_at, self.hash = start
        self.recorded_at = max(self.recorded_at, self._gathered_at)
        self.versions = versions
        self.outcomes: list[Outcome] = [self._decide(request) for request in self._requests]
        self.end: Head = (self.position, self.recorded_at, self.hash) if self.rows else start
        self.is_decided = True

    def _decide(self, request: AppendRequest) -> Outcome:
        """Add the request's rows, or say why there are none. The keys are looked at before the expected versions."""
        versions = self.versions
        if request.resent_as and (written := self._written.get(request.resent_as)) is not None:
            return Appended(*written, self._stream_version_at(written[1]), is_repeat=True)
        if request.keys and (earlier := self._find_earlier(request)) is not None:
            return earlier
        for run in request.runs:
            if run.expected_version != ANY and versions[run.stream] != run.expected_version:
                return WrongExpectedVersion(run.stream, expected=run.expected_version, found=versions[run.stream])
        first_position = self.position + 1
        for run in request.runs:
            self._add_row(run, request.metadata)
        if request.has_key:
            self._use_key(*request.keys[0], first_position)
        if request.resent_as:
            self._written[request.resent_as] = (first_position, self.position)
        return Appended(first_position, self.position, versions[run.stream])

    def _find_earlier(self, request: AppendRequest) -> Outcome | None:
        """Return the first answer if the append was made before, an error if only a part or another one was."""
        used = [(key, fingerprint, self._used[key]) for key, fingerprint in request.keys if key in self._used]
        if not used:
            return None
        for key, fingerprint, (_, _, first_fingerprint) in used:
            if fingerprint != first_fingerprint:
                return IdempotencyKeyReused(key.partition(":")[2])
        is_of_key = request.has_key and used[0][0] == request.keys[0][0]
        if not is_of_key and len(used) < len(request.keys) - request.has_key:  # only a part of the event ids was used
            return IdempotencyKeyReused(used[0][0].partition(":")[2])
        first_position = min(positions[0] for _, _, positions in used)
        position = max(positions[1] for _, _, positions in used)
        return Appended(first_position, position, self._stream_version_at(position), is_repeat=True)

    def _stream_version_at(self, position: int) -> int:
        """Return the stream version of the row that ends at `position`, in the log or in this batch."""
        for row in self.rows:
            if row[0] == position:
                return int(row[3])
        return self._writer.stream_version_at(position)

    def _add_row(self, run: EncodedRun, metadata: str) -> None:
        stream, count = run.stream, run.count
        position = self.position = self.position + count
        version = self.versions[stream] = self.versions[stream] + count
        row = (position, count, stream, version, run.type, run.schema_version, self.recorded_at, run.event_id)
        row_hash = self.hash = chain.extend(self.hash, *row, metadata, run.data)
        self.rows.append((*row, metadata, run.data, row_hash))
        if run.event_id is not None:
            self._use_key(f"event:{run.event_id}", run.fingerprint, self.position)

    def _use_key(self, key: str, fingerprint: str, first_position: int) -> None:
        self._used[key] = (first_position, self.position, fingerprint)
        self.keys.append((key, first_position, self.position, fingerprint))
