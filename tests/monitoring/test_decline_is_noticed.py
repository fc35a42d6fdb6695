"""detect_performance_degradation: the guide's series, slow declines, noise, and the evidence."""

from typing import Any

import numpy as np
import pytest

from recsys.errors import InvalidInput
from recsys.monitoring.degradation import detect_performance_degradation

GUIDE = [0.92, 0.91, 0.90, 0.89, 0.85, 0.84, 0.83, 0.82, 0.80]


def test_the_guides_series_degrades() -> None:
    """From 0.91 to 0.8167, by 10.3 %, in the window that begins with the seventh value."""
    verdict = detect_performance_degradation(GUIDE, window_size=3)
    assert verdict and (round(verdict.drop or 0, 3), verdict.index) == (0.103, 6)
    assert [verdict.baseline, verdict.window] == pytest.approx([0.91, 2.45 / 3])


@pytest.mark.parametrize("step", [0.0005, 0.001, 0.002])
def test_a_slow_decline_is_caught_in_time(step: float) -> None:
    """A decline that no two neighbouring windows show is caught before it has reached 6 %."""
    series = 0.9 * (1 - step * np.arange(200))
    caught = next(end for end in range(1, 200) if detect_performance_degradation(series[:end]))
    assert 0.05 < 1 - series[caught - 1] / series[0] < 0.06


def test_small_noise_is_none() -> None:
    """Two hundred values that scatter by 1 % alone are no decline, at whatever point one looks."""
    series = np.random.default_rng(3).normal(0.9, 0.009, 200)
    assert not any(detect_performance_degradation(series[:end]) for end in range(1, 201))


def test_the_baseline_may_be_that_of_the_promotion() -> None:
    """Against a baseline one window suffices, and the best window before it does not count."""
    assert detect_performance_degradation([0.84, 0.85, 0.85], baseline=0.92)
    assert not detect_performance_degradation(GUIDE, baseline=0.84)


def test_lower_may_be_better() -> None:
    """An error that grows is a decline, where lower is better; one that falls is not."""
    assert detect_performance_degradation([1.0, 1.0, 1.0, 1.1, 1.1, 1.1], higher_is_better=False)
    assert not detect_performance_degradation(GUIDE, higher_is_better=False)


def test_from_zero_any_rise_is_infinite() -> None:
    """Relative to a baseline of 0 a change is infinite, and none is 0."""
    assert detect_performance_degradation([0, 0, 0, 0, 0, 1], higher_is_better=False).drop == float("inf")
    assert detect_performance_degradation([0, 0, 0, 0, 0, 0]).drop == 0


@pytest.mark.parametrize("size", range(6))
def test_two_windows_are_needed(size: int) -> None:
    """With fewer there is no verdict and no evidence."""
    verdict = detect_performance_degradation(GUIDE[::-1][:size])
    assert (bool(verdict), verdict.drop, verdict.index) == (False, None, None)


@pytest.mark.parametrize(
    ("metrics", "options", "field"),
    [
        ([0.9, float("nan")], {}, "metrics"),
        ([[0.9]], {}, "metrics"),
        ([0.9], {"window_size": 0}, "window_size"),
        ([0.9], {"threshold": -0.1}, "threshold"),
        ([0.9], {"baseline": float("nan")}, "baseline"),
    ],
)
def test_bad_input_is_named(metrics: Any, options: Any, field: str) -> None:
    """An error names the argument at fault."""
    with pytest.raises(InvalidInput) as caught:
        detect_performance_degradation(metrics, **options)
    assert caught.value.field == field
