"""Listening, and stopping so that no accepted request fails. Floor 3."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from recsys.http.edge import STOPPING

KEEPALIVE_SECONDS: Final = 75.0  # aiohttp's own is an hour
LINE_BYTES_MAX: Final = 64 * 2**10  # so that a long address gets a problem of ours, and not the parser's bare 400
BACKLOG: Final = 1024
DRAIN_SECONDS_MAX: Final = 1.0  # for clients with an open connection to send once more, and be told to close it
DRAIN_POLL_SECONDS: Final = 0.02
HANDLER_SECONDS_MAX: Final = 15.0


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
    runner = web.AppRunner(
        app,
        access_log=None,  # the middleware writes it, at a fraction of the cost
        keepalive_timeout=KEEPALIVE_SECONDS,
        max_line_size=LINE_BYTES_MAX,
        max_field_size=LINE_BYTES_MAX,
        shutdown_timeout=HANDLER_SECONDS_MAX,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await site.start()
        if on_listening is not None:
            on_listening(address_of(runner))
        await stop.wait()
        await drain(app, runner, site)
    finally:
        await runner.cleanup()


def address_of(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def drain(app: web.Application, runner: web.AppRunner, site: web.TCPSite) -> None:
    """Stop listening, and let every connection end with an answer that says `Connection: close`.

    Closing an idle connection at once would lose the request that its client is just sending.
    """
    app[STOPPING].set()
    await site.stop()
    loop = asyncio.get_running_loop()
    end = loop.time() + DRAIN_SECONDS_MAX
    # aiohttp tells nobody when a connection ends, so it is asked.
    while runner.server is not None and runner.server.connections and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(DRAIN_POLL_SECONDS)
