"""The same log gives the same rows, bit for bit, however and how often it is applied."""

import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog import (
    EvaluationReported,
    Event,
    FeedbackGiven,
    MetricRecorded,
    ModelRegistered,
    ModelStatusChanged,
    Recipe,
    RecipeRated,
    RecipeStored,
    RecommendationFailed,
    RecommendationServed,
    RetrainJobCreated,
    RetrainJobStarted,
)
from events.event import RecordedEvent
from projections.metrics import DAY, HOUR, SECOND
from tests.projections.harness import START, apply_in_batches, recorded

names = st.sampled_from("ab")
values = st.floats(allow_nan=False, allow_infinity=False)
# Of late points, some are of buckets that have expired.
times = st.one_of(st.integers(0, 200 * SECOND), st.integers(-40 * DAY, 40 * DAY)).map(lambda late: START + late)
gaps = st.sampled_from([SECOND, HOUR // 50, 5 * DAY])
latencies = st.fixed_dictionaries({"total": values}, optional={"embedding": values, "translation": values})
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        MetricRecorded,
        metric=names,
        value=values,
        at=times,
        labels=st.dictionaries(names, names, max_size=1),
    ),
    st.builds(
        RecommendationServed,
        request_id=names,
        query=names,
        model_id=names,
        model_version=names,
        recipe_ids=st.lists(names, max_size=3),
        scores=st.lists(values, max_size=3),
        latency_ms=latencies,
    ),
    st.builds(RecommendationFailed, request_id=names, query=names, error=names, latency_ms=latencies),
    st.builds(
        ModelRegistered, model_id=names, model_type=names, model_version=names, status=st.sampled_from(["training"])
    ),
    st.builds(
        ModelStatusChanged,
        model_id=names,
        model_version=names,
        old_status=st.just("training"),
        new_status=st.sampled_from(["validation", "production"]),
    ),
    st.builds(
        RecipeStored,
        source=names,
        recipe=st.builds(
            Recipe, recipe_id=names, name=names, language=names, ingredients=st.just([]), steps=st.just([])
        ),
        content_hash=names,
    ),
    st.builds(RecipeRated, recipe_id=names, rating=st.floats(0, 5), user=st.sampled_from(["", "a", "b"])),
    st.builds(
        FeedbackGiven,
        recipe_id=names,
        request_id=st.sampled_from(["", "a", "b"]),
        query=names,
        user=st.sampled_from(["", "a", "b"]),
        rating=st.none() | st.floats(0, 5),
        click=st.none() | st.booleans(),
        at=st.none() | times,
    ),
    st.builds(RetrainJobCreated, job_id=names, model_id=names),
    st.builds(RetrainJobStarted, job_id=names, worker=names),
    st.builds(EvaluationReported, report_id=names, created_at=times, model_id=names, model_version=names),
)
# One event many times over brings buckets to their histograms.
logs = st.lists(st.tuples(events, st.sampled_from([1, 1, 1, 300])), max_size=12).map(
    lambda runs: [event for event, times in runs for _ in range(times)]
)


def cut(log: Sequence[RecordedEvent], sizes: Sequence[int]) -> list[Sequence[RecordedEvent]]:
    ends = [0, *(min(len(log), sum(sizes[: i + 1])) for i in range(len(sizes))), len(log)]
    return [log[begin:end] for begin, end in itertools.pairwise(ends)]


@settings(max_examples=60, deadline=None)
@given(logs, st.lists(st.integers(0, 400), max_size=6), gaps)
def test_any_split_into_batches_gives_the_same_rows(log: list[Event], sizes: list[int], gap: int) -> None:
    """Where a batch ends leaves no trace in any view."""
    history = recorded(log, gap=gap)
    with tempfile.TemporaryDirectory() as folder:
        whole = apply_in_batches(Path(folder) / "whole.db", [history])
        split = apply_in_batches(Path(folder) / "split.db", cut(history, sizes))
    assert split == whole


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=2, max_size=9), st.integers(0, 2**32))
def test_a_bucket_does_not_show_how_it_was_filled(sizes: list[int], seed: int) -> None:
    """Points that differ in every digit make the same summaries at once as in portions."""
    values = np.random.default_rng(seed).lognormal(3, 4, sum(sizes)).tolist()
    history = recorded([MetricRecorded(metric="m", value=value, at=START) for value in values])
    with tempfile.TemporaryDirectory() as folder:
        whole = apply_in_batches(Path(folder) / "whole.db", [history])
        assert apply_in_batches(Path(folder) / "split.db", cut(history, sizes)) == whole


@settings(max_examples=20, deadline=None)
@given(logs, st.integers(0, 400))
def test_applying_twice_changes_nothing(log: list[Event], overlap: int) -> None:
    """The checkpoint keeps events that were applied before from being applied again."""
    history = recorded(log)
    with tempfile.TemporaryDirectory() as folder:
        once = apply_in_batches(Path(folder) / "views.db", [history])
        assert apply_in_batches(Path(folder) / "views.db", [history, history[-overlap:]]) == once
