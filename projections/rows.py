"""Writing many rows with one statement. Floor 2.

sqlite3 gives the interpreter away at every step of a statement and has to wait for it again: for one row a step, that
takes longer than the rows, and each time the event loop pays, too.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

ROWS_PER_STATEMENT: Final = 200


def write_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Run the statement, whose `VALUES ?` stands for all the rows, and return what it returns."""
    returned: list[tuple[Any, ...]] = []
    for first in range(0, len(rows), ROWS_PER_STATEMENT):
        some = rows[first : first + ROWS_PER_STATEMENT]
        returned += connection.execute(spelled(statement, len(some), len(some[0])), tuple(chain.from_iterable(some)))
    return returned


@lru_cache(maxsize=1024)
def spelled(statement: str, rows: int, columns: int) -> str:
    """Return the statement with its placeholders.

    >>> spelled("INSERT INTO t VALUES ? ON CONFLICT DO NOTHING", 2, 3)
    'INSERT INTO t VALUES (?, ?, ?), (?, ?, ?) ON CONFLICT DO NOTHING'
    """
    row = f"({', '.join('?' * columns)})"
    return statement.replace("VALUES ?", f"VALUES {', '.join([row] * rows)}")
