"""Log lines of several processes and threads all arrive, and logging never holds up its caller."""

import errno
import json
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from recsys.logging import Line, LogFile, LogHandler, grouped

ROOT = Path(__file__).parents[2]
REAL_WRITE = os.write
PROCESSES, THREADS, LINES = 3, 2, 1500
WRITER = f"""
import logging, sys, threading
from pathlib import Path
from recsys.logging import LogHandler, get_logger
logging.getLogger().addHandler(LogHandler(Path(sys.argv[1]), bytes_max=60_000, backup_count=100))
logging.getLogger().setLevel("INFO")
def write(thread):
    for number in range({LINES}):
        get_logger("app").info(f"{{sys.argv[2]}} {{thread}} {{number}}")
        if number % 100 == 0:
            logging.getLogger().handlers[0].flush()
threads = [threading.Thread(target=write, args=[thread]) for thread in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_processes_and_threads_share_rotating_files(tmp_path: Path) -> None:
    """Processes that write one channel while it rotates lose no line and tear none; exit flushes."""
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), str(process)] for process in range(PROCESSES)]
    processes = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    assert [process.wait() for process in processes] == [0] * PROCESSES
    paths = sorted(tmp_path.iterdir())
    messages = Counter(json.loads(line)["message"] for path in paths for line in path.read_text().splitlines())
    wanted = {f"{p} {t} {n}" for p in range(PROCESSES) for t in range(THREADS) for n in range(LINES)}
    assert len(paths) > 5
    assert set(messages) == wanted
    assert set(messages.values()) == {1}


def test_backups_are_kept_up_to_their_count(tmp_path: Path) -> None:
    """Rotation keeps BACKUP_COUNT files, the youngest as .1."""
    file = LogFile(tmp_path / "app.log", bytes_max=10, backup_count=2)
    for number in range(5):
        file.write(b"%d23456789\n" % number)
    file.close()
    assert {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()} == {
        "app.log": b"4",
        "app.log.1": b"3",
        "app.log.2": b"2",
    }


def test_a_file_removed_under_the_writer_is_made_again(tmp_path: Path) -> None:
    """Deleting a log file, or its folder, loses what it held and nothing after."""
    path = tmp_path / "logs" / "app.log"
    file = LogFile(path, bytes_max=1000, backup_count=1)
    file.write(b"one\n")
    path.unlink()
    path.parent.rmdir()
    file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"two\n"


def test_a_new_day_opens_a_new_file(tmp_path: Path) -> None:
    """Lines are filed under the day on which they were logged."""
    lines = [Line("app", "20241230", b"old\n"), Line("app", "20241231", b"new\n"), Line("mlops", "20241231", b"m\n")]
    assert grouped(lines) == {
        ("app", "20241230"): [b"old\n"],
        ("app", "20241231"): [b"new\n"],
        ("mlops", "20241231"): [b"m\n"],
    }


def record(message: str) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "app", "msg": message, "levelname": "INFO"})


def test_a_standing_disk_does_not_hold_up_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk stands still, a log call returns; what the queue cannot hold is counted and logged."""
    disk = threading.Event()
    monkeypatch.setattr("recsys.logging.os.write", lambda fd, text: (disk.wait(), REAL_WRITE(fd, text))[1])
    handler = LogHandler(tmp_path, bytes_max=10**6, backup_count=1, queue_lines_max=10)
    for number in range(100):
        handler.handle(record(str(number)))
    lost = handler.lost
    disk.set()
    handler.flush()
    handler.handle(record("after"))
    handler.close()
    (path,) = tmp_path.iterdir()
    messages = [json.loads(line)["message"] for line in path.read_text().splitlines()]
    assert lost >= 80
    assert any(message.startswith(f"{lost} log lines were lost") for message in messages)
    assert len(messages) == 100 - lost + 2


def test_an_unwritable_folder_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where no file can be written, lines are counted, stderr hears of it once, and the caller goes on."""
    folder = tmp_path / "logs"
    folder.write_text("a file stands where the folder should be")
    handler = LogHandler(folder, bytes_max=10**6, backup_count=1)
    for number in range(3):
        handler.handle(record(str(number)))
        handler.flush()
    handler.close()
    assert handler.lost >= 3
    assert capfd.readouterr().err.count("logs cannot be written") == 1


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills in the middle of a line costs that line alone; the next stands whole."""
    path = tmp_path / "app.log"
    file = LogFile(path, bytes_max=10**6, backup_count=1)
    file.write(b"one\n")
    space = iter([2, 0])
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("recsys.logging.os.write", lambda fd, text: write_within(fd, text, next(space)))
        file.write(b"two\n")
    file.write(b"three\n")
    file.close()
    assert path.read_bytes() == b"one\nthree\n"


def write_within(descriptor: int, text: bytes, space: int) -> int:
    if not space:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return REAL_WRITE(descriptor, text[:space])


def test_a_forked_process_writes_its_lines(tmp_path: Path) -> None:
    """A process that was forked while its parent logs has its own lines written, and ends at once."""
    program = f"""
import logging, os, sys
from pathlib import Path
from recsys.logging import LogHandler, get_logger
handler = LogHandler(Path({str(tmp_path)!r}), bytes_max=60_000, backup_count=1)
logging.getLogger().addHandler(handler)
get_logger("app").warning("parent")
handler.flush()
child = os.fork()
if not child:
    get_logger("app").warning("child")
    handler.flush()
    os._exit(0)
os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, check=True, timeout=30)
    [path] = tmp_path.iterdir()
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == ["parent", "child"]
