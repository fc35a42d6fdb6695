"""How does the service compare with an MLflow server on the same machine, in the same run?

python -m bench.http [--seconds 5] [--mlflow .venv-bench/bin/mlflow]

Each server runs alone and is driven by the same load generator from a process of its own: MLflow with one worker on
SQLite, ours as `run.py serve` starts it, with its access log, its recipes and its projections at work. Ours writes with
synchronous=FULL. Rates count the answers that are 2xx. Not told: what networks, other disks and more cores would do.
"""

import argparse
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bench.common import save, spread
from bench.load import Load, Requests, measure, request

CLIENTS: Final = (1, 16)
BATCH_POINTS: Final = 100
DIFFERENT_BODIES: Final = 100
START_SECONDS_MAX: Final = 120.0
API: Final = "/api/2.0/mlflow"
MODELS: Final = [f"bench{number}" for number in range(max(CLIENTS))]  # one a client: none waits for another


class Server(NamedTuple):
    """A server under test: what it is asked for, by the name of the action."""

    port: int
    actions: dict[str, Requests]


def post(path: str, body: Any) -> bytes:
    return request("POST", path, msgspec.json.encode(body))


def our_registrations(client: int) -> Iterator[bytes]:
    row = time.time_ns()  # no version of an earlier row comes again
    for number in itertools.count():
        version = f"{row}.{number}.0"
        yield post("/models", {"model_id": MODELS[client], "model_type": "hybrid", "version": version})


def our_reads(client: int) -> Iterator[bytes]:
    return itertools.repeat(request("GET", f"/models/{MODELS[client]}/versions/1.0.0"))


def our_points(client: int, count: int) -> Iterator[bytes]:
    bodies: list[bytes] = []  # over and over: the generator's own work is to be small beside the server's
    for number in range(DIFFERENT_BODIES):
        points = [{"metric": f"bench_{client}", "value": number + point} for point in range(count)]
        bodies.append(post("/metrics", points if count > 1 else points[0]))
    return itertools.cycle(bodies)


def their_registrations(client: int) -> Iterator[bytes]:
    return itertools.repeat(
        post(f"{API}/model-versions/create", {"name": MODELS[client], "source": "s3://bench/model"})
    )


def their_reads(client: int) -> Iterator[bytes]:
    return itertools.repeat(request("GET", f"{API}/model-versions/get?name={MODELS[client]}&version=1"))


def their_points(client: int, run_id: str, count: int) -> Iterator[bytes]:
    for number in itertools.count():
        points = [
            {"key": f"bench_{client}", "value": number + point, "timestamp": number, "step": number * count + point}
            for point in range(count)
        ]
        if count > 1:
            yield post(f"{API}/runs/log-batch", {"run_id": run_id, "metrics": points})
        else:
            yield post(f"{API}/runs/log-metric", {"run_id": run_id, **points[0]})


@contextmanager
def our_server(folder: Path) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "run.py", "serve", "--port", str(port), "--data-dir", str(folder / "data")]
    with running(command, folder, port, "/health/ready", LOG_DIR=str(folder / "logs")):
        for model_id in MODELS:
            ask(port, "/models", {"model_id": model_id, "model_type": "hybrid", "version": "1.0.0"})
        yield Server(
            port,
            {
                "register a version": our_registrations,
                "read a version": our_reads,
                "log a metric": partial(our_points, count=1),
                f"log {BATCH_POINTS} metrics": partial(our_points, count=BATCH_POINTS),
            },
        )


@contextmanager
def mlflow_server(folder: Path, mlflow: str) -> Iterator[Server]:
    port = free_port()
    store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
    command = [mlflow, "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port), *store]
    with running(command, folder, port, "/health", MLFLOW_DISABLE_TELEMETRY="true"):
        for name in MODELS:
            ask(port, f"{API}/registered-models/create", {"name": name})
            ask(port, f"{API}/model-versions/create", {"name": name, "source": "s3://bench/model"})
        run_id = ask(port, f"{API}/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        yield Server(
            port,
            {
                "register a version": their_registrations,
                "read a version": their_reads,
                "log a metric": partial(their_points, run_id=run_id, count=1),
                f"log {BATCH_POINTS} metrics": partial(their_points, run_id=run_id, count=BATCH_POINTS),
            },
        )


@contextmanager
def running(command: list[str], folder: Path, port: int, ready_path: str, **environment: str) -> Iterator[None]:
    """Run a server until the block ends; enter the block when it is ready."""
    folder.mkdir()
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}, start_new_session=True
        )
        try:
            wait_until_ready(process, port, ready_path, log)
            yield
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")


def ask(port: int, path: str, body: Any) -> Any:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def measured(server: Server, seconds: float) -> dict[tuple[str, int], Load]:
    return {
        (action, clients): measure(server.port, requests, clients=clients, seconds=seconds)
        for action, requests in server.actions.items()
        for clients in CLIENTS
    }


def compared(ours: Load, theirs: Load) -> dict[str, Any]:
    return {
        "ours_per_second": round(ours.rate),
        "mlflow_per_second": round(theirs.rate, 1),
        "ratio": round(ours.rate / theirs.rate, 1) if theirs.rate else None,
        "ours_ms": spread(ours.latencies_ms),
        "mlflow_ms": spread(theirs.latencies_ms),
        "failures": {"ours": ours.failures, "mlflow": theirs.failures},
        "generator_us_per_request": {"ours": round(ours.generator_us), "mlflow": round(theirs.generator_us)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="measured for each row, after half a second's warm-up"
    )
    parser.add_argument("--mlflow", default=".venv-bench/bin/mlflow", help="made by `make bench-env`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        with our_server(Path(name, "ours")) as server:
            ours = measured(server, arguments.seconds)
        with mlflow_server(Path(name, "mlflow"), arguments.mlflow) as server:
            theirs = measured(server, arguments.seconds)
    results: dict[str, Any] = {
        f"{action}, {clients} clients": compared(ours[action, clients], theirs[action, clients])
        for action, clients in ours
    }
    points = {clients: round(ours[f"log {BATCH_POINTS} metrics", clients].rate * BATCH_POINTS) for clients in CLIENTS}
    save("http", {**results, f"metric points per second in batches of {BATCH_POINTS}, by clients": points})


if __name__ == "__main__":
    main()
