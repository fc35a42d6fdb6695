"""Reading log.db in bounded pages, each a transaction of its own: no reader holds back the checkpoint. Floor 1."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from events.codec import decode_run
from events.connection import open_read_only, select
from events.errors import IdempotencyKeyReused, UndecodableEvent, UnknownEventType
from events.event import Appended, Metadata, RecordedEvent, Run

COLUMNS: Final = (
    "position, count, stream, stream_version, type, schema_version, recorded_at, event_id, metadata, data, hash"
)
decode_metadata: Final = msgspec.json.Decoder(Metadata).decode


class LogReader:
    """Read-only connections to the log, one a thread. Every method is synchronous and may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of_thread = threading.local()
        self._connections: list[apsw.Connection] = []

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = open_read_only(self._path)
            self._connections.append(connection)
        return connection

    def _select(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return select(self._connection(), sql, bindings)

    def read_all(self, after: int, limit: int, types: Sequence[str], scan_max: int) -> list[RecordedEvent]:
        if types:
            rows = self._connection().execute(
                f"SELECT {COLUMNS} FROM runs WHERE position > ? AND position <= ? "
                "AND type IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?",
                (after, after + scan_max, msgspec.json.encode(types).decode(), limit),
            )
        else:
            rows = self._connection().execute(
                f"SELECT {COLUMNS} FROM runs WHERE position > ? ORDER BY position LIMIT ?", (after, limit)
            )
        return self._recorded(rows, after_position=after, after_version=0, limit=limit)

    def read_stream(self, stream: str, after: int, limit: int) -> list[RecordedEvent]:
        rows = self._connection().execute(
            f"SELECT {COLUMNS} FROM runs WHERE stream = ? AND stream_version > ? ORDER BY stream_version LIMIT ?",
            (stream, after, limit),
        )
        return self._recorded(rows, after_position=0, after_version=after, limit=limit)

    def _recorded(
        self, rows: Iterable[tuple[Any, ...]], *, after_position: int, after_version: int, limit: int
    ) -> list[RecordedEvent]:
        """Return the events of the rows. One that cannot be decoded is raised when nothing precedes it."""
        events: list[RecordedEvent] = []
        salt = self.id_salt()
        metadata_text, metadata = "", Metadata(actor="")
        for row in rows:
            (
                position, count, stream, stream_version, type_name, schema_version,
                recorded_at, event_id, row_metadata, data, row_hash,
            ) = row  # fmt: skip
            if row_metadata != metadata_text:
                metadata_text, metadata = row_metadata, decode_metadata(row_metadata)
            run = Run(
                position,
                stream,
                stream_version,
                type_name,
                schema_version,
                recorded_at,
                event_id,
                salt,
                metadata,
                row_hash,
            )
            try:
                decoded = decode_run(type_name, schema_version, data, position=position - count + 1)
            except (UnknownEventType, UndecodableEvent):
                if events:
                    break
                raise
            if count == 1:
                events.append(RecordedEvent(position, stream_version, decoded[0], run))
            else:
                skipped = max(0, after_position - (position - count), after_version - (stream_version - count))
                back = position - stream_version
                events.extend(
                    RecordedEvent(at, at - back, event, run)
                    for at, event in enumerate(decoded[skipped:], start=position - count + 1 + skipped)
                )
            if len(events) >= limit:
                break
        return events[:limit]

    def id_salt(self) -> int:
        salt: int | None = getattr(self._of_thread, "id_salt", None)
        if salt is None:
            [(salt,)] = self._select("SELECT id_salt FROM log_info")
            self._of_thread.id_salt = salt
        assert salt is not None
        return salt

    def head(self) -> int:
        [(position,)] = self._select("SELECT coalesce(max(position), 0) FROM runs")
        return int(position)

    def stream_version(self, stream: str) -> int:
        [(version,)] = self._select("SELECT coalesce(max(stream_version), 0) FROM runs WHERE stream = ?", (stream,))
        return int(version)

    def find_key(self, key: str, fingerprint: str) -> Appended | None:
        found = self._select(
            "SELECT first_position, keys.position, stream_version, fingerprint FROM keys JOIN runs USING (position) "
            "WHERE key = ?",
            (f"key:{key}",),
        )
        for first_position, position, stream_version, first_fingerprint in found:
            if fingerprint != first_fingerprint:
                raise IdempotencyKeyReused(key)
            return Appended(first_position, position, stream_version, is_repeat=True)
        return None

    def find_event(self, event_id: str) -> RecordedEvent | None:
        given = self._select("SELECT position FROM keys WHERE key = ?", (f"event:{event_id}",))
        try:
            position = given[0][0] if given else int(event_id[-12:], 16)
        except ValueError:
            return None
        for event in self.read_all(position - 1, 1, (), 1):
            if event.event_id == event_id:
                return event
        return None

    def position_at(self, recorded_at: int) -> int:
        """Bisect: recorded_at never falls, so no index is needed."""
        low, high = 0, self.head()  # the answer is in [low, high]
        while low < high:
            middle = (low + high + 1) // 2
            [(row_position, count, row_recorded_at)] = self._select(
                "SELECT position, count, recorded_at FROM runs WHERE position >= ? ORDER BY position LIMIT 1", (middle,)
            )
            if row_recorded_at <= recorded_at:
                low = min(row_position, high)
            else:
                high = row_position - count
        return low

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
