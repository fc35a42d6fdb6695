"""The hash chain names the first position that is not what was written, whatever was changed in the file."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from events import chain
from events.errors import EventStoreError, LogTampered
from events.event import NewEvent, StreamAppend
from events.lock import WriterLock
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, query, tamper, write

OTHER_HASH = "x'" + "00" * 32 + "'"


@pytest.fixture
async def log(path: Path) -> Path:
    """A closed log: 1 · 2–4 a run with key k · 5 with an event id · 6–7 two streams with key j · 8 · 9."""
    async with await SqliteEventStore.open(path) as store:
        await store.append("metric-m", [point(1)], metadata=ACTOR)
        await store.append("metric-m", [point(2), point(3), point(4)], metadata=ACTOR, key="k")
        await store.append("metric-m", [NewEvent(data=point(5), event_id=UUID(int=5))], metadata=ACTOR)
        await store.append_all(
            [StreamAppend("metric-m", [point(6)]), StreamAppend("metric-n", [point(7)])], metadata=ACTOR, key="j"
        )
        for value in (8, 9):
            await store.append("metric-m", [point(value)], metadata=ACTOR)
    return path


def first_bad_position(path: Path, *anchors: tuple[int, str]) -> int:
    with pytest.raises(LogTampered) as caught:
        chain.verify(path, anchors=anchors)
    return caught.value.position


@pytest.mark.parametrize("name", ["runs_delete", "keys_insert", "log_info_update"])
async def test_a_missing_trigger_is_found(log: Path, name: str) -> None:
    """A log that has lost a guard against change is neither verified nor written on."""
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute(f"DROP TRIGGER {name}")
    assert first_bad_position(log) == 0
    with pytest.raises(LogTampered, match=name):
        await SqliteEventStore.open(log)


def test_an_untouched_log_verifies(log: Path) -> None:
    """The walk returns the head, and tells its progress."""
    progress: list[int] = []
    verified = chain.verify(log, progress=progress.append)
    [(position, head_hash, recorded_at)] = query(
        log, "SELECT position, hash, recorded_at FROM runs ORDER BY position DESC LIMIT 1"
    )
    assert (verified.events, verified.head_position, verified.head_recorded_at) == (9, position, recorded_at)
    assert verified.head_hash == head_hash.hex()
    assert progress == [9]


@pytest.mark.parametrize(
    "edit",
    [
        *["position = 40", "position = -4", "count = 2", "stream = 'metric-x'", "stream_version = 9", "type = 'X'"],
        *["schema_version = 2", "recorded_at = recorded_at + 1", "event_id = 'x'", "metadata = '{}'", "data = '[]'"],
        *["data = data || ' '", f"hash = {OTHER_HASH}"],
    ],
)
@pytest.mark.parametrize(("row", "first"), [(1, 1), (4, 2), (9, 9)])
def test_an_edit_of_any_column_is_found(log: Path, edit: str, row: int, first: int) -> None:
    """Every column of the first, a middle and the last row is covered; the row's first position is named."""
    tamper(log, f"UPDATE runs SET {edit} WHERE position = {row}")
    # 0: SQLite itself finds the file damaged; a row before the first position stands where the first should
    assert first_bad_position(log) in ((1,) if edit == "position = -4" else (first, 0))


@pytest.mark.parametrize(("row", "first"), [(1, 1), (4, 2), (8, 8)])
def test_a_deleted_row_is_found(log: Path, row: int, first: int) -> None:
    """A row that is missing, at the start or in the middle, is named by its first position."""
    tamper(log, f"DELETE FROM runs WHERE position = {row}")
    assert first_bad_position(log) == first


def test_rows_that_changed_places_are_found(log: Path) -> None:
    """Two rows of equal shape that swap positions, or only their data and hashes, are found at the first."""
    tamper(
        log,
        "UPDATE runs SET position = 100, stream_version = 100 WHERE position = 8",
        "UPDATE runs SET position = 8, stream_version = 7 WHERE position = 9",
        "UPDATE runs SET position = 9, stream_version = 8 WHERE position = 100",
    )
    assert first_bad_position(log) == 8


def test_a_row_slipped_in_is_found(log: Path) -> None:
    """A row in the middle, with those behind it moved up by one, is found."""
    tamper(
        log,
        "UPDATE runs SET position = 10 WHERE position = 9",
        "UPDATE runs SET position = 9 WHERE position = 8",
        "INSERT INTO runs SELECT 8, 1, stream, 7, type, 1, recorded_at, NULL, metadata, data, hash "
        "FROM runs WHERE position = 10",
    )
    assert first_bad_position(log) == 8


def test_a_row_outside_the_positions_is_found(log: Path) -> None:
    """A forged row before the first position, which reads of its stream would return, does not escape the walk."""
    tamper(
        log,
        "INSERT INTO runs SELECT -4, 1, stream, 9, type, 1, recorded_at, NULL, metadata, data, hash "
        "FROM runs WHERE position = 9",
    )
    with pytest.raises(LogTampered):
        chain.verify(log)


def test_a_cut_tail_is_found_by_an_anchor(log: Path) -> None:
    """A log without its last rows is whole in itself; a head noted earlier tells what is missing."""
    head = chain.verify(log)
    tamper(log, "DELETE FROM runs WHERE position > 7")
    assert chain.verify(log).head_position == 7
    assert first_bad_position(log, (head.head_position, head.head_hash)) == 8


async def test_a_log_written_anew_is_found_by_an_anchor(path: Path, tmp_path: Path) -> None:
    """Another log of the same events, with a chain of its own, does not have the hash that was noted."""
    await write(path, [point()], [point()])
    await write(tmp_path / "forged" / "log.db", [point()], [point()])
    head = chain.verify(path)
    assert first_bad_position(tmp_path / "forged" / "log.db", (2, head.head_hash)) == 2


async def test_anchors_that_stand_are_accepted(path: Path) -> None:
    """Heads noted as the log grew, the empty log's among them, hold for ever."""
    anchors: list[tuple[int, str]] = []
    for events in ([], [[point()]], [[point(), point()]], [[point()]]):
        await write(path, *events)
        head = chain.verify(path, anchors=anchors)
        anchors.append((head.head_position, head.head_hash))
    assert [position for position, _ in anchors] == [0, 1, 3, 4]


@pytest.mark.parametrize(
    ("edit", "row"),
    [
        ("DELETE FROM keys WHERE key = 'key:k'", [2, 3, 4]),
        ("DELETE FROM keys WHERE key LIKE 'event:%'", [5]),
        ("UPDATE runs SET event_id = '' WHERE position = 4", [2, 3, 4]),
        ("UPDATE keys SET key = 'key:x' WHERE key = 'key:k'", [2, 3, 4]),
        ("UPDATE keys SET position = 8 WHERE key = 'key:k'", [2, 3, 4]),
        ("UPDATE keys SET position = 6 WHERE key = 'key:j'", [6]),
        ("UPDATE keys SET first_position = 1 WHERE key = 'key:k'", [2, 3, 4]),
        ("UPDATE keys SET first_position = 3 WHERE key = 'key:k'", [2, 3, 4]),
        ("UPDATE keys SET first_position = 7 WHERE key = 'key:j'", [6]),
        ("UPDATE keys SET fingerprint = 'x' WHERE key = 'key:k'", [2, 3, 4]),
        ("UPDATE keys SET fingerprint = 'x' WHERE key LIKE 'event:%'", [5]),
        ("INSERT INTO keys VALUES ('key:new', 8, 8, '')", [8]),
        ("INSERT INTO keys VALUES ('event:new', 8, 8, '')", [8]),
        ("INSERT INTO keys VALUES ('key:new', 80, 80, '')", [80]),
    ],
)
def test_an_edit_of_the_keys_is_found(log: Path, edit: str, row: list[int]) -> None:
    """A lost, changed or invented idempotency key would let a repeat in, or a new append out: its row is named."""
    tamper(log, edit)
    assert first_bad_position(log) in row


@pytest.mark.parametrize(
    "edit",
    ["UPDATE log_info SET log_id = 'x'", "UPDATE log_info SET id_salt = (id_salt + 1) % 16384", "DELETE FROM log_info"],
)
def test_an_edit_of_the_logs_identity_is_found(log: Path, edit: str) -> None:
    """The log's id starts the chain, and its salt is part of every event id: neither may change unseen."""
    tamper(log, edit)
    with pytest.raises(EventStoreError):
        chain.verify(log)


@pytest.mark.parametrize(("row", "first"), [(1, 1), (4, 2), (9, 9)])
async def test_a_changed_tail_is_not_written_on(log: Path, row: int, first: int) -> None:
    """Opening verifies the last rows, of a short log all of them, and names the bad one."""
    tamper(log, f"UPDATE runs SET data = replace(data, 'm', 'n') WHERE position = {row}")
    with pytest.raises(LogTampered, match=f"first bad position {first}"):
        await (await SqliteEventStore.open(log)).close()


async def test_a_refused_open_lets_go_of_the_log(log: Path) -> None:
    """After a refusal the lock is free and the file closed: a connection closed later would write without the lock."""
    tamper(log, "UPDATE runs SET data = '[]' WHERE position = 9")
    with pytest.raises(LogTampered) as caught:
        await SqliteEventStore.open(log)
    assert caught.value.position == 9
    assert not [target for target in open_files() if target.startswith(str(log))]
    lock = WriterLock(log.with_suffix(".lock"))
    assert lock.try_acquire()
    lock.release()


def open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    return [str(link.readlink()) for link in folder.iterdir() if link.is_symlink() and os.path.lexists(link)]


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_of_an_event_is_found(log: Path, bit: int) -> None:
    """One bit of an event's bytes in the file, whatever it makes of the letter, is found and its position named."""
    content = log.read_bytes()
    flip(log, content, content.index(b'"value":8') + 1, bit)
    assert first_bad_position(log) == 8


def test_every_flipped_bit_is_an_error_of_the_store(log: Path) -> None:
    """Damage anywhere among the rows is found by the chain or by SQLite, and never escapes as another error."""
    content = log.read_bytes()
    rows = content.index(b'"value":9'), content.index(b'"value":1')  # SQLite fills a page from its end
    for offset in range(*rows, 5):
        flip(log, content, offset, offset % 8)
        with pytest.raises(EventStoreError):
            chain.verify(log)


def flip(path: Path, content: bytes, offset: int, bit: int) -> None:
    """Write `content` with one bit flipped."""
    path.write_bytes(content[:offset] + bytes([content[offset] ^ 1 << bit]) + content[offset + 1 :])


@pytest.mark.parametrize("content", [None, b"", b"this is no database, however long the text may be" * 100])
def test_what_is_no_log_is_said_so(path: Path, content: bytes | None) -> None:
    """A missing, an empty and a foreign file are an error of the store that names the file."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EventStoreError, match=str(path)):
        chain.verify(path)


async def test_a_foreign_file_is_not_opened(path: Path) -> None:
    """Opening a file that is no database is an error of the store, and leaves the file as it was."""
    content = b"this is no database" * 100
    await asyncio.to_thread(path.write_bytes, content)
    with pytest.raises(EventStoreError):
        await SqliteEventStore.open(path)
    assert await asyncio.to_thread(path.read_bytes) == content


async def test_a_log_is_verified_while_it_grows(store: SqliteEventStore) -> None:
    """The walk reads beside the writer."""
    for position in range(1, 4):
        await store.append("metric-m", [point()], metadata=ACTOR)
        assert chain.verify(store.path).head_position == position
