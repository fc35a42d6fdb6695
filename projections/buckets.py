"""What a time bucket keeps of its points: all of them while they are few, then a summary. Floor 2: numpy alone.

A bucket of more than 512 points has them summarised in blocks of 128, counted from its first point: so the bytes
do not depend on how the points were batched. The 127 points at most that fill no block wait beside the summary.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from projections import histogram
from projections.histogram import FloatArray

POINTS_MAX: Final = 512  # as many points a bucket keeps as they are; beyond that, the summary is the smaller
BLOCK: Final = 128
POINT_BYTES: Final = 8
BLOCK_BYTES: Final = BLOCK * POINT_BYTES
# How a summary begins; its histogram follows. m2: the sum of squared deviations from the mean.
MOMENTS: Final = struct.Struct("<4d")
NO_MOMENTS: Final = MOMENTS.pack(0.0, 0.0, float("inf"), float("-inf"))


class Bucket(NamedTuple):
    """A bucket of `size` points. summary: of its first ones, or empty; points: the values of the others."""

    size: int
    summary: bytes
    points: bytes

    @property
    def summarised(self) -> int:
        """How many points the summary covers."""
        return self.size - len(self.points) // POINT_BYTES


def summarise(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Return the buckets, each with the blocks that its points fill moved into its summary."""
    filled = [len(bucket.points) // BLOCK_BYTES for bucket in buckets]
    pieces = [bucket.points[: BLOCK_BYTES * blocks] for bucket, blocks in zip(buckets, filled, strict=True)]
    values = np.frombuffer(b"".join(pieces), "<f8")
    moments = moments_of(values.reshape(-1, BLOCK))
    histograms = histogram.added(
        [bucket.summary[MOMENTS.size :] for bucket in buckets],
        histogram.bins_of(values),
        [BLOCK * blocks for blocks in filled],
    )
    return [
        Bucket(
            bucket.size,
            with_moments(bucket, islice(moments, blocks)) + its_histogram,
            bucket.points[BLOCK_BYTES * blocks :],
        )
        for bucket, blocks, its_histogram in zip(buckets, filled, histograms, strict=True)
    ]


def moments_of(blocks: FloatArray) -> Iterator[tuple[float, float, float, float]]:
    """Return mean, m2, least and greatest of each block. blocks: (n, BLOCK)."""
    means = blocks.sum(axis=1) / BLOCK
    m2s = np.square(blocks - means[:, None]).sum(axis=1)
    return zip(means.tolist(), m2s.tolist(), blocks.min(axis=1).tolist(), blocks.max(axis=1).tolist(), strict=True)


def with_moments(bucket: Bucket, blocks: Iterator[tuple[float, float, float, float]]) -> bytes:
    """Return the moments of the bucket's summary with those of the blocks, added one by one.

    Source of the merged deviation: Chan, Golub & LeVeque 1983, The American Statistician 37(3).
    """
    size = bucket.summarised
    mean, m2, least, greatest = MOMENTS.unpack_from(bucket.summary or NO_MOMENTS)
    for block_mean, block_m2, block_least, block_greatest in blocks:
        deviation = block_mean - mean
        share = BLOCK / (size + BLOCK)
        mean += deviation * share
        m2 += block_m2 + deviation * deviation * size * share
        size += BLOCK
        least, greatest = min(least, block_least), max(greatest, block_greatest)
    return MOMENTS.pack(mean, m2, least, greatest)


class Moments(NamedTuple):
    """What many points came to. m2: the sum of squared deviations from the mean."""

    size: int
    mean: float
    m2: float
    min: float
    max: float


def combine(buckets: Sequence[Bucket], percents: FloatArray) -> tuple[Moments, FloatArray]:
    """Return what the points of all the buckets came to, and their percentiles. buckets: at least one."""
    summarised, points = parts_of(buckets)
    return combined_moments(summarised, points), combined_percentiles(summarised, points, percents)


def moments_in(buckets: Sequence[Bucket]) -> Moments:
    """Return what the points of all the buckets came to. buckets: at least one; of summaries the moments suffice."""
    return combined_moments(*parts_of(buckets))


def parts_of(buckets: Sequence[Bucket]) -> tuple[list[Bucket], FloatArray]:
    """Return the buckets that have a summary, and the points of all that are in none."""
    points = np.frombuffer(b"".join([bucket.points for bucket in buckets]), "<f8")
    return [bucket for bucket in buckets if bucket.summary], points


def combined_moments(summarised: Sequence[Bucket], points: FloatArray) -> Moments:
    """Return the moments of the summaries' points and of `points`, which are in none."""
    sizes = [bucket.summarised for bucket in summarised]
    moments = np.frombuffer(b"".join([bucket.summary[: MOMENTS.size] for bucket in summarised]), "<f8").reshape(-1, 4)
    if len(points):
        mean = points.mean()
        own = [mean, np.square(points - mean).sum(), points.min(), points.max()]
        sizes, moments = [*sizes, len(points)], np.vstack((moments, own))
    means, m2s, mins, maxs = moments.T
    mean = np.dot(sizes, means) / sum(sizes)
    m2 = m2s.sum() + np.dot(sizes, np.square(means - mean))
    return Moments(sum(sizes), float(mean), float(m2), float(mins.min()), float(maxs.max()))


def combined_percentiles(summarised: Sequence[Bucket], points: FloatArray, percents: FloatArray) -> FloatArray:
    """Return the percentiles of the summaries' points and of `points`: exact if there are no summaries."""
    if not summarised:
        return np.asarray(np.percentile(points, percents))
    counts = histogram.decode(b"".join([bucket.summary[MOMENTS.size :] for bucket in summarised]))
    return histogram.percentiles(counts + histogram.counts_of(histogram.bins_of(points)), percents)
