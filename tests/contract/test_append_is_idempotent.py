"""A repeat, by idempotency key or by event id, returns the first answer and never writes a second event."""

import asyncio
import tempfile
from collections.abc import Awaitable, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import chain
from events.errors import EventStoreError, IdempotencyKeyReused, WrongExpectedVersion
from events.event import NO_STREAM, Appended, NewEvent, StreamAppend
from tests.contract.harness import ACTOR, Log, point, values

ID = UUID("0198a000-0000-7000-8000-000000000001")


def given_id(value: float = 1.0, event_id: UUID = ID) -> NewEvent:
    return NewEvent(data=point(value), event_id=event_id)


def is_repeat_of(first: Appended, repeats: Sequence[Appended]) -> bool:
    return all(repeat == msgspec.structs.replace(first, is_repeat=True) for repeat in repeats)


async def test_a_repeated_key_returns_the_first_answer(log: Log) -> None:
    """The second append with a key writes nothing and says what the first one did."""
    first = await log.store.append("metric-m", [point(1), point(2)], metadata=ACTOR, key="k")
    await log.store.append("metric-m", [point(3)], metadata=ACTOR)
    again = await log.store.append("metric-m", [point(1), point(2)], metadata=ACTOR, key="k")
    assert not first.is_repeat
    assert is_repeat_of(first, [again])
    assert values(await log.store.read_all()) == [1, 2, 3]


async def test_a_repeated_event_id_returns_the_first_answer(log: Log) -> None:
    """The second append of an event id writes nothing and says what the first one did."""
    first = await log.store.append("metric-m", [given_id()], metadata=ACTOR)
    await log.store.append("metric-m", [point(3)], metadata=ACTOR)
    assert is_repeat_of(first, [await log.store.append("metric-m", [given_id()], metadata=ACTOR)])
    assert values(await log.store.read_all()) == [1, 3]


async def test_several_event_ids_are_repeated_together(log: Log) -> None:
    """The repeat of an append of several event ids returns the whole first answer."""
    events = [given_id(1), given_id(2, uuid4()), given_id(3, uuid4())]
    first = await log.store.append("metric-m", events, metadata=ACTOR)
    assert is_repeat_of(first, [await log.store.append("metric-m", events, metadata=ACTOR)])
    assert await log.store.head() == 3


async def test_concurrent_repeats_of_a_key_write_once(log: Log) -> None:
    """Of repeats that share one commit, one writes and the others get its answer."""
    await write_once_of([log.store.append("metric-m", [point(), point()], metadata=ACTOR, key="k") for _ in range(20)])
    assert await log.store.head() == 2


async def test_concurrent_repeats_of_an_event_id_write_once(log: Log) -> None:
    """Of repeats that share one commit, one writes and the others get its answer."""
    await write_once_of([log.store.append("metric-m", [given_id()], metadata=ACTOR) for _ in range(20)])
    assert await log.store.head() == 1


async def write_once_of(appends: Sequence[Awaitable[Appended]]) -> None:
    answers = await asyncio.gather(*appends)
    [first] = [answer for answer in answers if not answer.is_repeat]
    assert is_repeat_of(first, [answer for answer in answers if answer.is_repeat])
    assert len(answers) == 20


async def test_repeats_are_known_after_reopening(log: Log) -> None:
    """Keys and event ids are kept in the log, not in the process."""
    by_key = await log.store.append("metric-m", [point()], metadata=ACTOR, key="k")
    by_id = await log.store.append("metric-m", [given_id()], metadata=ACTOR)
    await log.reopen()
    assert is_repeat_of(by_key, [await log.store.append("metric-m", [point()], metadata=ACTOR, key="k")])
    assert is_repeat_of(by_id, [await log.store.append("metric-m", [given_id()], metadata=ACTOR)])


@pytest.mark.parametrize("key", [None, "k"])
async def test_repeats_are_looked_for_before_the_expected_version(log: Log, key: str | None) -> None:
    """The retry of an acknowledged append is no conflict with itself."""
    first = await log.store.append("metric-m", [given_id()], metadata=ACTOR, expected_version=NO_STREAM, key=key)
    again = await log.store.append("metric-m", [given_id()], metadata=ACTOR, expected_version=NO_STREAM, key=key)
    assert is_repeat_of(first, [again])


async def test_an_atomic_append_is_repeated_as_a_whole(log: Log) -> None:
    """The key of an append to several streams stands for all of it."""
    appends = [StreamAppend("metric-a", [point(1)], NO_STREAM), StreamAppend("metric-b", [point(2)], NO_STREAM)]
    first = await log.store.append_all(appends, metadata=ACTOR, key="k")
    assert is_repeat_of(first, [await log.store.append_all(appends, metadata=ACTOR, key="k")])
    assert await log.store.head() == 2


@pytest.mark.parametrize(("stream", "value"), [("metric-m", 2.0), ("metric-other", 1.0)])
async def test_a_key_with_other_content_is_refused(log: Log, stream: str, value: float) -> None:
    """A key belongs to its events and their stream: anything else under it is an error, and is not written."""
    await log.store.append("metric-m", [point(1)], metadata=ACTOR, key="k")
    with pytest.raises(IdempotencyKeyReused, match="'k'"):
        await log.store.append(stream, [point(value)], metadata=ACTOR, key="k")
    assert await log.store.head() == 1


@pytest.mark.parametrize(("stream", "value"), [("metric-m", 2.0), ("metric-other", 1.0)])
async def test_an_event_id_with_other_content_is_refused(log: Log, stream: str, value: float) -> None:
    """An event id belongs to one event of one stream."""
    await log.store.append("metric-m", [given_id(1)], metadata=ACTOR)
    with pytest.raises(IdempotencyKeyReused, match=str(ID)):
        await log.store.append(stream, [given_id(value)], metadata=ACTOR)
    assert await log.store.head() == 1


async def test_a_given_fingerprint_decides_what_equal_content_is(log: Log) -> None:
    """With the caller's fingerprint, other events are a repeat and another fingerprint is other content."""
    first = await log.store.append("metric-m", [point(1)], metadata=ACTOR, key="k", fingerprint="f")
    again = await log.store.append("metric-m", [point(2)], metadata=ACTOR, key="k", fingerprint="f")
    assert is_repeat_of(first, [again])
    with pytest.raises(IdempotencyKeyReused):
        await log.store.append("metric-m", [point(1)], metadata=ACTOR, key="k", fingerprint="g")


async def test_a_part_of_repeated_event_ids_is_refused(log: Log) -> None:
    """An append of which some event ids are known and others new is neither written nor called a repeat."""
    await log.store.append("metric-m", [given_id()], metadata=ACTOR)
    with pytest.raises(IdempotencyKeyReused, match=str(ID)):
        await log.store.append("metric-m", [given_id(), given_id(2, uuid4())], metadata=ACTOR)
    assert await log.store.head() == 1


async def test_an_event_id_twice_in_one_append_harms_no_other(log: Log) -> None:
    """An append that repeats an id within itself is refused for good; those that share its commit are written."""
    twice = log.store.append("metric-m", [given_id(), given_id()], metadata=ACTOR)
    others = [log.store.append("metric-m", [point(value)], metadata=ACTOR) for value in range(5)]
    refused, *written = await asyncio.gather(twice, *others, return_exceptions=True)
    assert [type(answer) for answer in written] == [Appended] * 5
    assert isinstance(refused, ValueError | EventStoreError)
    assert not getattr(refused, "retryable", False)


async def test_a_refused_append_does_not_use_its_key(log: Log) -> None:
    """After a wrong expected version the same key serves the corrected append."""
    with pytest.raises(WrongExpectedVersion):
        await log.store.append("metric-m", [point()], metadata=ACTOR, expected_version=5, key="k")
    corrected = await log.store.append("metric-m", [point()], metadata=ACTOR, expected_version=0, key="k")
    assert not corrected.is_repeat


async def test_a_key_is_found_with_its_fingerprint(log: Log) -> None:
    """`find_key` gives the first answer, None for an unknown key, and refuses another fingerprint."""
    first = await log.store.append("metric-m", [point(), point()], metadata=ACTOR, key="k", fingerprint="f")
    assert await log.store.find_key("k", fingerprint="f") == msgspec.structs.replace(first, is_repeat=True)
    assert await log.store.find_key("other", fingerprint="f") is None
    with pytest.raises(IdempotencyKeyReused):
        await log.store.find_key("k", fingerprint="g")


async def test_a_key_and_an_event_id_of_the_same_text_are_two(log: Log) -> None:
    """Keys and event ids do not share names."""
    await log.store.append("metric-m", [given_id()], metadata=ACTOR)
    assert not (await log.store.append("metric-m", [point()], metadata=ACTOR, key=str(ID))).is_repeat
    assert not (await log.store.append("metric-m", [point()], metadata=ACTOR, key=f"event:{ID}")).is_repeat


@settings(max_examples=15, deadline=None)
@given(keys=st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), max_size=20))
async def test_a_key_may_be_any_text(keys: set[str]) -> None:
    """Quotes, newlines, NULs and other hostile keys are kept apart, known after reopening, and verified."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder) / "log.db", through_another=False)
        for is_repeat in (False, True):
            await log.open()
            for key in keys:
                assert (await log.store.append("metric-m", [point()], metadata=ACTOR, key=key)).is_repeat is is_repeat
                assert (await log.store.read_all(await log.store.head() - 1))[0].metadata.idempotency_key in keys
            await log.close()
            assert chain.verify(log.path).events == len(keys)
