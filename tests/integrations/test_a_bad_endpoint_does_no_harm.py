"""Whatever the other side does, a request ends in time with an answer or with an error that says why."""

import msgspec
import pytest

from recsys.integrations.breaker import FAILURES_MAX, OPEN_SECONDS
from recsys.integrations.endpoint import OpenAIEndpoint
from recsys.integrations.errors import EndpointRefused, EndpointUnavailable, IntegrationError, UnusableAnswer
from tests.integrations.harness import KEY, FakeEndpoint, Time, closed_address, json, never, status, text


class Pong(msgspec.Struct):
    pong: int


async def ask(endpoint: OpenAIEndpoint, seconds: float = 5) -> int:
    return (await endpoint.post("/ping", {"ping": 1}, Pong, seconds=seconds)).pong


async def test_an_answer_is_read_and_the_key_is_sent(fake: FakeEndpoint, endpoint: OpenAIEndpoint) -> None:
    """The key goes into the header, the body arrives as JSON, the answer comes typed."""
    fake.replies = [json({"pong": 7, "more": "ignored"})]
    assert await ask(endpoint) == 7
    assert fake.asked == [{"ping": 1}]
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_too_many_requests_waits_as_told(fake: FakeEndpoint, endpoint: OpenAIEndpoint, time: Time) -> None:
    """A 429 with Retry-After is asked again after so long."""
    fake.replies = [status(429, **{"Retry-After": "2"}), json({"pong": 1})]
    assert await ask(endpoint) == 1
    assert time.slept == [2.0]


async def test_errors_of_the_server_are_tried_again(fake: FakeEndpoint, endpoint: OpenAIEndpoint, time: Time) -> None:
    """A 500 is tried three times, with doubled pauses, and then told."""
    fake.replies = [status(500)]
    with pytest.raises(EndpointUnavailable, match="500, 3 times"):
        await ask(endpoint)
    assert (len(fake.asked), time.slept) == (3, [0.25, 0.5])


async def test_a_refusal_is_not_repeated(fake: FakeEndpoint, endpoint: OpenAIEndpoint) -> None:
    """A wrong key stays wrong: asked once."""
    fake.replies = [status(401)]
    with pytest.raises(EndpointRefused, match="401"):
        await ask(endpoint)
    assert len(fake.asked) == 1


@pytest.mark.parametrize("content", ['{"pong": ', '{"pong": "seven"}', "[]", "", "<html>", "[" * 5000])
async def test_a_broken_answer_is_told(fake: FakeEndpoint, endpoint: OpenAIEndpoint, content: str) -> None:
    """What is not JSON, or not the protocol's, is an error of its own."""
    fake.replies = [text(content)]
    with pytest.raises(UnusableAnswer):
        await ask(endpoint)


async def test_a_slow_endpoint_is_given_up(fake: FakeEndpoint, endpoint: OpenAIEndpoint) -> None:
    """The time is for all attempts together."""
    fake.replies = [never]
    with pytest.raises(EndpointUnavailable, match="no answer within"):
        await ask(endpoint, seconds=0.05)


async def test_a_dead_endpoint_is_told(time: Time) -> None:
    """Where nothing listens, the connection is tried three times."""
    endpoint = OpenAIEndpoint(closed_address(), sleep=time.sleep, clock=time.clock)
    with pytest.raises(EndpointUnavailable, match="the connection failed"):
        await ask(endpoint)
    assert len(time.slept) == 2
    await endpoint.close()


async def test_a_redirect_is_not_followed(fake: FakeEndpoint, endpoint: OpenAIEndpoint) -> None:
    """The key is for this host alone."""
    fake.replies = [status(307, Location=f"{fake.address}/elsewhere"), json({"pong": 1})]
    with pytest.raises(EndpointRefused):
        await ask(endpoint)
    assert len(fake.asked) == 1


async def test_the_breaker_leaves_it_alone_for_a_while(
    fake: FakeEndpoint, endpoint: OpenAIEndpoint, time: Time
) -> None:
    """After some failures in a row it is not asked; one trial later decides, and a success closes the breaker."""
    fake.replies = [text("no")] * FAILURES_MAX + [json({"pong": 1})]
    for _ in range(FAILURES_MAX):
        with pytest.raises(UnusableAnswer):
            await ask(endpoint)
    with pytest.raises(EndpointUnavailable, match="not asked"):
        await ask(endpoint)
    assert len(fake.asked) == FAILURES_MAX
    time.now += OPEN_SECONDS
    assert await ask(endpoint) == 1
    assert await ask(endpoint) == 1


async def test_one_trial_at_a_time(fake: FakeEndpoint, endpoint: OpenAIEndpoint, time: Time) -> None:
    """A trial that fails opens the breaker again at once."""
    fake.replies = [text("no")]
    for _ in range(FAILURES_MAX):
        with pytest.raises(UnusableAnswer):
            await ask(endpoint)
    time.now += OPEN_SECONDS
    with pytest.raises(UnusableAnswer):
        await ask(endpoint)
    with pytest.raises(EndpointUnavailable, match="not asked"):
        await ask(endpoint)


@pytest.mark.parametrize("code", [400, 401, 429, 500])
async def test_no_error_holds_the_key(
    fake: FakeEndpoint, endpoint: OpenAIEndpoint, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where the other side sends it back."""
    fake.replies = [status(code)]
    with pytest.raises(IntegrationError) as caught:
        await ask(endpoint)
    assert KEY not in str(caught.value)
    assert KEY not in repr(endpoint)
    assert KEY not in caplog.text
