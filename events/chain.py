"""The hash chain: what a row's hash is, and the walk that verifies a log. Floor 1.

hash = SHA-256(previous hash, then the row's fields as text, joined by newlines); the first previous hash is that of the
log's identity. No field holds a newline (JSON escapes it, streams may not), so the text reads in one way only.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

import apsw
import msgspec

from events.connection import open_read_only, select
from events.errors import EventStoreError, LogTampered
from events.request import content_fingerprint
from migrations.apply import apply

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations" / "log"
# The same text as `extend` makes, put together by SQLite.
HASHED_TEXT: Final = (
    "concat_ws(char(10), position, count, stream, stream_version, type, schema_version, recorded_at, "
    "coalesce(event_id, ''), metadata, data)"
)
# A page of rows as one row, fetched in one call. No hashed text holds a record separator (JSON escapes it); rows come
# in the order of their positions, the table's key.
PAGE: Final = f"""
    SELECT CAST(group_concat({HASHED_TEXT}, char(30)) AS BLOB), CAST(group_concat(hash, '') AS BLOB),
        max(position), sum(count), min(recorded_at)
    FROM (SELECT * FROM runs WHERE position > ? ORDER BY position LIMIT ?)
"""
PAGES_AHEAD: Final = 2
HELD_BYTES_MAX: Final = 2047
PAGE_ROWS: Final = 4_000  # a page is a transaction of its own, so that a long walk does not hold back the checkpoint
BEFORE_ALL: Final = -(2**63)  # a forged row may have any position
# What the rows tell of the idempotency keys, and what the table of them holds.
KEYS_TOLD: Final = """
    SELECT 'key:' || json_extract(metadata, '$.idempotency_key') AS key, min(position - count) + 1 AS first_position,
        max(position) AS position, json_extract(metadata, '$.fingerprint') AS fingerprint
    FROM runs WHERE instr(metadata, '"idempotency_key":') GROUP BY 1
    UNION ALL
    SELECT 'event:' || event_id, position, position, content_fingerprint(stream, type, data)
    FROM runs WHERE event_id IS NOT NULL
"""
KEYS_HELD: Final = "SELECT key, first_position, position, fingerprint FROM keys"
WRONG_HASH: Final = "its bytes do not have the hash that was written with them"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole walk found in order. head_hash: hex; keep it elsewhere to find a truncated tail later."""

    events: int
    head_position: int
    head_hash: str
    head_recorded_at: int


def first_hash(connection: apsw.Connection) -> bytes:
    """Return the hash before the first row. Raises LogTampered if the log has lost its identity."""
    for log_id, id_salt, created_at in select(connection, "SELECT log_id, id_salt, created_at FROM log_info"):
        return sha256(f"{log_id}\n{id_salt}\n{created_at}".encode()).digest()
    raise LogTampered(0, "`log_info` is empty: the log has lost its identity")


def extend(
    previous: bytes,
    position: int,
    count: int,
    stream: str,
    stream_version: int,
    type_name: str,
    schema_version: int,
    recorded_at: int,
    event_id: str | None,
    metadata: str,
    data: str,
) -> bytes:
    """Return the hash of a row, 32 bytes, after the row whose hash is `previous`."""
    text = (
        f"{position}\n{count}\n{stream}\n{stream_version}\n{type_name}\n{schema_version}\n"
        f"{recorded_at}\n{event_id or ''}\n{metadata}\n{data}"
    )
    return digest(previous + text.encode())


def digest(content: bytes) -> bytes:
    """Return the SHA-256 of the content, without letting go of the interpreter.

    hashlib does so above 2,047 bytes, for some microseconds, and beside a busy thread it then waits for a whole switch
    interval to get it back: in the event loop.
    """
    if len(content) <= HELD_BYTES_MAX:
        return sha256(content).digest()
    hashing = sha256()
    for start in range(0, len(content), HELD_BYTES_MAX):
        hashing.update(content[start : start + HELD_BYTES_MAX])
    return hashing.digest()


def verify(
    path: Path, *, anchors: Iterable[tuple[int, str]] = (), progress: Callable[[int], None] | None = None
) -> Verified:
    """Walk the whole log and return its head.

    The file's own structure is checked too: flipped bits that the chain does not cover, such as those of an index.
    anchors: (position, hash in hex) noted earlier, each of which must still stand. progress: called with the position.
    Raises LogTampered with the first bad position; EventStoreError if there is no log, or it cannot be read.
    """
    try:
        # What SQLite does by itself needs no interpreter, so it goes on beside the walk.
        with closing(open_read_only(path)) as connection, ThreadPoolExecutor(2) as beside:
            rest = beside.submit(check_beside, path)
            head = walk(connection, sorted(anchors), progress, beside)
            rest.result()
            check_schema(connection)
    except (apsw.Error, UnicodeDecodeError) as error:
        raise EventStoreError(f"{path} cannot be read: {error}") from error
    return head


def walk(
    connection: apsw.Connection,
    anchors: list[tuple[int, str]],
    progress: Callable[[int], None] | None,
    beside: Executor,
) -> Verified:
    """Recompute every hash from the first row on. anchors: in the order of their positions. beside: fetches pages."""
    previous = first_hash(connection)
    position = recorded_at = 0
    standing = [hash_noted for noted, hash_noted in anchors if noted == 0]
    if any(hash_noted != previous.hex() for hash_noted in standing):
        raise LogTampered(1, "it is another log than the one that was noted")
    for texts, hashes, last, events, earliest in pages(connection, beside):
        rows: list[bytes] = texts.split(b"\x1e")
        computed = []
        for row in rows:
            previous = sha256(previous + row).digest()
            computed.append(previous)
        noted = [anchor for anchor in anchors if position < anchor[0] <= last]
        is_whole = last - position == events and b"".join(computed) == hashes and earliest >= recorded_at
        if noted or not is_whole:
            check_page(rows, computed, hashes, noted, after=position, since=recorded_at)
        position, recorded_at = last, int(rows[-1].split(b"\n", 7)[6])
        if progress is not None:
            progress(position)
    if anchors and anchors[-1][0] > position:
        raise LogTampered(
            position + 1, f"the log ends here, but position {anchors[-1][0]} was noted: its tail is missing"
        )
    return Verified(events=position, head_position=position, head_hash=previous.hex(), head_recorded_at=recorded_at)


def pages(connection: apsw.Connection, beside: Executor) -> Iterator[tuple[bytes, bytes, int, int, int]]:
    """Yield the rows of PAGE; `beside` fetches the next ones while the caller works on one."""
    fetched: Queue[Any] = Queue(PAGES_AHEAD)
    is_wanted = True

    def fetch() -> None:
        after: int | None = BEFORE_ALL
        try:
            while is_wanted and after is not None:
                [page] = select(connection, PAGE, (after, PAGE_ROWS))
                fetched.put(page)
                after = page[2]
        except BaseException:
            fetched.put([None])
            raise

    fetching = beside.submit(fetch)
    try:
        while (page := fetched.get())[0] is not None:
            yield page
        fetching.result()
    finally:
        is_wanted = False
        while not fetching.done():  # it may wait for a place
            with suppress(Empty):
                fetched.get(timeout=0.01)


def check_page(
    rows: list[bytes], computed: list[bytes], hashes: bytes, noted: list[tuple[int, str]], *, after: int, since: int
) -> None:
    """Look at each row of a page. Raises LogTampered with the first position of the first bad one."""
    for number, row in enumerate(rows):
        try:
            position, count = (int(field) for field in row.split(b"\n", 2)[:2])
        except ValueError as error:
            raise LogTampered(after + 1, WRONG_HASH) from error
        if position - count != after:
            raise LogTampered(after + 1, f"the next row holds {position - count + 1} to {position}")
        row_hash = computed[number].hex()
        if computed[number] != hashes[32 * number : 32 * number + 32]:
            raise LogTampered(after + 1, WRONG_HASH)
        if int(row.split(b"\n", 7)[6]) < since:
            raise LogTampered(after + 1, "it was recorded before the event that precedes it")
        if any(after < noted_position <= position and noted_hash != row_hash for noted_position, noted_hash in noted):
            raise LogTampered(after + 1, "its hash is not the one that was noted: the log was written anew")
        after, since = position, int(row.split(b"\n", 7)[6])


def verify_tail(connection: apsw.Connection, *, rows_max: int) -> None:
    """Recompute the hashes of the last rows, of a short log all of them. Raises LogTampered with the first bad one."""
    rows = select(
        connection,
        f"SELECT position, count, CAST({HASHED_TEXT} AS BLOB), hash FROM runs ORDER BY position DESC LIMIT ?",
        (rows_max + 1,),
    )
    if len(rows) <= rows_max:
        rows.append((0, 0, b"", first_hash(connection)))
    rows.reverse()
    for (_, _, _, previous), (position, count, text, row_hash) in pairwise(rows):
        if sha256(previous + text).digest() != row_hash:
            raise LogTampered(position - count + 1, WRONG_HASH)


def check_schema(connection: apsw.Connection) -> None:
    """Raise LogTampered if a table, an index, the view or a trigger that refuses change is not what it was made as."""
    objects = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(apsw.Connection(":memory:")) as made_anew:
        apply(made_anew, MIGRATIONS)
        for kind, name, _ in sorted(set(select(made_anew, objects)) ^ set(select(connection, objects))):
            raise LogTampered(0, f"the {kind} {name} is not the one that the log was made with")


def check_beside(path: Path) -> None:
    """Check what the chain does not cover: the file's structure, then the keys. Raises LogTampered."""
    with closing(open_read_only(path)) as connection:
        [(verdict,), *_] = select(connection, "PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise LogTampered(0, f"SQLite finds the file damaged: {verdict}")
        check_keys(connection)


def check_keys(connection: apsw.Connection) -> None:
    """Raise LogTampered if the table of idempotency keys is not the one that the rows tell."""
    connection.create_scalar_function(
        "content_fingerprint", lambda *parts: content_fingerprint(list(parts)), 3, deterministic=True
    )
    for told, held, reason in (
        (KEYS_TOLD, KEYS_HELD, "its idempotency key or event id does not stand in `keys` as it was given"),
        (KEYS_HELD, KEYS_TOLD, "`keys` names a key that it does not have"),
    ):
        wrong = select(
            connection,
            f"SELECT first_position FROM (SELECT * FROM ({told}) EXCEPT SELECT * FROM ({held})) ORDER BY 1 LIMIT 1",
        )
        for (position,) in wrong:
            raise LogTampered(position, reason)
