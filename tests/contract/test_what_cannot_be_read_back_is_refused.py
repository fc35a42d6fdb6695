"""What could not be read back as it was given never enters the log, where it would stop every reader for ever."""

import math
from typing import Any
from uuid import uuid4

import pytest

from events.catalog import Event, MetricRecorded, ModelRegistered
from events.event import Metadata, NewEvent
from tests.contract.harness import ACTOR, Log, point, values

REASON = r"\w"  # any: the words are msgspec's


def metric(**fields: Any) -> MetricRecorded:
    given: dict[str, Any] = {"metric": "m", "value": 1.0, "at": 1}
    return MetricRecorded(**given | fields)


def model(**fields: Any) -> ModelRegistered:
    return ModelRegistered(
        **{"model_id": "m", "model_type": "t", "model_version": "1.0.0", "status": "training"} | fields
    )


async def still_serves(log: Log) -> bool:
    """Return whether the log holds nothing yet, takes an event, and gives it back."""
    assert await log.store.head() == 0
    await log.store.append("metric-m", [point(7)], metadata=ACTOR)
    return values(await log.store.read_all()) == [7]


@pytest.mark.parametrize(
    "event",
    [
        metric(value=math.nan),
        metric(value=math.inf),
        metric(value=-math.inf),
        metric(value="1.0"),
        metric(value=None),
        metric(value=True),
        metric(metric=5),
        metric(metric=None),
        metric(metric="\ud800"),
        metric(at=1.5),
        metric(at=True),
        metric(labels={"a": 1}),
        metric(labels=["a"]),
        model(status="unheard of"),
        model(metrics={"a": math.nan}),
        model(parameters=[1]),
    ],
    ids=repr,
)
async def test_an_event_that_does_not_fit_its_type_is_refused(log: Log, event: Event) -> None:
    """Wrong types, NaN and infinities are a ValueError, alone and as one of many; the log goes on."""
    for events in ([event], [point(), event, point()], [NewEvent(data=event, event_id=uuid4())]):
        with pytest.raises(ValueError, match=REASON):
            await log.store.append("metric-m", events, metadata=ACTOR)
    assert await still_serves(log)


@pytest.mark.parametrize("number", [math.nan, math.inf])
async def test_free_fields_keep_their_numbers_or_are_refused(log: Log, number: float) -> None:
    """NaN in a field of any type is refused too: it would be read back as null."""
    with pytest.raises(ValueError, match=REASON):
        await log.store.append("model-m", [model(parameters={"rate": [number]})], metadata=ACTOR)
    assert await still_serves(log)


async def test_an_event_of_no_registered_type_is_refused(log: Log) -> None:
    """The bare Event is no fact: no reader would know its type."""
    with pytest.raises(ValueError, match="Event"):
        await log.store.append("metric-m", [Event()], metadata=ACTOR)
    assert await still_serves(log)


@pytest.mark.parametrize("value", [None, 5, ["a"]])
async def test_metadata_that_does_not_fit_is_refused(log: Log, value: Any) -> None:
    """Metadata of the wrong types would stop every reader as surely as an event."""
    with pytest.raises(ValueError, match=REASON):
        await log.store.append("metric-m", [point()], metadata=Metadata(actor=value))
    assert await still_serves(log)


async def test_an_event_id_that_is_no_uuid_is_refused(log: Log) -> None:
    """An event id is hashed and looked up as a UUID's text; nothing else may stand there."""
    not_a_uuid: Any = "not\na uuid"
    with pytest.raises(ValueError, match=REASON):
        await log.store.append("metric-m", [NewEvent(data=point(), event_id=not_a_uuid)], metadata=ACTOR)
    assert await still_serves(log)


@pytest.mark.parametrize(
    "stream",
    [
        *["", "metric", "metric-", "-m", "Metric-m", "1m-m", "a/b-m", "metric-a\n", "metric-a\nb", "metric-a b"],
        *["metric-\0", "metric-\x7f", "metric-ñ", "metric-" + "x" * 201, "\nmetric-m"],
    ],
)
async def test_a_stream_name_is_category_and_id(log: Log, stream: str) -> None:
    """Names with newlines, spaces, controls, other scripts, no category or no id are refused."""
    with pytest.raises(ValueError, match="category-id"):
        await log.store.append(stream, [point()], metadata=ACTOR)
    assert await still_serves(log)


@pytest.mark.parametrize("count", [0, 10_001])
async def test_an_append_has_a_bounded_number_of_events(log: Log, count: int) -> None:
    """None at all, or more than the limit, is refused with the number that was found."""
    with pytest.raises(ValueError, match=f"found {count}"):
        await log.store.append("metric-m", [point()] * count, metadata=ACTOR)
    assert await still_serves(log)


@pytest.mark.parametrize("key", ["", "k" * 301, "\ud800"])
async def test_a_key_has_a_bounded_length(log: Log, key: str) -> None:
    """An empty key, one that is too long, and half a character are refused."""
    with pytest.raises(ValueError, match=REASON):
        await log.store.append("metric-m", [point()], metadata=ACTOR, key=key)
    assert await still_serves(log)
