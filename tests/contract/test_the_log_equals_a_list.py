"""Whatever is appended and however it is read, the store answers as a list of events would."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog import Event, RecipeRated
from events.event import RecordedEvent, StreamAppend
from tests.contract.harness import ACTOR, Log, point

STREAMS = ["metric-a", "metric-b", "model-a"]


class Entry(NamedTuple):
    """What the model, a list, holds of an event."""

    position: int
    stream: str
    stream_version: int
    data: Event


class Read(NamedTuple):
    after: int
    limit: int
    types: tuple[str, ...]


EVENTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(point),
    st.text(max_size=5).map(lambda text: RecipeRated(recipe_id=text, rating=1.0)),
)
APPENDS = st.lists(
    st.builds(StreamAppend, st.sampled_from(STREAMS), st.lists(EVENTS, min_size=1, max_size=6)), min_size=1, max_size=4
)
READS = st.builds(
    Read,
    st.integers(0, 40),
    st.integers(0, 12),
    st.sampled_from([(), ("MetricRecorded",), ("RecipeRated", "MetricRecorded"), ("Nothing",)]),
)


def entry(event: RecordedEvent) -> Entry:
    return Entry(event.position, event.stream, event.stream_version, event.data)


def extend(model: list[Entry], appends: Sequence[StreamAppend]) -> None:
    for append in appends:
        for event in append.events:
            assert isinstance(event, Event)
            version = sum(entry.stream == append.stream for entry in model) + 1
            model.append(Entry(len(model) + 1, append.stream, version, event))


def expected(model: list[Entry], read: Read) -> list[Entry]:
    above = model[read.after :]
    return [entry for entry in above if not read.types or type(entry.data).__name__ in read.types][: read.limit]


@pytest.mark.parametrize("through_another", [False, True])
@settings(max_examples=20, deadline=None)
@given(script=st.lists(APPENDS, max_size=6), reads=st.lists(READS, max_size=8))
async def test_reads_are_slices_of_the_list(
    through_another: bool, script: list[list[StreamAppend]], reads: list[Read]
) -> None:
    """Any script of appends, read at any position and limit, before and after reopening, gives the list's slices."""
    with tempfile.TemporaryDirectory() as folder:
        log, model = Log(Path(folder) / "log.db", through_another=through_another), list[Entry]()
        await log.open()
        for appends in script:
            appended = await log.store.append_all(appends, metadata=ACTOR)
            assert appended.first_position == len(model) + 1
            extend(model, appends)
            assert (appended.position, appended.stream_version) == (len(model), model[-1].stream_version)
        for _ in range(2):
            await check_reads(log, model, reads)
            await log.reopen()
        await log.close()


async def check_reads(log: Log, model: list[Entry], reads: list[Read]) -> None:
    assert await log.store.head() == len(model)
    for read in reads:
        found = await log.store.read_all(read.after, read.limit, types=read.types)
        assert [entry(event) for event in found] == expected(model, read)
        for stream in STREAMS:
            entries = [entry for entry in model if entry.stream == stream]
            assert await log.store.stream_version(stream) == len(entries)
            found = await log.store.read_stream(stream, after=read.after, limit=read.limit)
            assert [entry(event) for event in found] == entries[read.after :][: read.limit]


@pytest.mark.parametrize("scan_max", [1, 4, 7])
async def test_a_pager_by_type_misses_nothing(log: Log, scan_max: int) -> None:
    """Pages of `scan_max` positions, one after the other, show every event of the type, also inside a long run."""
    other = RecipeRated(recipe_id="r", rating=1.0)
    await log.store.append("metric-m", [point(), other, *[point()] * 8, other], metadata=ACTOR)
    pages = [
        await log.store.read_all(after, 100, types=["MetricRecorded"], scan_max=scan_max)
        for after in range(0, 11, scan_max)
    ]
    assert [event.position for page in pages for event in page] == [1, *range(3, 11)]


async def test_an_empty_log_is_an_empty_list(log: Log) -> None:
    """A new log has no events, no streams and the head 0."""
    assert await log.store.read_all() == []
    assert await log.store.read_stream("metric-m") == []
    assert (await log.store.head(), await log.store.stream_version("metric-m")) == (0, 0)
