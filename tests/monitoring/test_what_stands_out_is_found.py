"""detect_anomalies: known answers, independent oracles, few false alarms, and errors that say what is wrong."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recsys.errors import InvalidInput
from recsys.monitoring.anomalies import AnomalyDetector, Method, detect_anomalies, normal_score

SEVEN = np.array([10, 12, 11, 13, 100, 12, 11])
# Rosner 1983, as in NIST's Engineering Statistics Handbook, 1.3.5.17.3: the last three are outliers at 5 %.
ROSNER = [
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.70, 1.76,
    1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40, 2.47, 2.54,
    2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
]  # fmt: skip
ALL = get_args(Method)


def found(values: Any, *arguments: Any, **options: Any) -> list[int]:
    return [anomaly["index"] for anomaly in detect_anomalies(values, *arguments, **options)["anomalies"]]


def test_the_guides_example_holds() -> None:
    """Of the guide's seven values the fifth stands out: one in seven."""
    answer = AnomalyDetector().detect_anomalies(SEVEN, threshold=3.0)
    assert [(anomaly["index"], anomaly["value"]) for anomaly in answer["anomalies"]] == [(4, 100)]
    assert (answer["anomaly_count"], round(answer["anomaly_rate"], 2), answer["warnings"]) == (1, 0.14, [])


def test_the_modified_z_score_is_the_books() -> None:
    """z = 0.6745 (x - median) / MAD; by the mean absolute deviation where more than half the values are equal."""
    [of_seven] = detect_anomalies(SEVEN)["anomalies"]
    [of_equal] = detect_anomalies([5, 5, 5, 5, 5, 5, 9])["anomalies"]
    assert of_seven["z_score"] == pytest.approx(0.6745 * (100 - 12) / 1, rel=1e-4)
    assert of_equal["z_score"] == pytest.approx(4 / (1.253314 * 4 / 7), rel=1e-4)


def test_outliers_do_not_mask_each_other() -> None:
    """Two far values hide from the z-score in the deviation that they make; not from the other methods."""
    values = [*range(10, 20), 100, 101]
    assert found(values, method="zscore") == []
    assert all(found(values, method=method) == [10, 11] for method in ("mad", "iqr", "gesd", "hampel"))


def test_rosners_outliers_are_found() -> None:
    """GESD finds the three outliers of Rosner's example at the threshold that stands for 5 % over 54 values."""
    assert found(ROSNER, stats.norm.isf(0.05 / 2 / 54), "gesd") == [51, 52, 53]


@settings(deadline=None)
@given(st.integers(4, 2000), st.floats(0.1, 0.98))
def test_studentised_deviations_become_normal_ones(size: int, share: float) -> None:
    """normal_score agrees with scipy's t and normal distributions, up to seven deviations."""
    deviation = share * (size - 1) / size**0.5
    t = deviation * (size * (size - 2) / ((size - 1) ** 2 - size * deviation**2)) ** 0.5
    right = stats.norm.isf(stats.t.sf(t, size - 2))
    if right < 7:
        assert normal_score(np.array([deviation]), np.array([size])) == pytest.approx(right, rel=5e-3)


def test_a_wandering_series_needs_neighbours() -> None:
    """hampel finds a jump in a series that wanders far beyond it; mad does not."""
    values = 10 * np.sin(np.arange(400) / 200) + np.random.default_rng(1).normal(0, 0.1, 400)
    values[123] += 4
    assert 123 in found(values, 6.0, "hampel")
    assert found(values, 6.0, "mad") == []


def test_a_season_is_expected() -> None:
    """A night's value at noon stands out under `seasonal` alone."""
    values = np.tile(10 + 9 * np.sin(np.arange(24) / 24 * 2 * np.pi), 7) + np.random.default_rng(1).normal(0, 0.3, 168)
    values[78] = values[90]
    assert found(values, method="seasonal", period=24, threshold=5.0) == [78]
    assert found(values, method="mad") == []


def test_one_side_can_be_meant() -> None:
    """`high` finds what is too high, `low` what is too low."""
    values = [1, 2, 3, 2, 1, 2, 3, 99, -99]
    assert (found(values), found(values, side="high"), found(values, side="low")) == ([7, 8], [7], [8])


def test_an_unreachable_threshold_is_said() -> None:
    """A z-score never exceeds (n - 1) / sqrt(n): 2.27 of seven values, so 3 can find nothing."""
    [warning] = detect_anomalies(SEVEN, threshold=3.0, method="zscore")["warnings"]
    assert "2.27" in warning and "mad" in warning


@pytest.mark.parametrize("method", ALL)
def test_nothing_stands_out_of_equal_values(method: Method) -> None:
    """Equal values, however many and however large, hold no anomaly."""
    assert all(found([value] * 30, method=method, period=5) == [] for value in (0, 0.1, -1e308))


@pytest.mark.parametrize("method", ALL)
def test_few_normal_values_stand_out(method: Method) -> None:
    """By default at most one normal value in two hundred is called an anomaly, from thirty values on."""
    random = np.random.default_rng(2)
    for size in (30, 100):
        series = random.normal(100, 5, (400, size))
        assert sum(len(found(values, method=method, period=5)) for values in series) <= 0.005 * series.size


@pytest.mark.parametrize("method", ALL)
@settings(deadline=None)
@given(st.lists(st.floats(-1e308, 1e308), min_size=9, max_size=40))
def test_scores_are_finite_and_above_the_threshold(method: Method, values: list[float]) -> None:
    """Whatever the values, each anomaly has a finite score beyond the threshold, and the counts agree."""
    answer = detect_anomalies(values, 2.0, method, period=3)
    scores = np.array([anomaly["z_score"] for anomaly in answer["anomalies"]])
    assert np.isfinite(scores).all() and (np.abs(scores) > 2).all()
    assert answer["anomaly_rate"] == answer["anomaly_count"] / len(values) == len(scores) / len(values)


def test_times_come_back() -> None:
    """With times given, an anomaly says when it was."""
    [anomaly] = detect_anomalies(SEVEN, times=range(100, 107))["anomalies"]
    assert anomaly["time"] == 104


@pytest.mark.parametrize(
    ("values", "options", "field"),
    [
        ([1, 2, float("nan")], {}, "values"),
        ([1, 2, float("inf")], {}, "values"),
        ([], {}, "values"),
        ([1], {}, "values"),
        ([[1, 2], [3, 4]], {}, "values"),
        (["a", "b"], {}, "values"),
        ([1, 2, 3], {"method": "magic"}, "method"),
        ([1, 2, 3], {"side": "left"}, "side"),
        ([1, 2, 3], {"threshold": 0}, "threshold"),
        ([1, 2, 3], {"window": 2}, "window"),
        ([1, 2, 3], {"times": [1]}, "times"),
        ([1, 2, 3], {"method": "seasonal"}, "period"),
        ([1, 2, 3], {"method": "seasonal", "period": 2}, "period"),
    ],
)
def test_bad_input_is_named(values: Any, options: Any, field: str) -> None:
    """An error names the argument at fault, what stood there and the mend."""
    with pytest.raises(InvalidInput) as caught:
        detect_anomalies(values, **options)
    assert caught.value.field == field and caught.value.found and caught.value.fix
