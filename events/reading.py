"""Reading log.db in bounded pages, each a transaction of its own: no reader holds back the checkpoint. Floor 1."""

import threading
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from events.codec import decode_metadata, decode_run
from events.connection import open_read_only, select
from events.errors import IdempotencyKeyReused, UndecodableEvent, UnknownEventType
from events.event import Appended, Metadata, RecordedEvent, Run
from events.request import EVENTS_PER_APPEND_MAX

# As bytes: text that is no UTF-8 shall be an error that names its position.
COLUMNS: Final = (
    "position, count, CAST(stream AS BLOB), stream_version, CAST(type AS BLOB), schema_version, recorded_at, "
    "CAST(event_id AS BLOB), CAST(metadata AS BLOB), CAST(data AS BLOB), hash"
)


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
        if not types:
            return self._recorded(
                f"SELECT {COLUMNS} FROM runs WHERE position > ? ORDER BY position LIMIT ?",
                (after, limit),
                after_position=after,
                limit=limit,
            )
        events = self._recorded(
            # The run that crosses the edge of what is looked through counts: its first events are within.
            f"SELECT {COLUMNS} FROM runs WHERE position > ? AND position - count < ? "
            f"AND position < ? + {EVENTS_PER_APPEND_MAX} "
            "AND type IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?",
            (after, after + scan_max, after + scan_max, msgspec.json.encode(types).decode(), limit),
            after_position=after,
            limit=limit,
        )
        return [event for event in events if event.position <= after + scan_max]

    def read_stream(self, stream: str, after: int, limit: int) -> list[RecordedEvent]:
        return self._recorded(
            f"SELECT {COLUMNS} FROM runs WHERE stream = ? AND stream_version > ? ORDER BY stream_version LIMIT ?",
            (stream, after, limit),
            after_version=after,
            limit=limit,
        )

    def _recorded(
        self, sql: str, bindings: tuple[Any, ...], *, after_position: int = 0, after_version: int = 0, limit: int
    ) -> list[RecordedEvent]:
        """Return the events of the rows. One that cannot be decoded is raised when nothing precedes it."""
        events: list[RecordedEvent] = []
        salt = self.id_salt()
        # Closed whatever happens: an error that somebody keeps would keep the cursor, and that the checkpoint, waiting.
        with closing(self._connection().cursor()) as rows:
            try:
                for row in rows.execute(sql, bindings):
                    events += events_of(row, salt, after_position=after_position, after_version=after_version)
                    if len(events) >= limit:
                        break
            except (UnknownEventType, UndecodableEvent):
                if not events:
                    raise
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


@lru_cache(maxsize=256)  # appends of one actor and request come one after the other
def metadata_of(text: bytes) -> Metadata:
    return decode_metadata(text)


def events_of(row: tuple[Any, ...], id_salt: int, *, after_position: int, after_version: int) -> list[RecordedEvent]:
    """Return the events of one row of `runs`, without those up to the given position or stream version.

    Raises UnknownEventType, UndecodableEvent.
    """
    position, count, stream, stream_version, kind, schema_version, recorded_at, event_id, metadata, data, row_hash = row
    first_position = position - count + 1
    try:
        type_name = kind.decode()
        run = Run(
            position,
            stream.decode(),
            stream_version,
            type_name,
            schema_version,
            recorded_at,
            None if event_id is None else event_id.decode(),
            id_salt,
            metadata_of(metadata),
            row_hash,
        )
    except (UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise UndecodableEvent(repr(kind), position=first_position, reason=str(error)) from error
    decoded = decode_run(type_name, schema_version, data, position=first_position)
    if count == 1:
        return [RecordedEvent(position, stream_version, decoded[0], run)]
    skipped = max(0, after_position - (position - count), after_version - (stream_version - count))
    back = position - stream_version
    return [
        RecordedEvent(at, at - back, event, run)
        for at, event in enumerate(decoded[skipped:], start=first_position + skipped)
    ]
