"""A load generator: closed-loop clients that write prepared bytes and parse the least of the answers.

It runs in a process of its own and reports what it cost, so that the peer and we are measured with the same rod.
"""

import asyncio
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Final, cast

import msgspec
import uvloop

HEAD_END: Final = b"\r\n\r\n"
# Client number → its requests, without end. It must be found by name: it is sent to another process.
Requests = Callable[[int], Iterator[bytes]]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a run measured. latencies_ms: of every answer after the warm-up, in no order. failures: answers not 2xx.

    generator_us: CPU time of the generator a request, in microseconds.
    """

    clients: int
    seconds: float
    latencies_ms: list[float]
    failures: int
    generator_us: float

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return (len(self.latencies_ms) - self.failures) / self.seconds


class Client(asyncio.Protocol):
    """One connection: the next request leaves when the last answer is complete."""

    def __init__(self, requests: Iterator[bytes], end: float) -> None:
        self.requests = requests
        self.end = end
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers: list[tuple[float, float, bool]] = []
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class
        self.send()

    def send(self) -> None:
        self.buffer = b""
        self.sent_at = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not is_complete(self.buffer):
            return
        now = time.perf_counter()
        self.answers.append((now, now - self.sent_at, self.buffer[9:10] == b"2"))
        if now < self.end:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if time.perf_counter() < self.end:
            self.done.set_exception(error or ConnectionError("the server closed the connection in mid-run"))
        else:
            self.done.set_result(None)


def is_complete(answer: bytes) -> bool:
    """Return whether the bytes hold a whole answer, of known length or in chunks."""
    head, _, body = answer.partition(HEAD_END)
    lower = head.lower()
    at = lower.find(b"content-length: ")
    if at >= 0:
        return HEAD_END in answer and len(body) >= int(lower[at + 16 :].partition(b"\r")[0])
    return answer.endswith(b"0\r\n\r\n")


async def drive(host: str, port: int, requests: Requests, clients: int, seconds: float, warm_up: float) -> Load:
    loop = asyncio.get_running_loop()
    start = time.perf_counter() + warm_up
    cpu_before = resource.getrusage(resource.RUSAGE_SELF)
    connected = [
        (await loop.create_connection(partial(Client, requests(number), start + seconds), host, port))[1]
        for number in range(clients)
    ]
    await asyncio.gather(*(client.done for client in connected))
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    answers = [answer for client in connected for answer in client.answers]
    measured = [(latency, good) for at, latency, good in answers if at >= start]
    last = max(at for at, _, _ in answers)  # a slow peer's last answers come long after the end
    cpu_seconds = cpu.ru_utime + cpu.ru_stime - cpu_before.ru_utime - cpu_before.ru_stime
    return Load(
        clients=clients,
        seconds=max(last - start, seconds),
        latencies_ms=[latency * 1000 for latency, _ in measured],
        failures=sum(not good for _, good in measured),
        generator_us=cpu_seconds / len(answers) * 1e6,
    )


def run_load(host: str, port: int, requests: Requests, clients: int, seconds: float, warm_up: float) -> Load:
    return uvloop.run(drive(host, port, requests, clients, seconds, warm_up))


def measure(
    port: int, requests: Requests, *, clients: int, seconds: float, warm_up: float = 0.5, host: str = "127.0.0.1"
) -> Load:
    """Drive `clients` connections for `warm_up` + `seconds` from a fresh process and return what they saw."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as generator:
        return generator.submit(run_load, host, port, requests, clients, seconds, warm_up).result()


def request(method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
    """Return the bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if method == "POST":
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body
