"""The view `events`, read by plain sqlite3, shows what the store returns, an event a row."""

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog import ModelRegistered, RecipeRated
from events.codec import encode
from events.event import Metadata, NewEvent, RecordedEvent, StreamAppend
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, query

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
)
EVENTS = st.one_of(
    st.builds(point, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(lambda text: RecipeRated(recipe_id=text, rating=0.5), TEXT),
    st.builds(
        lambda value: ModelRegistered(
            model_id="m", model_type="t", model_version="1.0.0", status="training", parameters={"value": value}
        ),
        JSON,
    ),
)
ITEMS = EVENTS | st.builds(lambda event: NewEvent(data=event, event_id=uuid4()), EVENTS)
APPENDS = st.builds(StreamAppend, st.sampled_from(["metric-a", "model-b"]), st.lists(ITEMS, min_size=1, max_size=5))


def as_row(event: RecordedEvent) -> tuple[Any, ...]:
    return (
        event.position, event.event_id, event.stream, event.stream_version, event.type, event.schema_version,
        event.recorded_at, json.loads(encode(event.data)), json.loads(encode(event.metadata)), event.hash.hex(),
    )  # fmt: skip


def view_rows(path: Path) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT position, event_id, stream, stream_version, type, schema_version, recorded_at, data, metadata, hash "
        "FROM events ORDER BY position"
    )
    return [(*row[:7], json.loads(row[7]), json.loads(row[8]), row[9]) for row in query(path, sql)]


@settings(max_examples=25, deadline=None)
@given(script=st.lists(st.lists(APPENDS, min_size=1, max_size=3), max_size=4), actor=TEXT, now=st.integers(0, 2**52))
async def test_rows_of_the_view_are_the_events(script: list[list[StreamAppend]], actor: str, now: int) -> None:
    """Ids, versions, times, data, metadata and hashes agree for events of any content, runs and given ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        async with await SqliteEventStore.open(path, clock=lambda: now) as store:
            for appends in script:
                await store.append_all(appends, metadata=Metadata(actor=actor))
            events = [as_row(event) for event in await store.read_all()]
        assert view_rows(path) == events


async def test_the_view_has_the_documented_columns(path: Path) -> None:
    """`SELECT * FROM events` is the table that the architecture promises."""
    async with await SqliteEventStore.open(path) as store:
        await store.append("metric-m", [point()], metadata=ACTOR)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        columns = [column for column, *_ in connection.execute("SELECT * FROM events").description]
    assert columns == [
        "position", "event_id", "stream", "stream_version", "type", "schema_version", "recorded_at", "data",
        "metadata", "hash",
    ]  # fmt: skip
