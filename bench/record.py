"""How fast are metric points recorded from Python: durable ones from 8 threads, and a single call?

python -m bench.record [--seconds 4] [--rounds 3] [--calls 4000]

`durable points/s` ends when the last point is on disk: with wait=False it counts the flush. The views are kept up
meanwhile by the same process; a server beside it would take that work over. `one call` is made by one thread: one after
the other, or one a millisecond. Beside them stands what one fsync of 4 kB takes on this disk, and how many points could
be recorded by threads that each wait for one if nothing else took time. Imports: in a fresh interpreter; memory is the
whole process's.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.common import save, spread
from mlops import metrics_collector
from recsys.api.runtime import runtime

THREADS: Final = 8
ROOT: Final = Path(__file__).parents[1]
IMPORTS: Final = {
    "import mlops": "import mlops",
    "its registry, metrics, health, logs, retraining": (
        "from mlops import model_registry, ModelMetadata, metrics_collector, health_monitor, get_logger, app_logger, "
        "mlops_logger, monitoring_logger, auto_scheduler, retraining_orchestrator, config, METRICS_NAMES"
    ),
    "anomaly_detector, with numpy": "from mlops import anomaly_detector",
}
MEASURE: Final = """
import time
begin = time.perf_counter()
{code}
taken = time.perf_counter() - begin
pages = int(open("/proc/self/statm").read().split()[1])
print(taken * 1000, pages * 4096 / 1e6)
"""


@contextmanager
def fresh_log() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as name:
        os.environ.update(DATA_DIR=f"{name}/data", LOG_DIR=f"{name}/logs")
        metrics_collector.record("warm_up", 1.0)
        yield
        runtime.close()


def durable_rate(seconds: float, *, wait: bool) -> float:
    """Return points a second, recorded by THREADS threads for `seconds` and then flushed."""
    counts = [0] * THREADS
    end = time.perf_counter() + seconds

    def record(thread: int) -> None:
        while time.perf_counter() < end:
            metrics_collector.record("api_latency_ms", 150.5, wait=wait)
            counts[thread] += 1

    threads = [threading.Thread(target=record, args=(number,)) for number in range(THREADS)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics_collector.flush()
    return sum(counts) / (time.perf_counter() - begin)


def one_call(calls: int, *, wait: bool, pause: float) -> dict[str, float]:
    """Return the spread of milliseconds of a call; pause: seconds between two."""
    samples = []
    for _ in range(calls):
        begin = time.perf_counter()
        metrics_collector.record("api_latency_ms", 150.5, wait=wait)
        samples.append((time.perf_counter() - begin) * 1000)
        if pause:
            time.sleep(pause)
    return spread(samples[calls // 10 :], digits=4)


def fsync_ms(times: int) -> dict[str, float]:
    with tempfile.NamedTemporaryFile() as file:

        def write() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        return spread([timed_ms(write) for _ in range(times)])


def timed_ms(function: Callable[[], None]) -> float:
    begin = time.perf_counter()
    function()
    return (time.perf_counter() - begin) * 1000


def imported(code: str, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-c", MEASURE.format(code=code)]
    runs = [subprocess.check_output(command, cwd=ROOT, text=True).split() for _ in range(rounds)]
    return {
        "ms": spread([float(taken) for taken, _ in runs], digits=1),
        "MB": round(max(float(size) for _, size in runs), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=4000)
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    for wait in (True, False):
        rates = []
        for _ in range(arguments.rounds):
            with fresh_log():
                rates.append(durable_rate(arguments.seconds, wait=wait))
        results[f"durable points/s, {THREADS} threads, wait={wait}"] = spread(rates, digits=0)
    for wait, pause in ((True, 0.0), (False, 0.0), (False, 0.001)):
        with fresh_log():
            name = f"one call, wait={wait}, {'one a millisecond' if pause else 'one after the other'}, ms"
            results[name] = one_call(arguments.calls, wait=wait, pause=pause)
    fsync = results["fsync of 4 kB, ms"] = fsync_ms(200)
    results[f"ceiling of {THREADS} threads that wait, points/s"] = round(THREADS * 1000 / fsync["median"])
    for name, code in IMPORTS.items():
        results[name] = imported(code, 5)
    save("record", results)


if __name__ == "__main__":
    main()
