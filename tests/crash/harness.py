"""Child processes that report what was acknowledged to them and may be killed, and the check that a log kept it all."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from events import chain
from events.event import RecordedEvent
from events.reading import LogReader

ROOT: Final = Path(__file__).parents[2]
LINE_BYTES_MAX: Final = 1024 * 1024


class Child:
    """A process in a group of its own, which reports on its standard output, a line at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[str] = []
        self._process = process
        self._moved = asyncio.Condition()
        self._is_silent = False
        self._reading = asyncio.create_task(self._read(), name="child-reports")

    @property
    def pid(self) -> int:
        return self._process.pid

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            async with self._moved:
                self._moved.notify_all()
        self._is_silent = True
        async with self._moved:
            self._moved.notify_all()

    async def reports(self, count: int) -> list[str]:
        """Return the first `count` lines once they are there; fails if the process ends before."""
        async with self._moved:
            await self._moved.wait_for(lambda: len(self.lines) >= count or self._is_silent)
        assert len(self.lines) >= count, f"the process ended after {len(self.lines)} reports: see its standard error"
        return self.lines[:count]

    async def send(self, line: str) -> None:
        """Write a line to the process's standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and those that it started."""
        os.killpg(self.pid, number)

    def send_signal_alone(self, number: signal.Signals) -> None:
        """Send a signal to the process, and spare those that it started."""
        self._process.send_signal(number)

    async def kill(self) -> list[str]:
        """SIGKILL the process and those it started, and return all that it had reported."""
        with suppress(ProcessLookupError):  # it has ended, and was waited for
            self.send_signal(signal.SIGKILL)
        await self.ended()
        return self.lines

    async def ended(self) -> int:
        """Wait for the process's end and return its exit code, negative for a signal."""
        await self._reading
        return await self._process.wait()


@asynccontextmanager
async def started(*command: str) -> AsyncIterator[Child]:
    """Run Python with the arguments of `command` at the project's root; kill it in the end, whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=LINE_BYTES_MAX,
    )
    child = Child(process)
    try:
        yield child
    finally:
        await child.kill()


def read_log(path: Path) -> list[RecordedEvent]:
    """Return all events of the log at `path`, whoever else has it open."""
    reader, events = LogReader(path), list[RecordedEvent]()
    try:
        while page := reader.read_all(len(events), 10_000, (), 0):
            events += page
    finally:
        reader.close()
    return events


def check_log(path: Path, acknowledged: Mapping[str, int], name_of: Callable[[RecordedEvent], str]) -> None:
    """Fail unless the chain verifies, positions have no gap, and each acknowledged event is there once, in its place.

    acknowledged: name → position. name_of: an event's name; no two events of the log may share one.
    """
    verified = chain.verify(path)
    events = read_log(path)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert len(events) >= verified.events  # others may have appended since
    found = {name_of(event): event.position for event in events}
    assert len(found) == len(events), "an event is there twice"
    missing = acknowledged.items() - found.items()
    assert not missing, f"acknowledged, but not there: {sorted(missing)[:10]}"
