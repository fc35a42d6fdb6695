"""The one connection that writes a file of views: a batch of events and its checkpoint in one transaction. Floor 2.

Synchronous, used by one thread at a time; whoever opens `views.db` itself with it holds the views' lock.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from events.catalog import Event
from events.event import RecordedEvent
from migrations.apply import MigrationError, apply
from projections.errors import ProjectionFailed, ViewsUnusable
from projections.projection import Projection
from projections.rows import write_rows

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations" / "views"
PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # what a power cut takes is applied again from the log
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
    "cache_size = -8192",  # kilobytes; more makes replay no faster
    "busy_timeout = 1000",
)
DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Checkpoint(msgspec.Struct, frozen=True, gc=False):
    """How far a view stands. changed_at: a position by which the view last changed; it has not changed since.

    log_hash: the log's hash chain at `position`; empty at 0.
    """

    view: str
    schema_version: int
    position: int
    changed_at: int
    log_hash: bytes


class ViewsWriter:
    """Writes one file of views. All views of a file stand at the same position."""

    def __init__(self, connection: sqlite3.Connection, projections: Sequence[Projection]) -> None:
        self._connection = connection
        self._projections = projections
        self._followers: dict[type[Event], list[str]] = defaultdict(list)
        for projection in projections:
            for event_type in projection.event_types:
                self._followers[event_type].append(projection.name)
        self.checkpoints = read_checkpoints(connection)

    @classmethod
    def open(cls, path: Path, projections: Sequence[Projection]) -> Self:
        """Open the file, making it or its missing tables.

        Raises ViewsUnusable if the file is damaged, or its views are not those of this release.
        """
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            apply(connection, MIGRATIONS)
            ensure_checkpoints(connection, projections)
            return cls(connection, projections)
        except (sqlite3.DatabaseError, MigrationError, ViewsUnusable) as error:
            connection.close()
            if is_damage(error) or not isinstance(error, sqlite3.DatabaseError):
                raise ViewsUnusable(f"{path.name} cannot be used: {error}") from error
            raise

    @property
    def position(self) -> int:
        return min(checkpoint.position for checkpoint in self.checkpoints.values())

    @property
    def log_hash(self) -> bytes:
        return next(iter(self.checkpoints.values())).log_hash

    def apply(self, events: Sequence[RecordedEvent]) -> None:
        """Apply the events that the views do not have yet, all or none of them.

        Raises ProjectionFailed with the event that cannot be applied (those before it are), and sqlite3's errors when
        the file cannot be written.
        """
        events = events[max(0, self.position + 1 - events[0].position) :] if events else events
        if not events:
            return
        try:
            self._apply_all(events)
        except ProjectionFailed:
            for event in events:  # one by one, up to the one that is to be named
                self._apply_all([event])

    def _apply_all(self, events: Sequence[RecordedEvent]) -> None:
        last = events[-1]
        shares = self._shares(events)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            checkpoints = {
                projection.name: Checkpoint(
                    projection.name,
                    projection.schema_version,
                    last.position,
                    last.position if changed else self.checkpoints[projection.name].changed_at,
                    last.hash,
                )
                for projection in self._projections
                for share in [shares[projection.name]]
                for changed in [bool(share) and apply_one(projection, self._connection, share)]
            }
            write_checkpoints(self._connection, checkpoints.values())
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self.checkpoints = checkpoints

    def _shares(self, events: Sequence[RecordedEvent]) -> dict[str, list[RecordedEvent]]:
        """Return for each projection the events that it follows from."""
        shares: dict[str, list[RecordedEvent]] = {projection.name: [] for projection in self._projections}
        first, begin = events[0].position, 0
        while begin < len(events):  # run by run: the events of one are of one type
            end = events[begin].run.position - first + 1
            for name in self._followers.get(type(events[begin].data), ()):
                shares[name] += events[begin:end]
            begin = end
        return shares

    def replace_with(self, path: Path) -> None:
        """Make the file's contents those of `path`, in one transaction: no reader sees anything between."""
        source = sqlite3.connect(read_only_uri(path), uri=True)
        try:
            source.backup(self._connection)
        finally:
            source.close()
        self.checkpoints = read_checkpoints(self._connection)

    def close(self) -> None:
        """Let go of the file. Raises nothing: what could not be moved out of the WAL is found there again."""
        self._connection.close()


def apply_one(projection: Projection, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
    """Apply the events to one view. Raises ProjectionFailed, naming the first event, unless it is the file's fault."""
    try:
        return projection.apply(connection, events)
    except Exception as error:
        if is_the_files(error) or missing_table(error) in projection.tables:
            raise
        raise ProjectionFailed(
            view=projection.name,
            position=events[0].position,
            type_name=events[0].type,
            reason=f"{type(error).__name__}: {error}",
        ) from error


def read_only_uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def is_damage(error: BaseException) -> bool:
    """Whether the file is not what it was made as: what it holds can be built anew."""
    return isinstance(error, sqlite3.DatabaseError) and (error_code(error) in DAMAGE or missing_table(error) != "")


def missing_table(error: BaseException) -> str:
    """Return the table that SQLite does not find, or nothing: a file that was overwritten may look like a new one."""
    is_missing = isinstance(error, sqlite3.OperationalError) and str(error).startswith("no such table: ")
    return str(error).rpartition(" ")[2].removeprefix("main.") if is_missing else ""


def is_the_files(error: BaseException) -> bool:
    """Whether an error comes from the file (full, locked, damaged, not writable) and not from an event."""
    return isinstance(error, sqlite3.DatabaseError) and (
        error_code(error) in DAMAGE
        or (isinstance(error, sqlite3.OperationalError) and error_code(error) not in (sqlite3.SQLITE_ERROR, None))
    )


def error_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code; None for an error that is Python's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def read_checkpoints(connection: sqlite3.Connection) -> dict[str, Checkpoint]:
    rows = connection.execute(
        "SELECT view, schema_version, position, changed_at, log_hash FROM checkpoints ORDER BY view"
    )
    return {row[0]: Checkpoint(*row) for row in rows}


def write_checkpoints(connection: sqlite3.Connection, checkpoints: Iterable[Checkpoint]) -> None:
    rows = [msgspec.structs.astuple(checkpoint) for checkpoint in checkpoints]
    write_rows(connection, "INSERT OR REPLACE INTO checkpoints VALUES ?", rows)


def ensure_checkpoints(connection: sqlite3.Connection, projections: Sequence[Projection]) -> None:
    """Give a new file its checkpoints. Raises ViewsUnusable if the file has those of other views."""
    wanted = {projection.name: projection.schema_version for projection in projections}
    found = {name: checkpoint.schema_version for name, checkpoint in read_checkpoints(connection).items()}
    if not found:
        write_checkpoints(connection, [Checkpoint(name, version, 0, 0, b"") for name, version in wanted.items()])
    elif found != wanted:
        differing = ", ".join(sorted({name for name, _ in wanted.items() ^ found.items()}))
        raise ViewsUnusable(f"it was built by another release ({differing})")
