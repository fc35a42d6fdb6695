"""The API answers inside a running loop, in many threads and on both sides of a fork."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlops import ModelMetadata, config, metrics_collector, model_registry
from recsys.api.runtime import runtime


async def test_inside_a_running_loop() -> None:
    """A notebook's cell runs in an event loop: the calls are the same there."""
    metrics_collector.record("accuracy", 0.9)
    assert metrics_collector.get_stats("accuracy")["count"] == 1


def test_in_eight_threads() -> None:
    """Points recorded by eight threads at once are all there, each once."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: metrics_collector.record("accuracy", number), range(200)))
    stats = metrics_collector.get_stats("accuracy")
    assert (stats["count"], stats["min"], stats["max"], stats["mean"]) == (200, 0, 199, 99.5)


def fork_and_record(value: float) -> int:
    """Record a point in a forked process and return its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        metrics_collector.record("accuracy", value)
        code = 0 if metrics_collector.get_latest("accuracy") == value else 2
    finally:
        runtime.close()
        os._exit(code)


def test_on_both_sides_of_a_fork() -> None:
    """A forked process records and reads like its parent, whether the log was open before or not."""
    assert fork_and_record(0.1) == 0
    metrics_collector.record("accuracy", 0.2, wait=False)
    assert fork_and_record(0.3) == 0
    metrics_collector.record("accuracy", 0.4)
    assert metrics_collector.get_stats("accuracy")["count"] == 4


def test_beside_threads_that_record_while_others_fork() -> None:
    """A fork loses no point of the threads that go on, and leaves nobody waiting."""
    done = threading.Event()

    def record() -> int:
        count = 0
        while not done.is_set():
            metrics_collector.record("accuracy", 1.0)
            count += 1
        return count

    with ThreadPoolExecutor(2) as threads:
        recorders = [threads.submit(record) for _ in range(2)]
        codes = [fork_and_record(2.0) for _ in range(3)]
        done.set()
        counts = [recorder.result() for recorder in recorders]
    assert metrics_collector.get_stats("accuracy")["count"] == sum(counts) + len(codes)


def test_after_a_change_of_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log that was opened first stays the log, wherever the process goes."""
    metrics_collector.record("accuracy", 0.9)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    model_registry.register_model(ModelMetadata(model_id="ranker", model_type="test", version="1.0.0"))
    assert (metrics_collector.get_latest("accuracy"), len(model_registry.list_models())) == (0.9, 1)
    assert (folder / "models" / "registry.json").is_file() and not list((folder / "elsewhere").iterdir())


def test_closed_and_opened_again(folder: Path) -> None:
    """After a close the next call goes on where the last one ended."""
    metrics_collector.record("accuracy", 0.9)
    runtime.close()
    assert metrics_collector.get_latest("accuracy") == 0.9
    assert config.data_dir == Path("data") and (folder / "data" / "log.db").is_file()
