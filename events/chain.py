"""The hash chain: what a row's hash is, and the walk that verifies a log. Floor 1.

hash = SHA-256(previous hash, then the row's fields as text, joined by newlines); the first previous hash is the SHA-256
of the log's id. No field holds a newline (JSON escapes it, streams may not), so the text reads in one way only.
"""

import itertools
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

import apsw
import msgspec

from events.connection import open_read_only, select
from events.errors import EventStoreError, LogTampered

# The columns of `runs` in the order in which they are hashed: position, count, stream, stream_version, type,
# schema_version, recorded_at, event_id, metadata, data.
Row = tuple[int, int, str, int, str, int, int, str | None, str, str]

# The same text as `extend` makes, put together by SQLite: three values a row to fetch in place of eleven.
HASHED_TEXT: Final = (
    "concat_ws(char(10), position, count, stream, stream_version, type, schema_version, recorded_at, "
    "coalesce(event_id, ''), metadata, data)"
)


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole walk found in order. head_hash: hex; keep it elsewhere to find a truncated tail later."""

    events: int
    head_position: int
    head_hash: str
    head_recorded_at: int


def first_hash(log_id: str) -> bytes:
    return sha256(log_id.encode()).digest()


def extend(previous: bytes, row: Row) -> bytes:
    """Return the hash of `row`, 32 bytes, after the row whose hash is `previous`."""
    position, count, stream, stream_version, type_name, schema_version, recorded_at, event_id, metadata, data = row
    text = (
        f"{position}\n{count}\n{stream}\n{stream_version}\n{type_name}\n{schema_version}\n"
        f"{recorded_at}\n{event_id or ''}\n{metadata}\n{data}"
    )
    return sha256(previous + text.encode()).digest()


def verify(
    path: Path, *, anchors: Iterable[tuple[int, str]] = (), progress: Callable[[int], None] | None = None
) -> Verified:
    """Walk the whole log and return its head.

    The file's own structure is checked too: flipped bits that the chain does not cover, such as those of an index.
    anchors: (position, hash in hex) noted earlier, each of which must still stand. progress: called with the position.
    Raises LogTampered with the first bad position; EventStoreError if there is no log.
    """
    connection = open_read_only(path)
    try:
        check_structure(connection)
        [(log_id,)] = select(connection, "SELECT log_id FROM log_info")
        wanted = sorted(anchors, reverse=True)
        head = walk(connection, first_hash(log_id), wanted, progress)
        check_keys(connection)
    except apsw.Error as error:
        raise EventStoreError(f"{path} cannot be read: {error}") from error
    finally:
        connection.close()
    if wanted:
        raise LogTampered(
            head.head_position + 1, f"the log ends here, but position {wanted[-1][0]} was noted: its tail is missing"
        )
    return head


def walk(
    connection: apsw.Connection, previous: bytes, anchors: list[tuple[int, str]], progress: Callable[[int], None] | None
) -> Verified:
    """Recompute every hash from the first row on; takes those it met off the end of `anchors`, last position first."""
    position = recorded_at = 0
    rows_a_page = 10_000  # a page is a transaction of its own, so that a long walk does not hold back the checkpoint
    while True:
        page = select(
            connection,
            f"SELECT position, count, recorded_at, {HASHED_TEXT}, hash FROM runs "
            "WHERE position > ? ORDER BY position LIMIT ?",
            (position, rows_a_page),
        )
        for row_position, count, row_recorded_at, text, row_hash in page:
            first = position + 1
            if row_position - count != position:
                raise LogTampered(first, f"the next row holds {row_position - count + 1} to {row_position}")
            if row_recorded_at < recorded_at:
                raise LogTampered(first, "it was recorded before the event that precedes it")
            previous = sha256(previous + text.encode()).digest()
            if previous != row_hash:
                raise LogTampered(first, "its bytes do not have the hash that was written with them")
            position, recorded_at = row_position, row_recorded_at
            while anchors and anchors[-1][0] <= position:
                if anchors.pop()[1] != previous.hex():
                    raise LogTampered(first, "its hash is not the one that was noted: the log was written anew")
        if not page:
            return Verified(
                events=position, head_position=position, head_hash=previous.hex(), head_recorded_at=recorded_at
            )
        if progress is not None:
            progress(position)


def verify_tail(connection: apsw.Connection, *, rows_max: int) -> None:
    """Recompute the hashes of the last rows. Raises LogTampered with the first bad position."""
    rows = select(
        connection,
        f"SELECT position, count, {HASHED_TEXT}, hash FROM runs ORDER BY position DESC LIMIT ?",
        (rows_max + 1,),
    )
    rows.reverse()
    for (_, _, _, previous), (position, count, text, row_hash) in itertools.pairwise(rows):
        if sha256(previous + text.encode()).digest() != row_hash:
            raise LogTampered(position - count + 1, "its bytes do not have the hash that was written with them")


def check_structure(connection: apsw.Connection) -> None:
    """Raise LogTampered if SQLite finds the file damaged."""
    [(verdict,), *_] = select(connection, "PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise LogTampered(0, f"SQLite finds the file damaged: {verdict}")


def check_keys(connection: apsw.Connection) -> None:
    """Raise LogTampered if the table of idempotency keys is not the one that the rows tell."""
    lost = select(
        connection,
        """
        SELECT runs.position FROM runs
        WHERE instr(metadata, '"idempotency_key":') AND NOT EXISTS (
            SELECT 1 FROM keys WHERE key = 'key:' || json_extract(runs.metadata, '$.idempotency_key')
                AND runs.position BETWEEN first_position AND keys.position
        )
        OR event_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM keys WHERE key = 'event:' || runs.event_id AND keys.position = runs.position
        )
        ORDER BY runs.position LIMIT 1
        """,
    )
    for (position,) in lost:
        raise LogTampered(position, "its idempotency key or event id is missing from `keys`")
    invented = select(
        connection,
        """
        SELECT keys.position FROM keys LEFT JOIN runs USING (position)
        WHERE runs.position IS NULL
        OR key <> 'key:' || coalesce(json_extract(metadata, '$.idempotency_key'), '')
            AND key <> 'event:' || coalesce(event_id, '')
        ORDER BY 1 LIMIT 1
        """,
    )
    for (position,) in invented:
        raise LogTampered(position, "`keys` names a key that it does not have")
