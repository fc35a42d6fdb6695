"""A database's schema is that of its migrations, however many releases it went through."""

import sqlite3
from pathlib import Path

import apsw
import pytest

from migrations.apply import Connection, MigrationError, apply, run

FOLDERS = [Path("migrations/log"), Path("migrations/views")]
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT ';'; END; -- done; really\n"


def schema(connection: Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")]


def write(folder: Path, **scripts: str) -> Path:
    for name, script in scripts.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(script)
    return folder


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_built_through_every_release_equals_built_from_empty(folder: Path, tmp_path: Path) -> None:
    """A database that met the migrations one release at a time has the schema of one built from empty."""
    grown, built = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    for file in sorted(folder.glob("*.sql")):
        (tmp_path / file.name).write_bytes(file.read_bytes())
        apply(grown, tmp_path)
    apply(built, folder)
    assert schema(grown) == schema(built)


def test_both_libraries_build_the_same_schema(tmp_path: Path) -> None:
    """The stdlib's sqlite3 and apsw run the same scripts, triggers and trailing comments among them."""
    folder = write(tmp_path, m0001_a="CREATE TABLE a (x TEXT DEFAULT ';') STRICT;", m0002_t=TRIGGER)
    stdlib, other = sqlite3.connect(":memory:", isolation_level=None), apsw.Connection(":memory:")
    apply(stdlib, folder)
    apply(other, folder)
    assert schema(stdlib) == schema(other)


def test_applying_again_changes_nothing(tmp_path: Path) -> None:
    """A second start finds nothing to do."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    folder = write(tmp_path, m0001_a="CREATE TABLE a (x TEXT) STRICT;")
    apply(connection, folder)
    before = list(connection.iterdump())
    apply(connection, folder)
    assert list(connection.iterdump()) == before


def test_an_edited_migration_is_refused(tmp_path: Path) -> None:
    """A released file that was edited is refused by name, with the mend."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    apply(connection, write(tmp_path, m0001_a="CREATE TABLE a (x TEXT);"))
    with pytest.raises(MigrationError, match=r"0001_a was edited .* new migration"):
        apply(connection, write(tmp_path, m0001_a="CREATE TABLE a (x INTEGER);"))


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database that has a migration of a later release is refused, naming it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    apply(connection, write(tmp_path, m0001_a="CREATE TABLE a (x TEXT);", m0002_b="CREATE TABLE b (x TEXT);"))
    (tmp_path / "0002_b.sql").unlink()
    with pytest.raises(MigrationError, match="has migration 0002_b, which this release does not know"):
        apply(connection, tmp_path)


def test_a_failing_migration_leaves_no_trace(tmp_path: Path) -> None:
    """A migration and the row that records it commit together, or not at all."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        apply(connection, write(tmp_path, m0001_a="CREATE TABLE a (x TEXT); INSERT INTO nonsense VALUES (1);"))
    assert [row[1] for row in schema(connection)] == ["migrations"]
    run(connection, "BEGIN")  # no transaction was left open


def test_a_misnamed_file_is_refused(tmp_path: Path) -> None:
    """A file outside the numbering would be skipped in silence, so it is refused."""
    with pytest.raises(MigrationError, match=r"1_a\.sql is not NNNN_name\.sql"):
        apply(sqlite3.connect(":memory:", isolation_level=None), write(tmp_path, m1_a="CREATE TABLE a (x TEXT);"))
