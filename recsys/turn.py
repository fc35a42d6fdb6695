"""Whose turn it is: a command that lost a race goes before those of the other processes. Floor 3.

Without it the loser of a race for one stream loses again and again: it must read what the winner wrote, and meanwhile
the winner, who knows it, has decided its next command.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.001
WAIT_SECONDS_MAX: Final = 2.0  # for a holder that hangs; one that dies lets go


class Turn:
    """A lock of the operating system on `path`, which processes share.

    It is a courtesy: whether a command may be carried out is for the expected version to say, turn or no turn.
    """

    def __init__(self, path: Path) -> None:
        # A lock belongs to the opened file: by the one it is held, by the other looked at.
        self._held, self._seen = (os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644) for _ in range(2))
        self._local = asyncio.Lock()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._held)
        os.close(self._seen)

    async def until_free(self) -> None:
        """Return when nobody holds the turn, or after WAIT_SECONDS_MAX."""
        if await locked(self._seen, fcntl.LOCK_SH):
            fcntl.flock(self._seen, fcntl.LOCK_UN)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold the turn in the block. Who does not get it in WAIT_SECONDS_MAX goes on without."""
        async with self._local:
            await locked(self._held, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._held, fcntl.LOCK_UN)


async def locked(descriptor: int, kind: int) -> bool:
    """Take the lock, and return whether it could be had in WAIT_SECONDS_MAX."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS_MAX
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if loop.time() > end:
                return False
            await asyncio.sleep(POLL_SECONDS)
        else:
            return True
