"""What the benchmarks share: where they ran, and how results are kept. Imported by bench/ alone."""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import apsw

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("aiohttp", "aiosqlite", "apsw", "msgspec", "numpy", "uvloop")


def save(name: str, results: dict[str, Any]) -> None:
    """Print the results and write them, with machine, versions and commit, to bench/results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"results": results, "setting": setting()}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    width = max(map(len, results))
    print("\n".join(f"{key:<{width}}  {shown(value)}" for key, value in results.items()))


def shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def setting() -> dict[str, Any]:
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {processor()}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": {"stdlib": sqlite3.sqlite_version, "apsw": apsw.sqlite_lib_version()},
        "packages": {package: version(package) for package in PACKAGES},
        "commit": subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        ).stdout.strip(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def spread(samples: Sequence[float], *, digits: int = 3) -> dict[str, float]:
    """Return n, median, p90, p99 and max of the samples."""
    ordered = sorted(samples)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), digits),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], digits),
        "p99": round(ordered[int(0.99 * (len(ordered) - 1))], digits),
        "max": round(ordered[-1], digits),
    }


def resident_mb() -> float:
    """Return this process's resident memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
