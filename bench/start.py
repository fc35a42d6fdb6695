"""How soon after its start does the service answer, with 100,000 events in its log?

python -m bench.start [--events 100000] [--rounds 5]

A warm start: recipes, views and caches are as the last run left them. The clock runs from the creation of the process
to the whole answers of a first `POST /recommend` and a `GET /models`; `imports` is what Python needs for the modules.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.common import save, spread
from bench.http import free_port

HELLO: Final = json.dumps({"query": "recetas con pollo"}).encode()
POLL_SECONDS: Final = 0.002


@contextmanager
def service(folder: Path, port: int) -> Iterator[float]:
    """Run the service; yields the time at which its process was made."""
    command = [sys.executable, "run.py", "serve", "--port", str(port), "--data-dir", str(folder)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={"LOG_DIR": str(folder / "logs")})
    try:
        yield begin
    finally:
        process.terminate()
        process.wait()


def answer(port: int, path: str, body: bytes | None = None) -> None:
    """Ask until there is an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request) as response:
                response.read()
                return
        except OSError:
            time.sleep(POLL_SECONDS)


def fill(folder: Path, port: int, events: int) -> None:
    """Have the service record metric points, as a client would."""
    with service(folder, port):
        answer(port, "/models")
        for first in range(0, events, 5000):
            points = [{"metric": f"metric_{number % 20}", "value": number} for number in range(first, first + 5000)]
            answer(port, "/metrics", json.dumps(points).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {"first answer": [], "imports": []}
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        fill(Path(name), port, arguments.events)
        for _ in range(arguments.rounds):
            with service(Path(name), port) as begin:
                answer(port, "/recommend", HELLO)
                answer(port, "/models")
                seconds["first answer"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import recsys.commands.serve"], check=True)
            seconds["imports"].append(time.perf_counter() - begin)
    save("start", {f"{what}, seconds": spread(samples) for what, samples in seconds.items()})


if __name__ == "__main__":
    main()
