"""Which values of a series stand out: six methods that share one threshold. Floor 3; pure, numpy alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NotRequired, TypedDict, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from recsys.errors import InvalidInput
from recsys.monitoring.degradation import detect_performance_degradation
from recsys.monitoring.series import checked_series
from recsys.recommender.arrays import BoolArray, DoubleArray

Method = Literal["mad", "zscore", "iqr", "gesd", "hampel", "seasonal"]
Side = Literal["both", "high", "low"]

THRESHOLD: Final = 3.5  # Iglewicz & Hoaglin 1993: at 3.0 one normal point in a hundred stands out of thirty
WINDOW: Final = 31  # the deviation of fewer neighbours is too uncertain for one false alarm in two hundred
CYCLES_MIN: Final = 3  # each value is held against its phase in the other cycles
MAD_PER_DEVIATION: Final = 0.674490  # of normal data; also its upper quartile
MEAN_AD_PER_DEVIATION: Final = 0.797885  # sqrt(2 / pi)
GESD_SHARE_MAX: Final = 0.25  # of the values may be outliers
SCALE_MIN: Final = 1e-300  # of values up to 1: what is divided by less may overflow
WINDOWS_BYTES_MAX: Final = 2**23


class Anomaly(TypedDict):
    """A value that stands out. z_score: its distance from what was expected, in standard deviations of normal data."""

    index: int
    value: float
    z_score: float
    time: NotRequired[float]


class Anomalies(TypedDict):
    """What stands out. anomaly_rate: 0 to 1. warnings: why the answer may say less than it seems to."""

    anomalies: list[Anomaly]
    anomaly_count: int
    anomaly_rate: float
    method: Method
    threshold: float
    warnings: list[str]


def detect_anomalies(
    values: ArrayLike,
    threshold: float = THRESHOLD,
    method: Method = "mad",
    *,
    side: Side = "both",
    window: int = WINDOW,
    period: int | None = None,
    times: Sequence[float] | None = None,
) -> Anomalies:
    """Return the values that lie more than `threshold` standard deviations from what was expected, in their order.

    values: (n,) finite, n >= 2. Latencies and the like are skewed, so that their high values stand out without being
    wrong: give their logarithms, or look at one `side` with a higher threshold.
    method: where the middle and the deviation are taken from. By chance, of normal data, n = 30, this share stands out
    at 3.5 (at 3.0):
      mad       median and median absolute deviation, or the mean one where that is 0;  0.4 % (1.0 %)
      zscore    mean and standard deviation, which outliers hide in: use it for large n;  0.0 % (0.1 %)
      iqr       the nearer quartile and the distance of the quartiles; 2.7 is Tukey's 1.5;  0.4 % (1.1 %)
      gesd      generalised extreme Studentised deviate: removes the outliers one by one;  0.1 % (0.4 %)
      hampel    like mad, among the `window` nearest neighbours: for series that wander;  0.4 % (1.0 %), at any n
      seasonal  like mad, after the median of the same phase in the other cycles of `period` values;  0.4 % (0.9 %)
    times: (n,) of the values; each anomaly then carries its own.
    Raises InvalidInput. Sources: Iglewicz & Hoaglin 1993; Rosner 1983, Technometrics 25(2); Davies & Gather 1993.
    """
    series = checked_series(values, at_least=2)
    check_options(threshold, method, side, window)
    score = scorer(method, len(series), window, period)
    scores = score(series / (np.abs(series).max() or 1.0))  # scaled, so that nothing overflows
    found = np.flatnonzero(beyond(scores, threshold, side)).tolist()
    anomalies = [Anomaly(index=at, value=series[at].item(), z_score=scores[at].item()) for at in found]
    if times is not None:
        note_times(anomalies, times, len(series))
    return Anomalies(
        anomalies=anomalies,
        anomaly_count=len(anomalies),
        anomaly_rate=len(anomalies) / len(series),
        method=method,
        threshold=threshold,
        warnings=[] if found else warnings(score, len(series), threshold, method),
    )


class AnomalyDetector:
    """Both detectors under one name."""

    detect_anomalies = staticmethod(detect_anomalies)
    detect_performance_degradation = staticmethod(detect_performance_degradation)


def check_options(threshold: float, method: str, side: str, window: int) -> None:
    for field, found, allowed in (("method", method, get_args(Method)), ("side", side, get_args(Side))):
        if found not in allowed:
            raise InvalidInput(
                f"{field} is none that there is", field=field, found=repr(found), fix=f"one of {', '.join(allowed)}"
            )
    if not 0 < threshold < math.inf:
        raise InvalidInput("threshold is not above 0", field="threshold", found=str(threshold), fix="such as 3.5")
    if window < 3:
        raise InvalidInput("window is too small", field="window", found=str(window), fix="at least 3")


Scorer = Callable[[DoubleArray], DoubleArray]


def scorer(method: Method, size: int, window: int, period: int | None) -> Scorer:
    """Return the function from values to scores. Raises InvalidInput if `period` does not fit `size` values."""
    if method == "hampel":
        return lambda values: hampel_scores(values, min(window, size))
    if method == "seasonal":
        checked = checked_period(period, size)
        return lambda values: seasonal_scores(values, checked)
    return {"mad": mad_scores, "zscore": z_scores, "iqr": iqr_scores, "gesd": gesd_scores}[method]


def checked_period(period: int | None, size: int) -> int:
    if period is None or not 1 <= period <= size // CYCLES_MIN:
        raise InvalidInput(
            f"seasonal needs a period of which the {size} values hold {CYCLES_MIN} or more",
            field="period",
            found=str(period),
            fix="give how many values make a cycle, such as 24 for hourly values, and enough cycles",
        )
    return period


def beyond(scores: DoubleArray, threshold: float, side: Side) -> BoolArray:
    if side == "both":
        return np.abs(scores) > threshold
    return (scores if side == "high" else -scores) > threshold


def note_times(anomalies: list[Anomaly], times: Sequence[float], size: int) -> None:
    if len(times) != size:
        raise InvalidInput(
            "times do not match the values", field="times", found=f"{len(times)} times", fix=f"give {size}, one a value"
        )
    for anomaly in anomalies:
        anomaly["time"] = times[anomaly["index"]]


def warnings(score: Scorer, size: int, threshold: float, method: Method) -> list[str]:
    """Return a warning if nothing can stand out among so few values, however far away it is."""
    spike = np.arange(size) / size * 1e-9
    spike[-1] = 1.0
    reach = score(spike)[-1].item()
    if reach > threshold:
        return []
    return [
        f"{method} cannot exceed {reach:.2f} with {size} values, so threshold {threshold:g} finds nothing: "
        "use more values or a lower threshold" + (", or method mad" if method == "zscore" else "")
    ]


def quotient(deviations: DoubleArray, scale: Any) -> DoubleArray:
    """Return deviations / scale; 0 where the scale is as good as 0: then nothing stands out."""
    scales = np.broadcast_to(scale, deviations.shape)
    quotients: DoubleArray = np.divide(deviations, scales, out=np.zeros_like(deviations), where=scales > SCALE_MIN)
    return quotients


def mad_scores(values: DoubleArray) -> DoubleArray:
    """Return the modified z-scores of Iglewicz & Hoaglin; by the mean absolute deviation where the median one is 0."""
    deviations = values - np.median(values)
    return quotient(deviations, robust_scale(np.abs(deviations), axis=0))


def robust_scale(distances: DoubleArray, axis: int) -> DoubleArray:
    """Return the standard deviation along the axis that normal data with such distances from the median would have."""
    mads = np.asarray(np.median(distances, axis=axis)) / MAD_PER_DEVIATION
    return np.where(mads > 0, mads, distances.mean(axis=axis) / MEAN_AD_PER_DEVIATION)


def z_scores(values: DoubleArray) -> DoubleArray:
    return quotient(values - values.mean(), values.std(ddof=1) if np.ptp(values) else 0.0)


def iqr_scores(values: DoubleArray) -> DoubleArray:
    """Return distances beyond the nearer quartile, as standard deviations of normal data; 0 between the quartiles."""
    low, high = np.quantile(values, [0.25, 0.75])
    outside = np.where(values > high, values - high, np.minimum(values - low, 0.0))
    scale = (high - low) / (2 * MAD_PER_DEVIATION)
    deviations = quotient(outside, scale or robust_scale(np.abs(values - low), axis=0))
    return deviations + MAD_PER_DEVIATION * np.sign(deviations)


def hampel_scores(values: DoubleArray, window: int) -> DoubleArray:
    """Return the modified z-score of each value in the window around it; at the ends, in the first or last window."""
    windows = sliding_window_view(values, window)
    at_once = max(1, WINDOWS_BYTES_MAX // (8 * window))
    parts = [windows[begin : begin + at_once] for begin in range(0, len(windows), at_once)]
    medians = [np.median(part, axis=1) for part in parts]
    scales = [robust_scale(np.abs(part - middle[:, None]), axis=1) for part, middle in zip(parts, medians, strict=True)]
    nearest = np.clip(np.arange(len(values)) - window // 2, 0, len(windows) - 1)
    return quotient(values - np.concatenate(medians)[nearest], np.concatenate(scales)[nearest])


def seasonal_scores(values: DoubleArray, period: int) -> DoubleArray:
    """Return the modified z-scores of what is left when the season is taken away.

    Of each value, the season is the median of its phase in the other cycles: with its own in it, every middle one of
    few cycles would leave exactly 0, and the others would stand out.
    """
    left = np.empty_like(values)
    for phase in range(period):
        same = values[phase::period]
        left[phase::period] = same - medians_of_others(same)
    return mad_scores(left)


def medians_of_others(values: DoubleArray) -> DoubleArray:
    """Return for each value the median of all others. values: (n,), n >= 2."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ranks = np.arange(len(values))
    low, high = (len(values) - 2) // 2, (len(values) - 1) // 2  # the ranks of the middle among the others
    medians = np.empty_like(values)
    medians[order] = (ordered[low + (ranks <= low)] + ordered[high + (ranks <= high)]) / 2
    return medians


def gesd_scores(values: DoubleArray) -> DoubleArray:
    """Return how surely each value is an outlier, as standard deviations of a normal; 0 for those never suspected.

    Rosner's procedure: remove the farthest value again and again and test each against Student's t. If one is an
    outlier, so are all that were removed before it: hence the running maximum from the last removal backwards.
    """
    order = np.argsort(values, kind="stable")
    extremes = Extremes(values[order] - np.median(values))
    removed = [extremes.remove() for _ in range(max(1, int(len(values) * GESD_SHARE_MAX))) if extremes.size > 2]
    scores = np.zeros_like(values)
    if removed:
        ranks, deviations, sizes = map(np.array, zip(*removed, strict=True))
        surest = np.maximum.accumulate(normal_score(np.abs(deviations), sizes)[::-1])[::-1]
        scores[order[ranks]] = np.copysign(surest, deviations)
    return scores


class Extremes:
    """Sorted values about their median, from which the one farthest from the mean is taken again and again.

    Sums are kept from the middle outwards, so that a far value leaves no rounding behind when it is gone.
    """

    def __init__(self, ordered: DoubleArray) -> None:
        self.ordered = ordered.tolist()
        self.low, self.high = 0, len(ordered)
        middle = len(ordered) // 2
        lower, upper = ordered[:middle][::-1], ordered[middle:]
        self.middle = middle
        self.lower = [(0.0, 0.0), *zip(np.cumsum(lower).tolist(), np.cumsum(lower**2).tolist(), strict=True)]
        self.upper = [(0.0, 0.0), *zip(np.cumsum(upper).tolist(), np.cumsum(upper**2).tolist(), strict=True)]

    @property
    def size(self) -> int:
        return self.high - self.low

    def remove(self) -> tuple[int, float, int]:
        """Remove the value farthest from the mean; return its rank, its Studentised deviation and the former size."""
        size = self.size
        below, above = self.lower[self.middle - self.low], self.upper[self.high - self.middle]
        mean = (below[0] + above[0]) / size
        variance = max(0.0, below[1] + above[1] - size * mean * mean) / (size - 1)
        to_low, to_high = self.ordered[self.low] - mean, self.ordered[self.high - 1] - mean
        if -to_low > to_high:
            self.low += 1
            return self.low - 1, to_low / math.sqrt(variance) if variance else 0.0, size
        self.high -= 1
        return self.high, to_high / math.sqrt(variance) if variance else 0.0, size


def normal_score(deviations: DoubleArray, sizes: DoubleArray) -> DoubleArray:
    """Return z such that a normal exceeds it as rarely as one Studentised deviation of n normal values exceeds these.

    deviations: >= 0. The deviation is turned into Student's t with n - 2 degrees of freedom, and that into z by Hill
    1970, CACM 13(10), algorithm 395.
    """
    freedom = sizes - 2.0
    rest = np.maximum((sizes - 1.0) ** 2 - sizes * deviations**2, 1e-12)  # 0 where all others are equal
    squares = deviations**2 * sizes / rest  # t² / freedom
    a = np.maximum(freedom - 0.5, 0.5)
    b = 48 * a * a
    y2 = a * np.log1p(squares)
    y = np.sqrt(y2)
    correction = (((4 * y2 + 33) * y2 + 240) * y2 + 855) / (10 * b * (b + 0.8 * y2 * y2 + 100))
    return np.asarray(y * (1 + (y2 + 3) / b - correction))
