"""Listening, and stopping so that no accepted request fails. Floor 3."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any, Final

from aiohttp import web

from recsys.http.accept_queue import has_waiting, turn_away_newcomers
from recsys.http.connection import Connection
from recsys.http.edge import STOPPING

KEEPALIVE_SECONDS: Final = 75.0  # aiohttp's own is an hour
LINE_BYTES_MAX: Final = 64 * 2**10  # so that a long address gets the application's answer, and not the parser's
BACKLOG: Final = 1024
HANDSHAKE_SECONDS: Final = 0.01  # for connections that are half open: across a local network they need one
QUEUE_SECONDS_MAX: Final = 1.0  # where newcomers cannot be turned away the queue may never be empty
DRAIN_SECONDS_MAX: Final = 1.0  # for clients with an open connection to send once more, and be told to close it
DRAIN_POLL_SECONDS: Final = 0.02
HANDLER_SECONDS_MAX: Final = 15.0
CONNECTION_OPTIONS: Final[dict[str, Any]] = {
    "access_log": None,  # the middleware writes it, at a fraction of the cost
    "keepalive_timeout": KEEPALIVE_SECONDS,
    "max_line_size": LINE_BYTES_MAX,
    "max_field_size": LINE_BYTES_MAX,
}


async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    stop: asyncio.Event,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set, and return when the last handler is done. Raises OSError if the port is taken.

    port: 0 takes a free one. on_listening: called with the address, such as http://127.0.0.1:8000.
    """
    runner = web.AppRunner(app, shutdown_timeout=HANDLER_SECONDS_MAX)
    await runner.setup()
    assert runner.server is not None
    loop = asyncio.get_running_loop()
    connection = partial(Connection, runner.server, loop=loop, **CONNECTION_OPTIONS)
    try:
        with closing(await loop.create_server(connection, host, port, backlog=BACKLOG)) as listening:
            if on_listening is not None:
                on_listening(address_of(listening))
            await stop.wait()
            app[STOPPING].set()  # from now on every answer says `Connection: close`
            await empty_queue(listening)
        await drain(runner.server)
    finally:
        await runner.cleanup()


def address_of(listening: asyncio.Server) -> str:
    host, port = listening.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def empty_queue(listening: asyncio.Server) -> None:
    """Return once every connection that the kernel has accepted is ours, so that none is lost with the socket."""
    for listener in listening.sockets:
        turn_away_newcomers(listener)
    loop = asyncio.get_running_loop()
    end = loop.time() + QUEUE_SECONDS_MAX
    await asyncio.sleep(HANDSHAKE_SECONDS)
    # Each turn of the loop accepts some; nobody tells when there are no more.
    while any(map(has_waiting, listening.sockets)) and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def drain(server: web.Server) -> None:
    """Let every connection end with an answer: to close an idle one would lose the request that is just being sent."""
    loop = asyncio.get_running_loop()
    end = loop.time() + DRAIN_SECONDS_MAX
    await asyncio.sleep(0)  # the last accepted connections are made known in the next turn
    # aiohttp tells nobody when a connection ends, so it is asked.
    while server.connections and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(DRAIN_POLL_SECONDS)
