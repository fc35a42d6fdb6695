"""The operating-system lock that makes one process the log's only writer. Floor 1.

SQLite before 3.51.3 can lose commits when two connections write or checkpoint at once (its WAL-reset bug); the lock
keeps it to one connection whatever the version, and ends with the process that holds it.
"""

import fcntl
import json
import os
from pathlib import Path
from weakref import WeakSet

held: "WeakSet[WriterLock]" = WeakSet()


class WriterLock:
    """The lock file beside the log. Its text names the holder, for people to read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if no living process holds it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid()}).encode(), 0)
        self._file = file
        held.add(self)
        return True

    def holder_pid(self) -> int | None:
        """Return the process that holds the lock, or held it last; None if none ever did."""
        try:
            return int(json.loads(self._path.read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return None

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            held.discard(self)


def let_go_in_child() -> None:
    """A forked process shares the file, and would hold the lock after its parent's death."""
    for lock in list(held):
        lock.release()


os.register_at_fork(after_in_child=let_go_in_child)
