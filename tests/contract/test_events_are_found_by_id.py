"""Every event has one id, given or made, by which it is found; made ids are UUIDv7 that follow from the position."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.event import Metadata, NewEvent, event_id_at
from tests.contract.harness import ACTOR, Log, point


@given(position=st.integers(1, 2**48 - 1), recorded_at=st.integers(0, 2**48 * 1000 - 1), salt=st.integers(0, 2**14 - 1))
def test_a_made_id_tells_position_time_and_log(position: int, recorded_at: int, salt: int) -> None:
    """A made id is a UUIDv7 from which position, milliseconds and salt can be read back."""
    text = event_id_at(position, recorded_at, salt)
    made = UUID(text)
    assert (str(made), made.version, made.variant) == (text, 7, "specified in RFC 4122")
    assert (made.int & (2**48 - 1), made.int >> 80, made.int >> 48 & 0x3FFF) == (position, recorded_at // 1000, salt)


@given(times=st.lists(st.integers(0, 2**50), min_size=2, max_size=9).map(sorted), salt=st.integers(0, 2**14 - 1))
def test_made_ids_sort_as_the_log_does(times: list[int], salt: int) -> None:
    """Ids made in the order of the log are in order as text, also within one microsecond."""
    ids = [event_id_at(position, recorded_at, salt) for position, recorded_at in enumerate(times, start=1)]
    assert ids == sorted(set(ids))


async def test_events_are_found_by_their_ids(log: Log) -> None:
    """Each event of runs, single events and given ids is found by its own id, also after reopening."""
    given_id = uuid4()
    await log.store.append("metric-m", [point(1), point(2), point(3)], metadata=ACTOR)
    await log.store.append("metric-m", [NewEvent(data=point(4), event_id=given_id), point(5)], metadata=ACTOR)
    events = await log.store.read_all()
    for _ in range(2):
        assert [await log.store.find_event(event.event_id) for event in events] == events
        await log.reopen()
    assert [event.event_id for event in events].index(str(given_id)) == 3
    assert len({event.event_id for event in events}) == 5


async def test_a_made_id_of_an_event_with_a_given_one_finds_nothing(log: Log) -> None:
    """An event has one id: the one that its position would have made is nobody's."""
    await log.store.append("metric-m", [NewEvent(data=point(), event_id=uuid4())], metadata=ACTOR)
    [event] = await log.store.read_all()
    assert await log.store.find_event(event_id_at(1, event.recorded_at, event.run.id_salt)) is None


@pytest.mark.parametrize("event_id", ["", "x", "0" * 12, "-1", str(UUID(int=1)), str(UUID(int=2**128 - 1)), "é" * 36])
async def test_an_unknown_id_finds_nothing(log: Log, event_id: str) -> None:
    """Ids of other logs and texts that are no ids at all give None, not an error."""
    await log.store.append("metric-m", [point()], metadata=ACTOR)
    assert await log.store.find_event(event_id) is None


async def test_the_envelope_comes_back_whole(log: Log) -> None:
    """Actor, correlation, causation and trace are read back as they were given."""
    metadata = Metadata(actor="ana", correlation_id="r-1", causation_id="e-1", traceparent="00-ab-cd-01")
    await log.store.append("metric-m", [point()], metadata=metadata, key="k")
    [event] = await log.store.read_all()
    assert (event.metadata.actor, event.metadata.correlation_id) == ("ana", "r-1")
    assert (event.metadata.causation_id, event.metadata.traceparent) == ("e-1", "00-ab-cd-01")
    assert (event.metadata.idempotency_key, event.stream, event.type, event.schema_version) == (
        "k", "metric-m", "MetricRecorded", 1,
    )  # fmt: skip
