"""An endpoint that speaks OpenAI's protocol on a free port of loopback, as well or as badly as a test tells it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

Reply = Callable[[Any], Awaitable[web.Response] | web.Response]

DIMENSIONS = 384
KEY = "sk-secret-of-the-test"


class FakeEndpoint:
    """Answers each request with the next of `replies`, the last one for ever; what was asked is kept."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.address = ""
        self.runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/{path:.*}", self.answer)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()

    async def answer(self, request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read())
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1](body)
        return reply if isinstance(reply, web.Response) else await reply


class Time:
    """The clock and the sleep of a client: sleeping moves the clock and takes no time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def status(code: int, **headers: str) -> Reply:
    """Refuse with that status, and with the key in the body, as OpenAI's own endpoint does."""
    return lambda _: web.Response(status=code, text=f"bad key {KEY}", headers=headers)


def text(content: str) -> Reply:
    return lambda _: web.Response(text=content, content_type="application/json")


def json(value: Any) -> Reply:
    return text(msgspec.json.encode(value).decode())


async def never(_: Any) -> web.Response:
    """Keep the client waiting."""
    await asyncio.Event().wait()
    raise AssertionError


def embeddings(body: Any, *, dimensions: int = DIMENSIONS) -> web.Response:
    """Return a vector for each text, the last one first: its own length at one place, 1 at another."""
    data = []
    for index, asked in reversed(list(enumerate(body["input"]))):
        vector = [0.0] * dimensions
        vector[0], vector[1] = float(len(asked)), 1.0
        data.append({"object": "embedding", "index": index, "embedding": vector})
    answer = {"object": "list", "data": data, "model": body["model"], "usage": {"total_tokens": 1}}
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def completion(content: str) -> web.Response:
    answer = {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def closed_address() -> str:
    """Return an address that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
