"""What does a check for drift cost, how often does it cry wolf, and what does it find that other rules miss?

python -m bench.drift [--rows 1000000] [--evidently PYTHON]

Speed and memory: 10 columns of normal numbers, five of which have moved by 0.25 standard deviations. PYTHON is the
interpreter of an environment with Evidently, which is asked the same of the same numbers; once, since it takes a
minute. Verdicts: each check is of one column, where nothing spares it the 5 % of its test; the rules beside ours are
read from the same answer.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from bench.common import save, spread
from recsys.drift.profile import ReferenceProfile
from recsys.drift.verdicts import check_drift

Draw = Callable[[Generator, int], Any]

COLUMNS = [f"c{number}" for number in range(10)]
MOVED = COLUMNS[::2]
REPEATS = 7
CHECKS = {10: 1000, 30: 1000, 100: 1000, 300: 500, 1000: 500, 5000: 100, 20_000: 30}  # by rows of a side
DETECTED_AT = 5000
TINY_SHIFT_AT = 200_000
TINY_CHECKS = 20
PSI_LIMIT = 0.2  # the usual one for "has shifted"
MEAN_LIMIT = 0.1

PEER = """
import json, sys, time
import numpy as np, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
before, after = (pd.DataFrame(np.load(path), columns=sys.argv[3].split(",")) for path in sys.argv[1:3])
Report([DataDriftPreset()]).run(after[:2000], before[:2000])
def megabytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1000
open("/proc/self/clear_refs", "w").write("5")
resident, begin = megabytes("VmRSS"), time.perf_counter()
answer = Report([DataDriftPreset()]).run(after, before).dict()
seconds, extra = time.perf_counter() - begin, megabytes("VmHWM") - resident
found = {one["config"]["column"]: float(one["value"]) for one in answer["metrics"] if "column" in one["config"]}
print(json.dumps({"seconds": seconds, "extra_mb": extra, "effects": found}))
"""


def normal(random: Generator, size: int, *, mean: float = 0.0, deviation: float = 1.0) -> Any:
    return random.normal(mean, deviation, size)


def ratings(random: Generator, size: int, *, deviation: float = 1.0) -> Any:
    return normal(random, size, mean=10.0, deviation=deviation)


def prices(random: Generator, size: int, *, factor: float = 1.0) -> Any:
    return random.lognormal(2.5, 0.6, size) * factor


def kinds(random: Generator, size: int, *, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> Any:
    return random.choice(["main", "dessert", "starter", "drink"][: len(shares)], size, p=shares)


def cities(random: Generator, size: int) -> Any:
    return [f"city{number}" for number in random.integers(200, size=size)]


def vegan(random: Generator, size: int, *, share: float = 0.3) -> Any:
    return random.random(size) < share


def gaps(random: Generator, size: int, *, share: float = 0.0) -> Any:
    return np.where(random.random(size) < share, np.nan, random.normal(size=size))


def dishes(random: Generator, size: int, *, words: int = 60) -> Any:
    """Draw texts of 4 to 8 words, rare and frequent ones as Zipf has it."""
    drawn = random.zipf(1.5, (size, 8)) % words
    lengths = random.integers(4, 9, size)
    return [" ".join(f"w{word}" for word in row[:length]) for row, length in zip(drawn, lengths, strict=True)]


STEADY: dict[str, Draw] = {
    "normal": normal,
    "prices": prices,
    "3 kinds": kinds,
    "200 cities": cities,
    "boolean": vegan,
    "dishes": dishes,
}
SHIFTS: dict[str, tuple[Draw, Draw]] = {
    "mean +0.25 deviations": (normal, lambda random, size: normal(random, size, mean=0.25)),
    "spread x 1.5": (ratings, lambda random, size: ratings(random, size, deviation=1.5)),
    "prices +25 %": (prices, lambda random, size: prices(random, size, factor=1.25)),
    "kinds 50/30/20 to 30/35/35": (kinds, lambda random, size: kinds(random, size, shares=(0.3, 0.35, 0.35))),
    "a new kind of 5 %": (kinds, lambda random, size: kinds(random, size, shares=(0.47, 0.29, 0.19, 0.05))),
    "boolean 30 % to 50 %": (vegan, lambda random, size: vegan(random, size, share=0.5)),
    "missing 0 to 10 %": (gaps, lambda random, size: gaps(random, size, share=0.1)),
    "words of the texts": (dishes, lambda random, size: dishes(random, size, words=15)),
}


def by_rule(before: Any, after: Any) -> dict[str, bool]:
    """Return the verdict of our rule, and for numbers those of the rules it is compared with."""
    column = check_drift({"x": before}, {"x": after})["columns"]["x"]
    verdicts = {"ours": column["drift"]}
    if column["type"] == "numeric":
        verdicts["mean shift > 10 %"] = abs(column["mean_shift"]) > MEAN_LIMIT
        verdicts["psi > 0.2"] = column["psi"] > PSI_LIMIT
        verdicts["ks p < 0.05"] = column["ks_p"] < 0.05
    return verdicts


def shares(name: str, before: Draw, after: Draw, *, size: int, checks: int) -> dict[str, float]:
    """Return in which share of checks, seeded by the name and the size, each rule says drift."""
    random = np.random.default_rng([size, *name.encode()])
    verdicts = [by_rule(before(random, size), after(random, size)) for _ in range(checks)]
    return {rule: round(sum(found[rule] for found in verdicts) / checks, 4) for rule in verdicts[0]}


def verdicts() -> dict[str, Any]:
    found: dict[str, Any] = {
        f"false alarms, {name}, n = {size}": shares(name, draw, draw, size=size, checks=checks)
        for name, draw in STEADY.items()
        for size, checks in CHECKS.items()
    }
    found |= {
        f"detected, {name}, n = {DETECTED_AT}": shares(name, *draws, size=DETECTED_AT, checks=CHECKS[DETECTED_AT])
        for name, draws in SHIFTS.items()
    }
    tiny = {"mean +0.02 deviations": (normal, lambda random, size: normal(random, size, mean=0.02))}
    return found | {
        f"called drift, {name}, n = {TINY_SHIFT_AT}": shares(name, *draws, size=TINY_SHIFT_AT, checks=TINY_CHECKS)
        for name, draws in tiny.items()
    }


def cost(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Return the seconds and the memory of a check against the data and of one against their profile."""
    check_drift(before[:2000], after[:2000])  # imports scipy
    extra = extra_megabytes(lambda: check_drift(before, after))  # first: memory once freed is not all given back
    kept = ReferenceProfile.of(before).to_json()
    read = ReferenceProfile.from_json(kept)
    whole, bounded = check_drift(before, after), check_drift(read, after)
    assert whole["columns_with_drift"] == bounded["columns_with_drift"] == MOVED
    return {
        "check_extra_mb": extra,
        "check_seconds": seconds(lambda: check_drift(before, after)),
        "profile_check_seconds": seconds(lambda: check_drift(read, after)),
        "profile_seconds": seconds(lambda: ReferenceProfile.of(before)),
        "profile_json_kb": round(len(kept) / 1000, 1),
        "profile_effect_off_by_most": max(
            abs(whole["columns"][name]["effect"] - bounded["columns"][name]["effect"]) for name in COLUMNS
        ),
        "profile_effect_off_by_at_most": max(bounded["columns"][name]["error"]["effect"] for name in COLUMNS),
    }


def seconds(act: Callable[[], object]) -> dict[str, float]:
    samples = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        act()
        samples.append(time.perf_counter() - begin)
    return spread(samples)


def extra_megabytes(act: Callable[[], object]) -> float:
    """Return by how much the process's resident memory rises at most while it acts."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is resident
    before = megabytes("VmRSS")
    act()
    return round(megabytes("VmHWM") - before, 1)


def megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000


def ask_evidently(python: Path, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Return Evidently's seconds, memory and effects, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before.npy", "after.npy")]
        for path, frame in zip(paths, (before, after), strict=True):
            np.save(path, frame.to_numpy())
        command = [str(python), "-W", "ignore", "-c", PEER, *map(str, paths), ",".join(COLUMNS)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found


def compared(ours: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    drifted = [name for name, effect in found["effects"].items() if effect >= 0.1]  # Evidently's own threshold
    return {
        "evidently_seconds": round(found["seconds"], 2),
        "evidently_extra_mb": round(found["extra_mb"], 1),
        "times_faster_than_evidently": round(found["seconds"] / ours["check_seconds"]["median"], 1),
        "same_verdicts_as_evidently": drifted == MOVED,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--evidently", type=Path, metavar="PYTHON")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    before, after = (pd.DataFrame(random.normal(size=(options.rows, 10)), columns=COLUMNS) for _ in range(2))
    after[MOVED] += 0.25
    results: dict[str, Any] = {"rows": options.rows, "columns": len(COLUMNS)} | cost(before, after)
    if options.evidently:
        results |= compared(results, ask_evidently(options.evidently, before, after))
    else:
        print("Evidently is not compared: name an interpreter that has it with --evidently")
    save("drift", results | {"checks_by_rows": CHECKS} | verdicts())


if __name__ == "__main__":
    main()
