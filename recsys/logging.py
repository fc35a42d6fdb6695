"""The structured logs: JSON lines, one file a channel and day, written beside the callers' way. Floor 3.

A caller formats its line and puts it on a bounded queue; one thread a process writes. Several processes may share the
files: every write is of whole lines, under a lock that also covers rotation.
"""

import contextlib
import fcntl
import itertools
import logging
import os
import queue
import sys
import threading
import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

CHANNELS = ("app", "mlops", "monitoring", "model_training", "retraining")
QUEUE_LINES_MAX = 20_000  # about 10 MB of lines; more arrive only when the disk has stood still for seconds
WRITE_BYTES_MAX = 250_000  # a file outgrows its limit by no more than this and its last line
FLUSH_SECONDS_MAX = 5.0
# Waking for every line would take the interpreter from the event loop once a request: half of the speed of reads.
GATHER_SECONDS = 0.05

encode = msgspec.json.Encoder(enc_hook=repr).encode
format_exception = logging.Formatter().formatException


class StructuredLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines may carry data: `logger.info(…, extra={"extra_data": {…}})`, or `log_with_context`."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def log_with_context(self, level: int, msg: str, extra_data: Mapping[str, Any] | None = None) -> None:
        """Log `msg` with the fields of `extra_data` beside it."""
        self.log(level, msg, extra={"extra_data": extra_data}, stacklevel=2)


def get_logger(name: str) -> StructuredLogger:
    """Return the logger of that name. `monitoring.alerts` writes to the channel monitoring, any other name to app."""
    return StructuredLogger(logging.getLogger(name), {})


app_logger, mlops_logger, monitoring_logger, model_training_logger, retraining_logger = map(get_logger, CHANNELS)


class Line(NamedTuple):
    channel: str
    day: str  # YYYYMMDD, UTC
    text: bytes


def line_of(record: logging.LogRecord) -> Line:
    """Return the record as one JSON line. Never raises: data that JSON cannot hold stands as its repr."""
    at = datetime.fromtimestamp(record.created, UTC)
    timestamp = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    fields: dict[str, Any] = {
        "timestamp": timestamp,
        "level": record.levelname,
        "logger": record.name,
        "message": message_of(record),
        "module": record.module,
        "function": record.funcName,
        "line": record.lineno,
    }
    if extra_data := getattr(record, "extra_data", None):
        fields["extra_data"] = extra_data
    if record.exc_info and record.exc_info[0]:
        fields["exc_info"] = format_exception(record.exc_info)
    channel = record.name.partition(".")[0]
    return Line(channel if channel in CHANNELS else "app", timestamp[:10].replace("-", ""), to_json(fields) + b"\n")


def message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # wrong arguments of a log call must not fail its caller
        return f"{record.msg} {record.args!r}"


def to_json(fields: dict[str, Any]) -> bytes:
    try:
        return encode(fields)
    except Exception:  # lone surrogates, endless nesting, keys that JSON cannot hold
        return encode({name: value if type(value) is int else ascii(value) for name, value in fields.items()})


class LogFile:
    """The file of one channel and day, shared with other processes and rotated before it outgrows `bytes_max`."""

    def __init__(self, path: Path, *, bytes_max: int, backup_count: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._backup_count = backup_count
        self._descriptor = -1

    def write(self, text: bytes) -> None:
        """Append whole lines. Raises OSError, and then has written none of them."""
        while True:
            self._lock()
            size = os.fstat(self._descriptor).st_size
            if size == 0 or size + len(text) <= self._bytes_max:
                break
            self._rotate()
            self.close()
        try:
            self._append(text, size)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file, and of its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> None:
        """Hold the lock of the file that now bears the name: another process may have rotated the one we knew."""
        while True:
            if self._descriptor < 0:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
                    return
            self.close()

    def _rotate(self) -> None:
        """Rename the file to .1, .1 to .2 and so on; the one past `backup_count` goes."""
        names = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, self._backup_count + 1))]
        names[-1].unlink(missing_ok=True)
        for newer, older in reversed(list(itertools.pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                newer.rename(older)

    def _append(self, text: bytes, size: int) -> None:
        rest = memoryview(text)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, size)  # no half line for the next one to be glued to
            raise


class LogHandler(logging.Handler):
    """Hands lines to the writer thread. A line that finds the queue full is dropped and counted."""

    def __init__(self, folder: Path, *, bytes_max: int, backup_count: int, queue_lines_max: int = QUEUE_LINES_MAX):
        super().__init__()
        self._folder = folder
        self._bytes_max = bytes_max
        self._backup_count = backup_count
        self._queue_lines_max = queue_lines_max
        self._begin()
        OPEN_HANDLERS.add(self)

    def _begin(self) -> None:
        """Start with nothing queued or open, and a thread: a forked process can use nothing of its parent's."""
        self._files: dict[str, tuple[str, LogFile]] = {}
        self._queue: queue.SimpleQueue[Line | threading.Event] = queue.SimpleQueue()
        self._dropped = 0  # changed under the handler's lock
        self._refused = 0  # changed by the writer thread, like the next
        self._reported = 0
        self._end = threading.Event()
        self._hurry = threading.Event()  # somebody waits for the lines put so far
        self._thread = threading.Thread(target=self._write_lines, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines reached no file: the queue was full, or the disk refused them."""
        return self._dropped + self._refused

    def emit(self, record: logging.LogRecord) -> None:
        if self._queue.qsize() >= self._queue_lines_max:
            self._dropped += 1
        else:
            self._queue.put(line_of(record))

    def flush(self) -> None:
        """Return when the lines put so far are written, or after FLUSH_SECONDS_MAX."""
        self._wait_for(threading.Event())

    def close(self) -> None:
        """Write what is queued and stop; `logging` itself calls this when the process exits."""
        self._wait_for(self._end)
        super().close()

    def _wait_for(self, reached: threading.Event) -> None:
        if not self._end.is_set():
            self._queue.put(reached)
            self._hurry.set()
            reached.wait(FLUSH_SECONDS_MAX)

    def _write_lines(self) -> None:
        while not self._end.is_set():
            lines, reached = self._next_batch()
            if self.lost > self._reported:
                lines.append(self._report_of_loss())
            for (channel, day), texts in grouped(lines).items():
                self._write(channel, day, texts)
            if reached:
                reached.set()
        for _, file in self._files.values():
            file.close()

    def _next_batch(self) -> tuple[list[Line], threading.Event | None]:
        """Wait for one line and take with it those that follow soon, up to WRITE_BYTES_MAX or to an event."""
        lines: list[Line] = []
        size = 0
        while size <= WRITE_BYTES_MAX and not (lines and self._queue.empty()):
            item = self._queue.get()
            if isinstance(item, threading.Event):
                self._hurry.clear()
                return lines, item
            if not lines and self._queue.empty():
                self._hurry.wait(GATHER_SECONDS)
            lines.append(item)
            size += len(item.text)
        return lines, None

    def _write(self, channel: str, day: str, texts: list[bytes]) -> None:
        try:
            self._file(channel, day).write(b"".join(texts))
        except OSError as error:
            if not self._refused:
                complain(f"logs cannot be written to {self._folder}: {error}; the service goes on without them")
            self._refused += len(texts)

    def _file(self, channel: str, day: str) -> LogFile:
        known_day, file = self._files.get(channel, ("", None))
        if file is None or known_day != day:
            if file is not None:
                file.close()
            path = self._folder / f"{channel}_{day}.log"
            file = LogFile(path, bytes_max=self._bytes_max, backup_count=self._backup_count)
            self._files[channel] = (day, file)
        return file

    def _report_of_loss(self) -> Line:
        self._reported = self.lost
        fields = {"name": "app.logging", "levelno": logging.WARNING, "levelname": "WARNING", "module": "logging"}
        message = f"{self.lost} log lines were lost since the start: the queue was full, or the disk refused them"
        return line_of(logging.makeLogRecord({**fields, "msg": message}))


OPEN_HANDLERS: weakref.WeakSet[LogHandler] = weakref.WeakSet()


def begin_in_fork() -> None:
    for handler in list(OPEN_HANDLERS):
        handler._begin()


os.register_at_fork(after_in_child=begin_in_fork)


def grouped(lines: Sequence[Line]) -> dict[tuple[str, str], list[bytes]]:
    """Return the texts of each channel and day, in order."""
    groups: dict[tuple[str, str], list[bytes]] = {}
    for line in lines:
        groups.setdefault((line.channel, line.day), []).append(line.text)
    return groups


def complain(message: str) -> None:
    """Say it on stderr, if there is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(message, file=sys.stderr, flush=True)


def configure(log_dir: Path, *, level: str = "INFO", size_mb_max: int = 50, backup_count: int = 5) -> LogHandler:
    """Send the logs of this process to files in `log_dir`; a second call replaces the first."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
        root.removeHandler(handler)
        handler.close()
    handler = LogHandler(log_dir, bytes_max=size_mb_max * 1_000_000, backup_count=backup_count)
    root.addHandler(handler)
    root.setLevel(level)
    # What no line says need not be found out for each of them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    return handler
