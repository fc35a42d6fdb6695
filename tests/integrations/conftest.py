"""The fake endpoint, and a client of it whose waits take no time."""

from collections.abc import AsyncIterator

import pytest

from recsys.integrations.endpoint import OpenAIEndpoint
from tests.integrations.harness import KEY, FakeEndpoint, Time


@pytest.fixture
async def fake() -> AsyncIterator[FakeEndpoint]:
    fake = FakeEndpoint()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def endpoint(fake: FakeEndpoint, time: Time) -> AsyncIterator[OpenAIEndpoint]:
    endpoint = OpenAIEndpoint(f"{fake.address}/v1/", KEY, sleep=time.sleep, clock=time.clock)
    yield endpoint
    await endpoint.close()
