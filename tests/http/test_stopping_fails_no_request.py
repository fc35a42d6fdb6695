"""Stopping under load: every request that was accepted is answered."""

import asyncio

from tests.http.harness import Api


async def ask_until_closed(port: int, asked: asyncio.Event) -> list[bytes]:
    """Send one request after the other on one connection until an answer says that it closes; return the statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses = []
    is_closing = False
    while not is_closing:
        writer.write(b"GET /models HTTP/1.1\r\nHost: test\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        statuses.append(head[9:12])
        is_closing = b"connection: close" in head.lower()
        asked.set()
    writer.close()
    return statuses


async def test_clients_are_told_to_close_and_none_is_cut_off(api: Api) -> None:
    """Clients that keep asking on open connections all get whole answers, the last one with `Connection: close`."""
    asked = [asyncio.Event() for _ in range(8)]
    clients = [asyncio.create_task(ask_until_closed(api.port, event)) for event in asked]
    for event in asked:
        await event.wait()
    api.stop.set()
    statuses = [status for client in clients for status in await client]
    assert set(statuses) == {b"200"}


async def test_a_request_in_flight_is_answered(api: Api) -> None:
    """A handler that is at work when the service is told to stop finishes, and its answer arrives."""
    api.recommender.gate = asyncio.Event()
    waiting = asyncio.create_task(api.post("/recommend", {"query": "pollo"}))
    await api.recommender.until_asked(1)
    api.stop.set()
    api.recommender.gate.set()
    assert (await waiting).status == 200
