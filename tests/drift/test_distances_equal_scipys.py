"""Distances and p-values are those of scipy, whatever the sizes and ties."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from recsys.drift.counts import Counts, exact_p_value, jensen_shannon
from recsys.drift.difference import holm
from recsys.drift.numeric import AT_ONCE, Numbers, distances
from recsys.recommender.arrays import DoubleArray

NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32) | st.integers(-3, 3).map(float), min_size=1, max_size=60)


def ordered(numbers: list[float]) -> DoubleArray:
    return np.sort(np.array(numbers, dtype=np.float64))


@settings(max_examples=300, deadline=None)
@given(NUMBERS, NUMBERS)
def test_wasserstein_and_kolmogorov(one: list[float], other: list[float]) -> None:
    """Both distances equal scipy's for any two samples, tied or not."""
    found = distances(ordered(one), ordered(other))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a p-value that is not asked for
        expected = stats.ks_2samp(one, other).statistic
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(one, other), rel=1e-9, abs=1e-7)
    assert found.kolmogorov == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sizes", [(AT_ONCE + 7, 3 * AT_ONCE), (2 * AT_ONCE, 2 * AT_ONCE), (3 * AT_ONCE, 11)])
def test_samples_longer_than_a_chunk(sizes: tuple[int, int]) -> None:
    """Long samples far from zero, compared chunk by chunk, keep nine digits."""
    random = np.random.default_rng(1)
    one, other = (np.sort(random.normal(1e6, 1, size)) for size in sizes)
    found = distances(one, other)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(one, other), rel=1e-9)
    assert found.kolmogorov == pytest.approx(stats.ks_2samp(one, other, method="asymp").statistic, abs=1e-12)


@pytest.mark.parametrize(("sizes", "method"), [((15, 15), "exact"), ((1000, 40), "exact"), ((5000, 3000), "asymp")])
def test_kolmogorov_p_value(sizes: tuple[int, int], method: str) -> None:
    """The p-value is scipy's: the exact one up to 1,000 values, then the limit."""
    random = np.random.default_rng(2)
    one, other = random.normal(size=sizes[0]), random.normal(0.05, 1, size=sizes[1])
    moved = Numbers.of(np.sort(one)).compare(Numbers.of(np.sort(other)))
    assert moved.p_value == pytest.approx(stats.ks_2samp(one, other, method=method).pvalue, abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.04])
def test_kolmogorov_p_value_of_many(shift: float) -> None:
    """Beyond 2,000 values the p-value is within 1e-5 of scipy's."""
    random = np.random.default_rng(3)
    one, other = random.normal(size=9000), random.normal(shift, 1, size=11_000)
    moved = Numbers.of(np.sort(one)).compare(Numbers.of(np.sort(other)))
    assert moved.p_value == pytest.approx(stats.ks_2samp(one, other, method="asymp").pvalue, abs=1e-5)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=12))
def test_jensen_shannon(pairs: list[tuple[int, int]]) -> None:
    """The distance of shares equals scipy's."""
    one, other = np.array(pairs, dtype=np.int64).T
    if one.sum() and other.sum():
        expected = distance.jensenshannon(one, other)
        # At shares that are equal but for rounding scipy takes the root of a number below zero.
        assert jensen_shannon(one, other) == pytest.approx(np.nan_to_num(expected), abs=1e-7)


def test_jensen_shannon_to_nine_digits() -> None:
    """Where the shares differ the distance keeps nine digits."""
    one, other = np.array([500, 300, 200, 0]), np.array([350, 350, 290, 10])
    assert jensen_shannon(one, other) == pytest.approx(distance.jensenshannon(one, other), abs=1e-12)


def test_two_categories_have_fishers_p_value() -> None:
    """With two categories the test is Fisher's exact one, both sides counted as twice the smaller."""
    p_value = exact_p_value(np.array([30, 70]), 100, np.array([45, 55]), 100)
    one_sided = stats.fisher_exact([[30, 70], [45, 55]], alternative="less").pvalue
    assert p_value == pytest.approx(2 * one_sided, rel=1e-9)


def test_more_categories_cost_more_evidence() -> None:
    """The same change of one category is less surprising among many."""
    few = Counts(total=100, counts={"a": 30, "b": 70}).compare(Counts(total=100, counts={"a": 45, "b": 55}))
    halves = {f"c{number}": 10 for number in range(7)}
    many = Counts(total=100, counts={"a": 30, **halves}).compare(Counts(total=100, counts={"a": 37, **halves, "c0": 3}))
    assert few.p_value < many.p_value


def test_holm_has_known_answers() -> None:
    """Holm's adjusted p-values are those of the textbook, in the order given."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
