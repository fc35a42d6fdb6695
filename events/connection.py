"""Read-only connections to log.db, and typed selects. Floor 1."""

from pathlib import Path
from typing import Any

import apsw

from events.errors import EventStoreError


def select(connection: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows; their types follow from the STRICT tables."""
    return connection.execute(sql, bindings).fetchall()


def open_read_only(path: Path) -> apsw.Connection:
    """Open a log for reading only: never writes, never checkpoints. Raises EventStoreError if it is not there."""
    try:
        connection = apsw.Connection(
            f"{path.absolute().as_uri()}?mode=ro", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        select(connection, "PRAGMA query_only = 1; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000")
    except apsw.Error as error:
        raise EventStoreError(f"there is no log to read at {path}: {error}") from error
    return connection
