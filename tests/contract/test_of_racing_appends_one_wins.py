"""Expected versions: an append decides against the present, and what is refused leaves no trace."""

import asyncio

import pytest

from events.errors import WrongExpectedVersion
from events.event import ANY, NO_STREAM, Appended, StreamAppend
from tests.contract.harness import ACTOR, Log, point, values


@pytest.mark.parametrize(("expected_version", "is_written"), [(ANY, True), (NO_STREAM, False), (1, False), (2, True)])
async def test_the_expected_version_must_be_the_present_one(log: Log, expected_version: int, is_written: bool) -> None:
    """On a stream of two events, ANY and 2 are written; NO_STREAM and 1 are refused."""
    await log.store.append("metric-m", [point(), point()], metadata=ACTOR, expected_version=NO_STREAM)
    append = log.store.append("metric-m", [point()], metadata=ACTOR, expected_version=expected_version)
    if is_written:
        assert (await append).stream_version == 3
    else:
        with pytest.raises(WrongExpectedVersion):
            await append
    assert await log.store.stream_version("metric-m") == 2 + is_written


async def test_a_refusal_says_what_was_expected_and_found(log: Log) -> None:
    """The error names the stream and both versions, also on its way from another process."""
    await log.store.append("metric-m", [point(), point()], metadata=ACTOR)
    with pytest.raises(WrongExpectedVersion, match="expected version 7 of stream metric-m, found 2") as caught:
        await log.store.append("metric-m", [point()], metadata=ACTOR, expected_version=7)
    assert (caught.value.stream, caught.value.expected, caught.value.found) == ("metric-m", 7, 2)


async def test_of_racing_appends_one_wins(log: Log) -> None:
    """Ten appends that all saw an empty stream, in one commit: one is written, nine hear of version 1."""
    racers = [
        log.store.append("metric-m", [point(value)], metadata=ACTOR, expected_version=NO_STREAM) for value in range(10)
    ]
    answers = await asyncio.gather(*racers, return_exceptions=True)
    assert sum(isinstance(answer, Appended) for answer in answers) == 1
    assert [answer.found for answer in answers if isinstance(answer, WrongExpectedVersion)] == [1] * 9
    assert await log.store.head() == 1


async def test_racing_retries_lose_no_update(log: Log) -> None:
    """Eight tasks that read, decide and retry on conflict add up to every one of their increments."""

    async def increment() -> None:
        while True:
            events = await log.store.read_stream("metric-m")
            value = values(events)[-1] if events else 0.0
            try:
                await log.store.append("metric-m", [point(value + 1)], metadata=ACTOR, expected_version=len(events))
            except WrongExpectedVersion:
                continue
            return

    await asyncio.gather(*[increment() for _ in range(8)])
    assert values(await log.store.read_stream("metric-m")) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("wrong", [0, 1, 2])
async def test_several_streams_are_appended_to_all_or_none(log: Log, wrong: int) -> None:
    """One wrong version among three streams, wherever it stands, and nothing of the append is written."""
    appends = [StreamAppend(f"metric-{n}", [point()], 9 if n == wrong else NO_STREAM) for n in range(3)]
    with pytest.raises(WrongExpectedVersion, match=f"metric-{wrong}"):
        await log.store.append_all(appends, metadata=ACTOR)
    assert await log.store.head() == 0


async def test_a_refused_append_leaves_its_commit_whole(log: Log) -> None:
    """Refused appends among good ones of the same commit leave no gap and stop no one."""
    appends = [
        log.store.append("metric-m", [point(n)], metadata=ACTOR, expected_version=ANY if n % 2 else 99)
        for n in range(20)
    ]
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert [answer.position for answer in answers if isinstance(answer, Appended)] == list(range(1, 11))
    assert values(await log.store.read_all()) == list(range(1, 20, 2))


async def test_a_stream_may_occur_twice_in_an_append(log: Log) -> None:
    """Two parts of one append to the same stream follow each other."""
    appends = [StreamAppend("metric-m", [point(1)], NO_STREAM), StreamAppend("metric-m", [point(2)])]
    assert (await log.store.append_all(appends, metadata=ACTOR)).stream_version == 2
    assert values(await log.store.read_stream("metric-m")) == [1, 2]
