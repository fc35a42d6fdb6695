"""Whether a metric has become worse than it was when its model was promoted, or at its best. Floor 3; numpy alone."""

import math
from typing import Final

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from recsys.errors import InvalidInput
from recsys.monitoring.series import checked_series
from recsys.recommender.arrays import DoubleArray

DROP_MAX: Final = 0.05  # the guide's: a retraining is due when accuracy falls by more than 5 %


class Degradation(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with its evidence; true where the metric has become too much worse.

    drop: how much worse, relative to the baseline; negative where better, infinite where the baseline is 0.
    baseline: what it was held against; window: the mean of the last values; index: of the first of them. All None
    while there are too few values to tell.
    """

    degraded: bool
    drop: float | None = None
    baseline: float | None = None
    window: float | None = None
    index: int | None = None

    def __bool__(self) -> bool:
        return self.degraded


def detect_performance_degradation(
    metrics: ArrayLike,
    window_size: int = 3,
    threshold: float = DROP_MAX,
    *,
    baseline: float | None = None,
    higher_is_better: bool = True,
) -> Degradation:
    """Return whether the last window's mean is worse than the baseline by more than `threshold` of it.

    metrics: (n,) finite, in the order of time. baseline: the metric when the model was promoted; without one, the best
    mean of `window_size` values in a row before the last window. (The window just before would be no baseline: a slow
    decline stays within 5 % of it for ever.) The longer the series, the more luck is in its best window: where single
    values scatter by more than 1 % of their mean, give a baseline or a larger window.
    Raises InvalidInput.

    >>> bool(detect_performance_degradation([0.92, 0.91, 0.90, 0.89, 0.85, 0.84, 0.83, 0.82, 0.80]))
    True
    """
    series = checked_series(metrics, at_least=0, field="metrics")
    check_options(window_size, threshold, baseline)
    earlier, last = series[:-window_size], series[-window_size:]
    if len(last) < window_size or (baseline is None and len(earlier) < window_size):
        return Degradation(degraded=False)
    before = best_window(earlier, window_size, higher_is_better=higher_is_better) if baseline is None else baseline
    now = float(last.mean())
    drop = relative_drop(before, now, higher_is_better=higher_is_better)
    return Degradation(degraded=drop > threshold, drop=drop, baseline=before, window=now, index=len(earlier))


def check_options(window_size: int, threshold: float, baseline: float | None) -> None:
    if window_size < 1:
        raise InvalidInput("window_size is below 1", field="window_size", found=str(window_size), fix="such as 3")
    if not 0 <= threshold < math.inf:
        raise InvalidInput("threshold is no share", field="threshold", found=str(threshold), fix="such as 0.05 for 5 %")
    if baseline is not None and not math.isfinite(baseline):
        raise InvalidInput("baseline is not finite", field="baseline", found=str(baseline), fix="give a number or None")


def best_window(series: DoubleArray, window_size: int, *, higher_is_better: bool) -> float:
    """Return the best mean of so many values in a row."""
    means = sliding_window_view(series, window_size).mean(axis=1)
    return float(np.max(means) if higher_is_better else np.min(means))


def relative_drop(before: float, now: float, *, higher_is_better: bool) -> float:
    worse = before - now if higher_is_better else now - before
    if before == 0:
        return math.copysign(math.inf, worse) if worse else 0.0
    return worse / abs(before)
