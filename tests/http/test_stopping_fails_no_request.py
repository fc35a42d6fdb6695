"""Stopping under load: every request that was accepted is answered."""

import asyncio
import socket

import pytest

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


def send_request(port: int) -> socket.socket:
    """Connect and send without giving the loop a turn: the connection waits in the kernel."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET /models HTTP/1.1\r\nHost: test\r\n\r\n")
    client.setblocking(False)
    return client


async def test_connections_that_wait_to_be_accepted_are_answered(api: Api) -> None:
    """What the kernel has accepted, and the service not yet when it is told to stop, gets its answers."""
    clients = [send_request(api.port) for _ in range(32)]
    api.stop.set()
    loop = asyncio.get_running_loop()
    answers = [await loop.sock_recv(client, 4096) for client in clients]
    for client in clients:
        client.close()
    assert {answer[9:12] for answer in answers} == {b"200"}
    assert all(b"connection: close" in answer.lower() for answer in answers)


async def test_newcomers_are_refused(api: Api) -> None:
    """Whoever comes after the stop is refused, and not left without an answer."""
    api.stop.set()
    with pytest.raises(ConnectionRefusedError):
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.close()


async def test_a_request_in_flight_is_answered(api: Api) -> None:
    """A handler that is at work when the service is told to stop finishes, and its answer arrives."""
    api.recommender.gate = asyncio.Event()
    waiting = asyncio.create_task(api.post("/recommend", {"query": "pollo"}))
    await api.recommender.until_asked(1)
    api.stop.set()
    api.recommender.gate.set()
    assert (await waiting).status == 200
