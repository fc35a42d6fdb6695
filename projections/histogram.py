"""The deterministic log histogram behind the percentiles of the metric windows. Floor 2: numpy alone.

A value falls into one of 35 bins an octave, found from its exponent and a cubic of its mantissa (DDSketch: Masson et
al., VLDB 2019; the cubic interpolation is its reference implementation's). Only + - * are used, which round alike on
every machine, so equal values make equal bytes whatever their order, their grouping and the machine.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BINS_PER_OCTAVE: Final = 35  # ln γ = 7/10 / 35 = 0.02 at most, so the relative error is at most tanh(0.01) < 1 %
EXPONENT_MIN: Final = -30  # below 2**-30, about 1e-9, counts as zero
EXPONENT_MAX: Final = 60  # from 2**60, about 1e18, counts as that: the percentiles are then too small
BIN_MAX: Final = (EXPONENT_MAX - EXPONENT_MIN) * BINS_PER_OCTAVE
CUBIC: Final = (6 / 35, -3 / 5, 10 / 7)  # c(0) = 0, c(1) = 1, and (1 + s)·c'(s) >= 10/7 between
# The histogram's bytes: its bins that are not empty, in order. Negative values have negative bins, zero has bin 0.
BINS: Final = np.dtype([("bin", "<i2"), ("count", "<u8")])


def bins_of(values: FloatArray) -> IntArray:
    """Return the bin of each value, in [-BIN_MAX, BIN_MAX]. values: (n,) finite."""
    magnitudes = np.abs(values)
    mantissas, exponents = np.frexp(magnitudes)  # mantissa in [0.5, 1)
    s = 2.0 * mantissas - 1.0
    a, b, c = CUBIC
    octaves = ((a * s + b) * s + c) * s + (exponents - (1 + EXPONENT_MIN))
    bins: IntArray = np.minimum(np.floor(BINS_PER_OCTAVE * octaves), BIN_MAX - 1).astype(np.int64) + 1
    bins[magnitudes < 2.0**EXPONENT_MIN] = 0
    bins[values < 0] *= -1
    return bins


def counts_of(bins: IntArray) -> IntArray:
    """Return how many values each bin from -BIN_MAX to BIN_MAX holds: (2 · BIN_MAX + 1,)."""
    return np.bincount(bins + BIN_MAX, minlength=2 * BIN_MAX + 1)


def added(histograms: Sequence[bytes], bins: IntArray, sizes: Sequence[int]) -> list[bytes]:
    """Return the bytes of each histogram with its values added; an empty histogram has no bytes.

    bins: of the values, those of the first histogram first; sizes: how many each of them gets. Takes memory for all
    bins between the least and the greatest, times the histograms.
    """
    former = np.frombuffer(b"".join(histograms), BINS)
    numbers = np.arange(len(histograms))
    lengths = [len(each) // BINS.itemsize for each in histograms]
    owners = np.append(np.repeat(numbers, lengths), np.repeat(numbers, sizes))
    all_bins = np.append(former["bin"].astype(np.int64), bins)
    least = all_bins.min()
    width = all_bins.max() - least + 1
    weights = np.append(former["count"], np.ones(len(bins)))
    counts = np.bincount(owners * width + (all_bins - least), weights=weights)
    filled = np.flatnonzero(counts)
    encoded = np.empty(len(filled), BINS)
    encoded["bin"] = filled % width + least
    encoded["count"] = counts[filled]
    ends = np.searchsorted(filled, (numbers + 1) * width) * BINS.itemsize
    joined = encoded.tobytes()
    return [joined[begin:end] for begin, end in pairwise([0, *ends.tolist()])]


def decode(histograms: bytes) -> IntArray:
    """Return the counts of one histogram, or of several joined end to end, added up; exact up to 2**53 a bin."""
    bins = np.frombuffer(histograms, BINS)
    sums = np.bincount(bins["bin"] + np.int64(BIN_MAX), weights=bins["count"], minlength=2 * BIN_MAX + 1)
    return sums.astype(np.int64)


def percentiles(counts: IntArray, percents: FloatArray) -> FloatArray:
    """Return the percentiles, interpolated between ranks as numpy does, each within 1 % of the exact one.

    The bound holds for magnitudes from 2**-30 to 2**60, away from a change of sign. counts: not all zero.
    """
    cumulative = np.cumsum(counts)
    ranks = percents / 100 * (cumulative[-1] - 1)
    below = np.floor(ranks)
    low: FloatArray = middles[np.searchsorted(cumulative, below, side="right")]
    high: FloatArray = middles[np.searchsorted(cumulative, np.ceil(ranks), side="right")]
    between: FloatArray = low + (high - low) * (ranks - below)
    return between


def bin_middles() -> FloatArray:
    """Return for each bin the value with the least relative error to all values in it: 2·l·u / (l + u)."""
    a, b, c = CUBIC
    target = np.arange(BINS_PER_OCTAVE + 1) / BINS_PER_OCTAVE
    s = target.copy()
    for _ in range(6):  # Newton's method; the cubic is nearly a line
        s -= (((a * s + b) * s + c) * s - target) / ((3 * a * s + 2 * b) * s + c)
    edges = 1 + s
    of_octave = 2 * edges[:-1] * edges[1:] / (edges[:-1] + edges[1:])
    positive = np.ldexp(of_octave, np.arange(EXPONENT_MIN, EXPONENT_MAX)[:, None]).ravel()
    return np.concatenate((-positive[::-1], [0.0], positive))


middles: Final = bin_middles()
