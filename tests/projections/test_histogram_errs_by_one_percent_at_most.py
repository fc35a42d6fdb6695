"""The log histogram keeps every value's size within 1 %, and its bytes do not depend on order."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from projections.histogram import BIN_MAX, added, bins_of, counts_of, decode, middles, percentiles

magnitudes = st.floats(2.0**-30, 2.0**60, exclude_max=True)
values = st.one_of(magnitudes, magnitudes.map(lambda value: -value), st.just(0.0))


@given(st.lists(values, min_size=1))
def test_a_bin_stands_for_each_of_its_values(numbers: list[float]) -> None:
    """The value that a bin stands for is within 1 % of every value in it; zero stays zero."""
    points = np.array(numbers)
    assert np.all(np.abs(middles[bins_of(points) + BIN_MAX] - points) <= 0.01 * np.abs(points))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_bins_are_in_the_order_of_their_values(numbers: list[float]) -> None:
    """A greater value never has a lesser bin, over all that a float can be."""
    assert np.all(np.diff(bins_of(np.sort(np.array(numbers)))) >= 0)


@given(st.lists(values, min_size=1), st.randoms())
def test_order_and_grouping_leave_no_trace(numbers: list[float], random: Random) -> None:
    """Values added in any order and in two portions make the bytes of the whole, and two histograms add up to it."""
    whole = bins_of(np.array(numbers))
    shuffled = bins_of(np.array(random.sample(numbers, len(numbers))))
    middle = (len(numbers) + 1) // 2
    [half] = added([b""], shuffled[:middle], [middle])
    sizes = [len(numbers) - middle, len(numbers)]
    completed, at_once = added([half, b""], np.append(shuffled[middle:], whole), sizes)
    assert completed == at_once
    assert np.array_equal(decode(half + at_once), counts_of(np.append(shuffled[:middle], whole)))


@given(st.lists(magnitudes, min_size=1))
def test_percentiles_are_numpys_within_one_percent(numbers: list[float]) -> None:
    """Interpolated between ranks as numpy does, the error stays that of a bin."""
    percents = np.array([0.0, 1.0, 50.0, 95.0, 99.0, 100.0])
    exact = np.percentile(numbers, percents)
    found = percentiles(counts_of(bins_of(np.array(numbers))), percents)
    assert np.all(np.abs(found - exact) <= 0.01 * exact)
