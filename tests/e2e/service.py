"""The real service in a process of its own, and a client that needs nothing but the standard library."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[2]


class Reply(NamedTuple):
    status: int
    headers: Message
    body: Any


def hermetic(folder: Path) -> dict[str, str]:
    """Return the settings that keep a service to its folder, and to the Spanish catalogue whatever was fetched."""
    return {"LOG_DIR": str(folder / "logs"), "RECIPES_WHEEL": str(folder)}


class Service:
    """`run.py serve` on a free port; ready when it is made. started: what it said about itself."""

    def __init__(self, data_dir: Path, *, port: int = 0, **environ: str) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "run.py", "serve", "--json", "--data-dir", data_dir, "--port", str(port)],
            cwd=data_dir.parent,  # so that no .env of the developer's is read
            env={**os.environ, **hermetic(data_dir.parent), **environ},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        try:
            self.started: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        except BaseException:  # the test was given up: nobody else knows of the process
            self.kill()
            raise
        self.address = self.started.get("address", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def ask(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None, method: str = "") -> Reply:
        """Send a request and return its answer, errors too. body: sent as JSON, with POST; bytes as they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path,
            data=data,
            headers={"Content-Type": "application/json", **(headers or {})} if data is not None else headers or {},
            method=method or ("GET" if data is None else "POST"),
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Reply(response.status, response.headers, json.loads(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, json.loads(error.read()))

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Return the exit code when it has ended."""
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
