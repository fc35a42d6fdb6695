"""Brings a database's schema up to date from a folder of NNNN_name.sql files. Floor 0: imports nothing of ours."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


class Connection(Protocol):
    """What sqlite3 and apsw connections have in common."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Iterable[Any]: ...


class MigrationError(Exception):
    """The database's schema and this release's migrations do not fit together."""


def apply(connection: Connection, folder: Path) -> None:
    """Bring the database up to the last migration of `folder`, each in one transaction with the row that records it.

    Raises MigrationError if a migration that the database has was edited since, or is not in the folder.
    """
    run(connection, "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT, sha256 TEXT) STRICT")
    files = migration_files(folder)
    for number in sorted(files):
        apply_one(connection, number, files)


def apply_one(connection: Connection, number: int, files: Mapping[int, Path]) -> None:
    """Apply one migration, unless the database has it. The look and the change are one transaction."""
    script = files[number].read_bytes()
    digest = sha256(script).hexdigest()
    run(connection, "BEGIN IMMEDIATE")
    try:
        applied = applied_migrations(connection)
        refuse_unknown(applied, files)
        refuse_edited(applied.get(number), files[number].stem, digest)
        if number not in applied:
            for statement in statements(script.decode()):
                run(connection, statement)
            row = (number, files[number].stem, digest)
            run(connection, "INSERT INTO migrations (number, name, sha256) VALUES (?, ?, ?)", row)
    except BaseException:
        run(connection, "ROLLBACK")
        raise
    run(connection, "COMMIT")


def applied_migrations(connection: Connection) -> dict[int, tuple[str, str]]:
    """Return number → (name, SHA-256) of what the database has."""
    rows = connection.execute("SELECT number, name, sha256 FROM migrations")
    return {number: (name, digest) for number, name, digest in rows}


def refuse_unknown(applied: Mapping[int, tuple[str, str]], files: Mapping[int, Path]) -> None:
    unknown = sorted(name for number, (name, _) in applied.items() if number not in files)
    if unknown:
        raise MigrationError(
            f"the database has migration {unknown[-1]}, which this release does not know: "
            "run the release that made it, or a later one"
        )


def refuse_edited(applied: tuple[str, str] | None, name: str, digest: str) -> None:
    if applied is not None and applied[1] != digest:
        raise MigrationError(
            f"migration {name} was edited after this database had applied it: "
            "restore the released file and put the change in a new migration"
        )


def migration_files(folder: Path) -> dict[int, Path]:
    """Return number → file. Raises MigrationError for a .sql file of another name, or a number used twice."""
    files: dict[int, Path] = {}
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) in files:
            raise MigrationError(f"{path} is not NNNN_name.sql with a number of its own: rename it")
        files[int(match[1])] = path
    return files


def statements(script: str) -> Iterator[str]:
    """Yield the statements of an SQL script; a trigger with its semicolons is one.

    >>> list(statements("SELECT 1; SELECT ';'; -- the end; really"))
    ['SELECT 1;', "SELECT ';';", '-- the end; really']
    """
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if rest := statement.removesuffix(";").strip():
        yield rest


def run(connection: Connection, sql: str, parameters: tuple[Any, ...] = ()) -> None:
    """Run one statement to its end: an apsw cursor works only as far as it is read."""
    for _ in connection.execute(sql, parameters):
        pass
