"""Events of every past schema are read in the present one; what this release cannot read stops it with a position."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from events import catalog, codec
from events.catalog import Event, type_names
from events.codec import decode_run, upcaster, upcasters
from events.errors import EventStoreError, UndecodableEvent, UnknownEventType
from events.sqlite import SqliteEventStore
from tests.events.harness import ACTOR, point, seal, tamper, write

FIXTURES = [msgspec.json.decode(line) for line in (Path(__file__).parent / "schemas.jsonl").read_text().splitlines()]


@pytest.fixture(autouse=True)
def catalog_restored() -> Iterator[None]:
    """Types and upcasters that a test registers are forgotten after it."""
    types, registered = dict(type_names), dict(upcasters)
    yield
    type_names.clear()
    type_names.update(types)
    upcasters.clear()
    upcasters.update(registered)


def first_release() -> Event:
    class Dish(Event, frozen=True, kw_only=True):
        title: str

    return Dish(title="sopa")


def third_release() -> type[Event]:
    """The type got `name` for `title` in its second schema, and `minutes` in its third."""

    class Dish(Event, frozen=True, kw_only=True):
        schema_version: ClassVar[int] = 3
        name: str
        minutes: int

    upcaster("Dish", 1)(lambda fields: {"name": fields["title"]})
    upcaster("Dish", 2)(lambda fields: fields | {"minutes": 10})
    return Dish


async def test_an_old_event_is_read_in_the_present_schema(path: Path) -> None:
    """An event of schema 1 passes through both upcasters; its envelope still tells what it was written in."""
    dish = first_release()
    await write(path, [dish, dish])
    present: Any = third_release()
    async with await SqliteEventStore.open(path) as store:
        await store.append("dish-m", [present(name="pan", minutes=90)], metadata=ACTOR)
        events = await store.read_all()
    assert [event.data for event in events] == [present(name="sopa", minutes=10)] * 2 + [
        present(name="pan", minutes=90)
    ]
    assert [event.schema_version for event in events] == [1, 1, 3]


async def test_an_unknown_type_stops_with_its_position(path: Path) -> None:
    """What precedes the unknown event is still returned; the read that starts at it names it."""
    await write(path, [point(), point()], [first_release()], [point()])
    del type_names["Dish"]
    async with await SqliteEventStore.open(path) as store:
        assert [event.position for event in await store.read_all()] == [1, 2]
        with pytest.raises(UnknownEventType, match="event 3 is of type Dish") as caught:
            await store.read_all(after=2)
        assert caught.value.position == 3
        assert [event.position for event in await store.read_all(after=3)] == [4]


async def test_a_newer_schema_stops_with_its_position(path: Path) -> None:
    """An event written by a later release is not guessed at."""
    third: Any = third_release()
    await write(path, [point()], [third(name="pan", minutes=1)])
    first_release()
    async with await SqliteEventStore.open(path) as store:
        with pytest.raises(UnknownEventType, match="event 2 is of type Dish with schema version 3"):
            await store.read_all(after=1)


async def test_a_subscription_yields_what_precedes_an_unknown_event(path: Path) -> None:
    """A projection gets as far as it can before it is told where it cannot go on."""
    await write(path, [point()], [first_release()])
    del type_names["Dish"]
    async with await SqliteEventStore.open(path) as store:
        batches = store.subscribe()
        assert [event.position for event in await anext(batches)] == [1]
        with pytest.raises(UnknownEventType):
            await anext(batches)


@pytest.mark.parametrize(
    "data", ['[{"metric":"m"}]', '[{"metric":', "[1]", "{}", '[{"metric":"m","value":1,"at":1,"new":1}]']
)
async def test_bytes_that_do_not_fit_stop_with_their_position(path: Path, data: str) -> None:
    """Missing and unknown fields and broken JSON are named by position; what precedes them is returned."""
    await write(path, [point()], [point()])
    tamper(path, f"UPDATE runs SET data = '{data}' WHERE position = 1")
    seal(path)
    async with await SqliteEventStore.open(path) as store:
        with pytest.raises(UndecodableEvent, match="event 1 of type MetricRecorded"):
            await store.read_all()


async def test_metadata_that_does_not_fit_stops_with_its_position(path: Path) -> None:
    """A damaged envelope is an error of the store that names the event, as damaged data is."""
    await write(path, [point()])
    tamper(path, "UPDATE runs SET metadata = '{}'")
    seal(path)
    async with await SqliteEventStore.open(path) as store:
        with pytest.raises(EventStoreError, match="event 1"):
            await store.read_all()


async def test_text_that_is_no_utf8_stops_with_its_position(path: Path) -> None:
    """A flipped bit that leaves no text is an error of the store that names the event."""
    await write(path, [point()], [point()])
    tamper(path, "UPDATE runs SET data = CAST(x'5bff5d' AS TEXT) WHERE position = 1")
    seal(path)
    async with await SqliteEventStore.open(path) as store:
        with pytest.raises(EventStoreError, match="event 1"):
            await store.read_all()


async def test_an_upcaster_that_fails_stops_with_the_position(path: Path) -> None:
    """A fault in an upcaster is told as the event that it could not read."""
    await write(path, [point()], [first_release()])
    third_release()
    upcaster("Dish", 1)(lambda fields: {"name": fields["no such field"]})
    async with await SqliteEventStore.open(path) as store:
        assert [event.position for event in await store.read_all()] == [1]
        with pytest.raises(EventStoreError, match="event 2"):
            await store.read_all(after=1)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: f"{fixture['type']}-{fixture['schema_version']}")
def test_each_stored_fixture_is_read(fixture: dict[str, Any]) -> None:
    """The bytes of every schema that was ever released decode, and an unchanged schema gives back the same bytes."""
    data = msgspec.json.encode([fixture["data"]])
    [event] = decode_run(fixture["type"], fixture["schema_version"], data, position=1)
    assert type(event) is type_names[fixture["type"]]
    if fixture["schema_version"] == event.schema_version:
        assert msgspec.json.decode(codec.encode([event])) == [fixture["data"]]


def test_every_schema_has_a_stored_fixture() -> None:
    """Each type of the catalog has a line in schemas.jsonl for each of its schema versions: add it with the type."""
    wanted = {
        (name, version)
        for name, event_type in type_names.items()
        if event_type.__module__ == catalog.__name__
        for version in range(1, event_type.schema_version + 1)
    }
    assert {(fixture["type"], fixture["schema_version"]) for fixture in FIXTURES} == wanted
