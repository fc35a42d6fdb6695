"""views.db as a process sees it: pooled readers, and the writer in the one process that holds the lock. Floor 2."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self

import aiosqlite

from events.lock import WriterLock
from projections.errors import ViewsUnavailable, ViewsUnusable
from projections.projection import Projection
from projections.threads import in_thread
from projections.writer import Checkpoint, ViewsWriter, error_code, is_damage, read_only_uri

READERS: Final = 2
LEADER_WAIT_SECONDS: Final = 10.0  # for the tables that another process is making
LEADER_POLL_SECONDS: Final = 0.02
GONE: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)  # what a reader meets when the files are deleted
READER_PRAGMAS: Final = ("query_only = 1", "wal_autocheckpoint = 0", "busy_timeout = 5000")


class Reader:
    """One read-only connection of the pool; opened when it is first needed. generation: of the file that it reads."""

    def __init__(self) -> None:
        self.connection: aiosqlite.Connection | None = None
        self.generation = 0

    async def open(self, path: Path, generation: int) -> aiosqlite.Connection:
        """Return the connection; a new one if views.db has become another file since."""
        if self.connection is not None and self.generation != generation:
            await self.close()
        if self.connection is None:
            self.connection = await aiosqlite.connect(read_only_uri(path), uri=True, isolation_level=None)
            for pragma in READER_PRAGMAS:
                await self.connection.execute(f"PRAGMA {pragma}")
            await self.connection.execute_fetchall("SELECT 1 FROM sqlite_master LIMIT 1")  # maps the WAL
            self.generation = generation
        return self.connection

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close()
            self.connection = None


class Views:
    """The views of `path`. Open it with `await Views.open(path, projections)`, in as many processes as you like.

    writer: set while this process holds the lock beside the file. notice: why the views had to be built anew, if so.
    """

    def __init__(self, path: Path, projections: Sequence[Projection]) -> None:
        self.path = path
        self.projections = projections
        self.writer: ViewsWriter | None = None
        self.notice: str | None = None
        self.damage: str | None = None  # what a read met, until the views are built anew
        self._lock = WriterLock(path.with_suffix(".lock"))
        self._checkpoints: dict[str, Checkpoint] = {}
        self._file: tuple[int, int] | None = None
        self._generation = 0
        self._readers = [Reader() for _ in range(READERS)]
        self._free: asyncio.LifoQueue[Reader] = asyncio.LifoQueue()
        for reader in self._readers:
            self._free.put_nowait(reader)

    @classmethod
    async def open(cls, path: Path, projections: Sequence[Projection]) -> Self:
        """Open the views, making them if there are none; they may stand anywhere between 0 and the log's head.

        Raises ViewsUnavailable if the file cannot be opened, or another process keeps it in another shape.
        """
        views = cls(path, projections)
        try:
            await in_thread(path.parent.mkdir, parents=True, exist_ok=True)
            if not await views.try_lead():
                await views._wait_for_leader()
            for reader in views._readers:  # now: they go on reading the file if it is deleted
                await reader.open(path, views._generation)
        except (sqlite3.Error, OSError) as error:
            raise ViewsUnavailable(f"{path} cannot be opened: {error}") from error
        return views

    # Reading

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[aiosqlite.Connection]:
        """Lend a read-only connection. There are two, so give it back soon.

        Raises ViewsUnavailable if the file is gone or proves damaged; the process that projects then builds it anew.
        """
        reader = await self._free.get()
        try:
            yield await reader.open(self.path, self._generation)
        except sqlite3.DatabaseError as error:
            if error_code(error) in GONE:
                raise ViewsUnavailable(f"{self.path.name} is gone and is built anew from the log") from error
            if not is_damage(error):
                raise
            if reader.generation == self._generation:  # else it met what was dropped meanwhile
                self.damage = str(error)
            await reader.close()
            raise ViewsUnavailable(f"{self.path.name} is damaged and is built anew from the log: {error}") from error
        finally:
            self._free.put_nowait(reader)

    @property
    def position(self) -> int:
        """The position that all views have reached, as far as this process knows."""
        return min((checkpoint.position for checkpoint in self._checkpoints.values()), default=0)

    def position_of(self, view: str) -> int:
        """Return the position that the view has reached, as far as this process knows."""
        return self._checkpoints[view].position

    def changed_at(self, view: str) -> int:
        """Return a position by which the view last changed: the same as before means the same rows as before."""
        return self._checkpoints[view].changed_at

    async def checkpoint(self) -> int:
        """Read how far the views stand and return the position that all of them have reached."""
        async with self.reader() as db:
            rows = await db.execute_fetchall(
                "SELECT view, schema_version, position, changed_at, log_hash FROM checkpoints ORDER BY view"
            )
        self.note({row[0]: Checkpoint(*row) for row in rows})
        return self.position

    def note(self, checkpoints: dict[str, Checkpoint]) -> None:
        """Remember how far the views stand, after it is committed: a reader never sees less than what is noted."""
        self._checkpoints = checkpoints

    # Writing

    @property
    def writer_pid(self) -> int | None:
        """The process that projects, or did so last."""
        return self._lock.holder_pid()

    async def try_lead(self) -> bool:
        """Become the process that writes the views if none is; True if this one is. Unusable views are dropped."""
        if self.writer is None and await in_thread(self._lock.try_acquire):
            try:
                self.writer = await in_thread(self._open_writer)
            except BaseException:
                self._lock.release()
                raise
            self.note(self.writer.checkpoints)
        return self.writer is not None

    async def release(self) -> None:
        """Let another process write the views."""
        if self.writer is not None:
            self.note(self.writer.checkpoints)
            await in_thread(self.writer.close)
            self.writer = None
            self._lock.release()

    async def start_over(self, reason: str) -> None:
        """Drop the views, to build them anew from the log. Only where this process writes them."""
        assert self.writer is not None
        self.notice = reason
        await in_thread(self.writer.close)
        self.writer = None
        try:
            await in_thread(self._drop)
            self.writer = await in_thread(self._open_writer)
        except BaseException:
            self._lock.release()
            raise
        self.damage = None
        self.note(self.writer.checkpoints)

    def _open_writer(self) -> ViewsWriter:
        try:
            writer = ViewsWriter.open(self.path, self.projections)
        except ViewsUnusable as error:
            self.notice = str(error)
            self._drop()
            writer = ViewsWriter.open(self.path, self.projections)
        self.look_at_file()
        return writer

    def _drop(self) -> None:
        for path in database_files(self.path):
            path.unlink(missing_ok=True)

    def look_at_file(self) -> bool:
        """Return whether views.db is still the file that was opened; the readers open it anew if it is another one."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False
        file = (status.st_dev, status.st_ino)
        is_same = file == self._file
        if not is_same:
            self._file = file
            self._generation += 1
        return is_same

    async def _wait_for_leader(self) -> None:
        """Return when the views of the process that writes them are those of this release."""
        wanted = {projection.name: projection.schema_version for projection in self.projections}
        with suppress(TimeoutError):
            async with asyncio.timeout(LEADER_WAIT_SECONDS):
                while True:
                    with suppress(sqlite3.Error):
                        await self.checkpoint()
                        await in_thread(self.look_at_file)
                        found = {name: checkpoint.schema_version for name, checkpoint in self._checkpoints.items()}
                        if found == wanted:
                            return
                    await asyncio.sleep(LEADER_POLL_SECONDS)
        await self.close()
        raise ViewsUnavailable(
            f"{self.path} is kept by process {self.writer_pid} in another shape than this release needs: "
            "stop that process, or run the same release"
        )

    async def close(self) -> None:
        """Let go of the file. The caller has stopped the runner."""
        for reader in self._readers:
            await reader.close()
        await self.release()


def database_files(path: Path) -> tuple[Path, ...]:
    """Return an SQLite database's file and those that SQLite keeps beside it."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
