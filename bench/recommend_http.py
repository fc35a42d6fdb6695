"""How long does a recommendation take over HTTP, and how many are answered a second, beside a bare aiohttp handler?

python -m bench.recommend_http [--seconds 5]

Our server is `run.py serve` at the recipes of the first start, with its access log and its projections at work; every
answer waits until its event is on disk. The bare handler reads and decodes the same bodies, and answers with the bytes
of one of our answers: no middleware, no log, no disk. Both are driven by the same load generator, one after the other.
A repeated request is one of the 320 judged ones, all asked before; a new one is made of a judged one, a food longer
("… con arroz"), and never comes again. Not told: what networks and more cores would do.
"""

import argparse
import asyncio
import itertools
import json
import random
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from aiohttp import web

from bench.common import save, spread
from bench.http import ask, free_port, post, running
from bench.load import Load, Requests, measure

JUDGED: Final = Path("recsys/data/judged/default/judged.jsonl")
CLIENTS: Final = (1, 16)
ADDITIONS: Final = """
arroz tomate cebolla ajo limón aceitunas patatas zanahorias perejil vino pimientos setas queso nata jengibre cilantro
rice tomatoes onion garlic lemon olives potatoes carrots parsley wine peppers mushrooms cheese cream ginger coriander
"""
READY_SECONDS_MAX: Final = 300.0  # the first start embeds the recipes that came without vectors


def judged_queries() -> list[str]:
    return [json.loads(line)["query"] for line in JUDGED.read_text(encoding="utf-8").splitlines()]


def new_queries() -> list[str]:
    """Return requests that differ from the judged ones and from each other, in a seeded order."""
    longer = [f"{query} con {food}" for query in judged_queries() for food in ADDITIONS.split()]
    random.Random(7).shuffle(longer)
    return longer


def recommend(query: str) -> bytes:
    return post("/recommend", {"query": query})


def repeated(client: int) -> Iterator[bytes]:
    queries = judged_queries()
    random.Random(client).shuffle(queries)
    return itertools.cycle(map(recommend, queries))


def new(client: int, *, clients: int) -> Iterator[bytes]:
    """Yield a client's share of the new requests; runs with other numbers of clients have others."""
    queries = new_queries()[CLIENTS.index(clients) :: len(CLIENTS)]
    return map(recommend, queries[client::clients])


def requests_of(clients: int) -> dict[str, Requests]:
    return {"new": partial(new, clients=clients), "repeated": repeated}


async def bare(port: int, answer: bytes) -> None:
    """Serve the answer to every POST until the process is ended."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode

    async def handler(request: web.Request) -> web.Response:
        decode(await request.read())
        return web.Response(body=answer, content_type="application/json")

    app = web.Application()
    app.router.add_post("/recommend", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def run_bare(port: int, answer: bytes) -> None:
    uvloop.run(bare(port, answer))


@contextmanager
def bare_server(answer: bytes) -> Iterator[int]:
    port = free_port()
    process = get_context("spawn").Process(target=run_bare, args=(port, answer))
    process.start()
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.join()


def wait_for_port(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


@contextmanager
def our_server(folder: Path) -> Iterator[int]:
    """Run the service; it is ours when its recommender lacks nothing and has been asked every judged request."""
    port = free_port()
    command = [sys.executable, "run.py", "serve", "--port", str(port), "--data-dir", str(folder / "data")]
    with running(command, folder, port, "/health/ready", LOG_DIR=str(folder / "logs")):
        end = time.monotonic() + READY_SECONDS_MAX
        while (degraded := health(port)["recommender"]["degraded"]) and time.monotonic() < end:
            time.sleep(0.5)
        if degraded:
            sys.exit(f"the recommender is not complete: {degraded}")
        for query in judged_queries():
            ask(port, "/recommend", {"query": query})
        yield port


def health(port: int) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        return json.load(answer)


def typical_answer(port: int) -> bytes:
    """Return the answer of median size to the judged requests."""
    answers = [json.dumps(ask(port, "/recommend", {"query": query}), ensure_ascii=False) for query in judged_queries()]
    return sorted(map(str.encode, answers), key=len)[len(answers) // 2]


def compared(ours: Load, ceiling: Load) -> dict[str, Any]:
    return {
        "ours_per_second": round(ours.rate),
        "bare_per_second": round(ceiling.rate),
        "share": round(ours.rate / ceiling.rate, 3),
        "ours_ms": spread(ours.latencies_ms),
        "bare_ms": spread(ceiling.latencies_ms),
        "failures": ours.failures + ceiling.failures,
        "generator_us_per_request": {"ours": round(ours.generator_us), "bare": round(ceiling.generator_us)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="measured for each row, after the warm-up")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name, our_server(Path(name, "ours")) as port:
        answer = typical_answer(port)
        ours = {
            (kind, clients): measure(port, requests, clients=clients, seconds=seconds)
            for clients in CLIENTS
            for kind, requests in requests_of(clients).items()
        }
    with bare_server(answer) as port:
        ceiling = {clients: measure(port, repeated, clients=clients, seconds=seconds) for clients in CLIENTS}
    results: dict[str, Any] = {
        f"{kind} requests, {clients} clients": compared(load, ceiling[clients])
        for (kind, clients), load in ours.items()
    }
    save("recommend_http", {**results, "bytes of the bare answer": len(answer)})


if __name__ == "__main__":
    main()
