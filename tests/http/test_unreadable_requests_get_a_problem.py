"""Bytes that are no HTTP request: a 4xx problem as for every other mistake, and the connection ends."""

import asyncio
import json

import pytest

from tests.http.harness import Api

HOST = b"Host: test\r\n"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"GARBAGE\r\n\r\n", "Invalid method"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "HTTPS traffic on an HTTP port"),
        (b"GET / HTTP/9.9\r\n\r\n", "Invalid HTTP version"),
        (b"GET /models HTTP/1.1\r\n\r\n", "Missing 'Host'"),
        (b"POST /models HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n", "Content-Length"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "more than 65536 bytes"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 200 + b"\r\n", "Too many headers"),
    ],
)
async def test_what_is_no_request(sent: bytes, said: str, api: Api) -> None:
    """The answer is a problem that says what could not be read, with the headers that every answer has."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(sent)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.0 400 ")
    assert b"Content-Type: application/problem+json" in head
    assert f"X-Request-ID: {problem['request_id']}".encode() in head
    assert b"aiohttp" not in head
    assert (problem["status"], problem["code"], problem["field"]) == (400, "malformed_request", "request")
    assert said in problem["detail"]
