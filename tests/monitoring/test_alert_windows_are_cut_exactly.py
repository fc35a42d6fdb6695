"""The parts of a window, by which alert rules judge the course of a metric, hold each point once."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import aiosqlite
import numpy as np
import pytest

from events.catalog import MetricRecorded
from projections.metrics import SECOND, MetricsProjection, floor_to, means
from projections.writer import ViewsWriter
from recsys.monitoring.alert_rules import DAY_SECONDS, PARTS, bucket_seconds, part_seconds
from tests.projections.harness import START, recorded


@pytest.mark.parametrize("window_seconds", [300, 620, 3600, DAY_SECONDS, 7 * DAY_SECONDS, 90 * DAY_SECONDS])
async def test_the_means_of_parts_equal_numpy(tmp_path: Path, window_seconds: int) -> None:
    """Of minutes to months: a part's mean is that of the points between its edges, and None where there are none."""
    random = np.random.default_rng(window_seconds)
    ats = START - random.integers(0, window_seconds * SECOND, 200)
    values = random.normal(size=200)
    points = [MetricRecorded(metric="m", value=value, at=int(at)) for at, value in zip(ats, values, strict=True)]
    with closing(ViewsWriter.open(tmp_path / "views.db", [MetricsProjection()])) as writer:
        writer.apply(recorded(points, gap=0))
    end, seconds = floor_to(START, bucket_seconds(window_seconds) * SECOND), part_seconds(window_seconds)
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        found = await means(db, "m", end=end, part_seconds=seconds, parts=PARTS)
    edges = [end - part * seconds * SECOND for part in reversed(range(PARTS + 1))]
    parts = [values[(ats >= first) & (ats < past)] for first, past in pairwise(edges)]
    assert found == [pytest.approx(part.mean()) if len(part) else None for part in parts]
