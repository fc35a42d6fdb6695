"""How often do the detectors call normal data anomalous, how much do they find, and how soon is a slow decline seen?

python -m bench.anomalies

Shares are in percent. False alarms: of normal values, by method, n and threshold; for `mad` also of log-normal values,
skewed as latencies are. Found: of values moved by 5 or 8 standard deviations, one or a tenth of 100. Declines: where
the series had got to when the verdict first came, in percent below its start; false alarms of degradation: of series
of 100 steady values that were called degraded at any of their points. Seeded; says nothing about other noise.
"""

import time
from typing import Any, get_args

import numpy as np

from bench.common import save
from recsys.monitoring.anomalies import Method, detect_anomalies
from recsys.monitoring.degradation import detect_performance_degradation
from recsys.recommender.arrays import DoubleArray

SIZES = (10, 30, 100, 1000)
THRESHOLDS = (3.0, 3.5)
POINTS = 60_000
PERIOD = 7
SERIES = 300


def found(values: DoubleArray, method: Method, threshold: float = 3.5) -> list[int]:
    period = min(PERIOD, len(values) // 3)
    return [at["index"] for at in detect_anomalies(values, threshold, method, period=period)["anomalies"]]


def false_alarms(method: Method, threshold: float, series: DoubleArray) -> float:
    return percent(sum(len(found(values, method, threshold)) for values in series) / series.size)


def detected(method: Method, shift: float, outliers: int, random: np.random.Generator) -> float:
    """Return the share of so many outliers, at random places among 100 normal values, that is found."""
    hits = 0
    for values in random.normal(size=(SERIES, 100)):
        moved = random.choice(100, outliers, replace=False)
        values[moved] = shift
        hits += len({*found(values, method)} & {*moved.tolist()})
    return percent(hits / (SERIES * outliers))


def first_verdict(series: DoubleArray, window_size: int) -> int | None:
    """Return after how many values the series is first called degraded."""
    ends = range(1, len(series) + 1)
    return next((end for end in ends if detect_performance_degradation(series[:end], window_size)), None)


def decline_when_seen(percent_a_step: float, noise: float, window_size: int, random: np.random.Generator) -> Any:
    """Return how far the level had declined at the first verdict, over many series: median and the latest."""
    levels = 1 - percent_a_step / 100 * np.arange(int(12 / percent_a_step))
    seen = []
    for _ in range(40 if noise else 1):
        end = first_verdict(levels + random.normal(0, noise, len(levels)), window_size)
        seen.append(float(100 * (1 - levels[end - 1])) if end else float("inf"))
    return {"median": round(float(np.median(seen)), 2), "latest": round(max(seen), 2)}


def degradation_false_alarms(noise: float, window_size: int, random: np.random.Generator) -> float:
    series = random.normal(1, noise, (SERIES // 2, 100))
    return percent(sum(first_verdict(values, window_size) is not None for values in series) / len(series))


def percent(share: float) -> float:
    return round(100 * share, 3)


def milliseconds(method: Method, values: DoubleArray) -> float:
    begin = time.perf_counter()
    detect_anomalies(values, method=method, period=24)
    return round((time.perf_counter() - begin) * 1000, 1)


def main() -> None:
    random = np.random.default_rng(1)
    results: dict[str, Any] = {}
    normal = {size: random.normal(size=(POINTS // size, size)) for size in SIZES}
    for method in get_args(Method):
        for threshold in THRESHOLDS:
            results[f"false_alarms_percent_{method}_at_{threshold}"] = {
                f"n_{size}": false_alarms(method, threshold, series) for size, series in normal.items()
            }
    results["false_alarms_percent_mad_at_3.5_log_normal"] = false_alarms("mad", 3.5, np.exp(normal[100]))
    for method in get_args(Method):
        results[f"found_percent_{method}"] = {
            f"{outliers}_of_100_by_{shift:g}": detected(method, shift, outliers, random)
            for shift in (5.0, 8.0)
            for outliers in (1, 10)
        }
    for percent_a_step in (0.05, 0.1, 0.2):
        for noise, window_size in ((0.0, 3), (0.005, 3), (0.01, 3), (0.01, 10)):
            results[f"decline_of_{percent_a_step}_percent_a_step_noise_{noise:.1%}_window_{window_size}_seen_at"] = (
                decline_when_seen(percent_a_step, noise, window_size, random)
            )
    for noise, window_size in ((0.005, 3), (0.01, 3), (0.02, 3), (0.02, 10), (0.03, 20)):
        results[f"degradation_false_alarms_percent_noise_{noise:.1%}_window_{window_size}"] = degradation_false_alarms(
            noise, window_size, random
        )
    many = random.normal(size=100_000)
    results["ms_for_100000_values"] = {method: milliseconds(method, many) for method in get_args(Method)}
    save("anomalies", results)


if __name__ == "__main__":
    main()
