"""What the operating system says of this process, by the names that scrapers know. Floor 3; Linux tells most."""

import os
import time
from functools import cache
from pathlib import Path

from recsys.monitoring.openmetrics import Family, Sample

PROC = Path("/proc/self")


def process_families() -> list[Family]:
    """Return CPU time and, where there is a /proc, memory, open files and start. Blocks for a moment."""
    cpu = Family(
        "process_cpu_seconds",
        "counter",
        "CPU time of this process and its threads.",
        [Sample(round(time.process_time(), 3))],
        unit="seconds",
    )
    if not PROC.is_dir():
        return [cpu]
    return [
        cpu,
        Family("process_resident_memory_bytes", "gauge", "Resident memory.", [Sample(resident_bytes())], unit="bytes"),
        Family(
            "process_open_fds", "gauge", "Open file descriptors.", [Sample(sum(1 for _ in (PROC / "fd").iterdir()))]
        ),
        Family(
            "process_start_time_seconds", "gauge", "When it started, since 1970.", [Sample(started())], unit="seconds"
        ),
    ]


def resident_bytes() -> int:
    return int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@cache
def started() -> float:
    """Return when the process started: seconds since the Unix epoch."""
    after_name = (PROC / "stat").read_text().rpartition(")")[2].split()
    since_boot = int(after_name[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5)
    return round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot, 2)
