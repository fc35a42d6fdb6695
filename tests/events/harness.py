"""What the tests of the embedded store share: looking at a log from outside, and at its connections from inside."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw

from events import chain
from events.catalog import Event, MetricRecorded
from events.event import Metadata
from events.sqlite import SqliteEventStore

ACTOR: Final = Metadata(actor="test")


def point(value: float = 1.0, **labels: str) -> MetricRecorded:
    return MetricRecorded(metric="m", value=value, at=1, labels=labels)


async def write(path: Path, *appends: Sequence[Event]) -> None:
    """Make a log at `path`, or add to it, and let go of it: only then may another SQLite library open it."""
    async with await SqliteEventStore.open(path) as store:
        for events in appends:
            await store.append("metric-m", events, metadata=ACTOR)


def query(path: Path, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement through the standard library's sqlite3; no store may have the log open in this process."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, bindings).fetchall()


def tamper(path: Path, *statements: str) -> None:
    """Change a log as someone would who may write the file and knows SQL: drop the triggers, edit, put them back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, f"nothing to change: {statement}"
        for _, sql in triggers:
            connection.execute(sql)


def seal(path: Path) -> None:
    """Give every row the hash that its bytes have now, so that a log with strange rows can be opened."""
    with closing(apsw.Connection(str(path))) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE name = 'runs_update'").fetchall()
        connection.execute("DROP TRIGGER runs_update")
        previous = chain.first_hash(connection)
        rows = f"SELECT position, CAST({chain.HASHED_TEXT} AS BLOB) FROM runs ORDER BY position"
        for position, text in connection.execute(rows).fetchall():
            assert isinstance(text, bytes)
            previous = sha256(previous + text).digest()
            connection.execute("UPDATE runs SET hash = ? WHERE position = ?", (previous, position))
        for _, sql in triggers:
            connection.execute(str(sql))


def writing_connection(store: SqliteEventStore) -> apsw.Connection:
    """Return the connection that writes; use it only while no append is under way."""
    assert store._commits is not None, "another process writes"
    return store._commits._writer._connection


def pragma(connection: apsw.Connection, name: str) -> int:
    [(value,)] = connection.execute(f"PRAGMA {name}").fetchall()
    assert isinstance(value, int)
    return value


class Statements:
    """What apsw ran: the threads, and the connections that are open for writing."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.connections: list[apsw.Connection] = []

    def add(self, connection: apsw.Connection) -> None:
        self.connections.append(connection)
        connection.exec_trace = self._ran

    def _ran(self, _cursor: apsw.Cursor, _sql: str, _bindings: Any) -> bool:
        self.threads.add(threading.get_ident())
        return True

    def open_connections(self, *, readonly: bool) -> list[apsw.Connection]:
        return [connection for connection in self.connections if is_open(connection, readonly=readonly)]


def is_open(connection: apsw.Connection, *, readonly: bool) -> bool:
    try:
        return connection.readonly("main") is readonly
    except apsw.ConnectionClosedError:
        return False


@contextmanager
def traced() -> Iterator[Statements]:
    """Note every connection that apsw opens from now on, and every thread that runs a statement on one."""
    statements = Statements()
    apsw.connection_hooks.append(statements.add)
    try:
        yield statements
    finally:
        apsw.connection_hooks.remove(statements.add)
