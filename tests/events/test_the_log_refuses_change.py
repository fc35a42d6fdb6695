"""The log's tables refuse every change but the next row, also from plain sqlite3 with its default settings."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from events import chain
from events.errors import LogTampered
from events.event import NewEvent
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, query

COLUMNS = "count, stream, stream_version, type, schema_version, recorded_at, event_id, metadata, data, hash"
LAST = f"SELECT position, {COLUMNS} FROM runs WHERE position = 4"
CHANGES = [
    *[f"UPDATE runs SET {column} = {column}" for column in ["position", *COLUMNS.split(", ")]],
    "UPDATE OR REPLACE runs SET position = 1 WHERE position = 4",
    "DELETE FROM runs",
    "DELETE FROM runs WHERE position = 4",
    f"INSERT OR REPLACE INTO runs {LAST}",
    f"REPLACE INTO runs {LAST}",
    f"INSERT INTO runs {LAST} ON CONFLICT (position) DO UPDATE SET data = '[]'",
    f"INSERT INTO runs SELECT 6, {COLUMNS} FROM runs WHERE position = 4",  # leaves out 5
    f"INSERT INTO runs SELECT NULL, {COLUMNS} FROM runs WHERE position = 4",
    f"INSERT INTO runs SELECT -1, {COLUMNS} FROM runs WHERE position = 4",
    f"INSERT INTO runs SELECT 5, {COLUMNS} FROM runs WHERE position = 4",  # its stream version is there
    f"INSERT OR REPLACE INTO runs SELECT 5, {COLUMNS} FROM runs WHERE position = 4",
    f"INSERT INTO runs SELECT 5, {COLUMNS.replace('stream_version', '6')} FROM runs WHERE position = 4",  # leaves out 5
    f"INSERT INTO runs SELECT 5, {COLUMNS.replace('count', '0')} FROM runs WHERE position = 4",
    "UPDATE keys SET fingerprint = ''",
    "UPDATE keys SET position = 1",
    "DELETE FROM keys",
    "INSERT OR REPLACE INTO keys SELECT key, 1, 1, '' FROM keys",
    "INSERT INTO keys SELECT key, 1, 1, '' FROM keys WHERE true ON CONFLICT DO UPDATE SET position = 1",
    "UPDATE log_info SET log_id = 'other'",
    "UPDATE log_info SET id_salt = 1",
    "DELETE FROM log_info",
    "INSERT INTO log_info VALUES ('other', 1, 1)",
    "INSERT OR REPLACE INTO log_info SELECT * FROM log_info",
]  # fmt: skip


@pytest.fixture
async def closed_log(path: Path) -> Path:
    """A log of four events with a key and an event id, which no store has open."""
    async with await SqliteEventStore.open(path) as store:
        await store.append("metric-m", [point(), point()], metadata=ACTOR, key="k")
        await store.append("metric-m", [NewEvent(data=point(), event_id=UUID(int=1)), point()], metadata=ACTOR)
    return path


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recursive_triggers", ["OFF", "ON"])
def test_plain_sqlite3_is_refused(closed_log: Path, change: str, recursive_triggers: str) -> None:
    """UPDATE, DELETE, REPLACE, upserts and rows that leave a gap are all aborted; the log stays as it was."""
    before = dump(closed_log)
    with closing(sqlite3.connect(closed_log)) as connection:
        connection.execute(f"PRAGMA recursive_triggers = {recursive_triggers}")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(change)
        connection.rollback()
    assert dump(closed_log) == before
    assert chain.verify(closed_log).events == 4


def dump(path: Path) -> list[list[tuple[object, ...]]]:
    return [query(path, f"SELECT * FROM {table}") for table in ("runs", "keys", "log_info")]


def test_a_forged_next_row_is_found(closed_log: Path) -> None:
    """A row that follows the last one passes the triggers, but does not have the hash that the chain demands."""
    columns = COLUMNS.replace("stream_version", "stream_version + 1").replace("event_id", "NULL")
    query(closed_log, f"INSERT INTO runs SELECT 5, {columns} FROM runs WHERE position = 4")
    with pytest.raises(LogTampered, match="first bad position 5"):
        chain.verify(closed_log)
