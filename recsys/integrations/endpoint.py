"""An HTTP endpoint that speaks OpenAI's protocol: time limits, retries, a circuit breaker. Floor 3.

What is sent leaves the machine, so nothing here is made unless a setting names a model.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from recsys.integrations.breaker import CircuitBreaker
from recsys.integrations.errors import EndpointRefused, EndpointUnavailable, IntegrationError, UnusableAnswer

T = TypeVar("T")

ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 0.25  # doubled with every attempt
RETRY_AFTER_SECONDS_MAX: Final = 10.0
CONNECT_SECONDS: Final = 3.0
ANSWER_BYTES_MAX: Final = 16 * 2**20  # 128 vectors of 3,072 numbers take 8 MB
CONNECTIONS_MAX: Final = 8
TOO_MANY: Final = 429


class OpenAIEndpoint:
    """Sends JSON and reads JSON. `await close()` at the end.

    sleep, clock: for tests; the clock counts seconds and never falls.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._sleep = sleep
        self._breaker = CircuitBreaker(clock)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any, answer: type[T], *, seconds: float) -> T:
        """Return the answer to a request, as `answer`. seconds: for all attempts together.

        Raises EndpointUnavailable, EndpointRefused, UnusableAnswer.
        """
        self._breaker.enter()
        try:
            async with asyncio.timeout(seconds):
                content = await self._attempts(f"{self._base_url}{path}", msgspec.json.encode(body))
            found = decoded(content, answer)
        except TimeoutError as error:
            self._breaker.failed()
            raise EndpointUnavailable(f"no answer within {seconds:g} s") from error
        except EndpointRefused:
            raise  # it is there
        except IntegrationError:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return found

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _attempts(self, url: str, body: bytes) -> bytes:
        for attempt in range(ATTEMPTS):
            try:
                return await self._attempt(url, body)
            except RetryLater as reason:
                if attempt == ATTEMPTS - 1:
                    raise EndpointUnavailable(f"{reason}, {ATTEMPTS} times") from None
                await self._sleep(max(reason.seconds, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, url: str, body: bytes) -> bytes:
        try:
            # No redirects: the key is for this host alone.
            async with self._opened().post(url, data=body, headers=self._headers, allow_redirects=False) as response:
                check_status(response)
                return await read_at_most(response.content, ANSWER_BYTES_MAX)
        except (aiohttp.ClientError, OSError) as error:
            raise RetryLater(f"the connection failed: {type(error).__name__}") from None

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made at the first use: it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
                headers={"Content-Type": "application/json"},
            )
        return self._session


class RetryLater(Exception):
    """The attempt failed in a way that may pass. seconds: what the other side asks to wait."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


def check_status(response: aiohttp.ClientResponse) -> None:
    """Raise RetryLater or EndpointRefused unless the status is 200."""
    if response.status == TOO_MANY or response.status >= 500:
        raise RetryLater(f"it answered {response.status}", retry_after(response.headers.get("Retry-After", "")))
    if response.status != 200:
        raise EndpointRefused(f"it answered {response.status}")


def retry_after(header: str) -> float:
    """Return the seconds that the header asks to wait, bounded; 0 where it names none.

    >>> retry_after("2"), retry_after("86400"), retry_after("Wed, 21 Oct 2026 07:28:00 GMT")
    (2.0, 10.0, 0.0)
    """
    return min(float(header), RETRY_AFTER_SECONDS_MAX) if header.strip().isdecimal() else 0.0


async def read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes:
    """Return the whole body. Raises UnusableAnswer if it is longer than `limit` bytes."""
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) > limit:
            raise UnusableAnswer(f"its answer is longer than {limit} bytes")
    return bytes(content)


def decoded(content: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableAnswer(f"its answer is not what the protocol says: {type(error).__name__}") from None
