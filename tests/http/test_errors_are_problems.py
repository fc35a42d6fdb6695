"""Every error, wherever it comes from, is a problem of RFC 9457 with the status that belongs to it."""

import asyncio
from typing import Any

import pytest

from events.errors import StoreFull, StoreOverloaded, StoreUnavailable
from recsys.http.errors import Overloaded
from recsys.http.gate import Gate
from recsys.http.problems import KINDS
from tests.http.harness import Api


async def test_an_unknown_address_is_a_problem(api: Api) -> None:
    """The router's 404 says where the addresses are listed."""
    reply = await api.get("/modelos")
    assert (reply.status, reply.json["code"]) == (404, "no_such_address")
    assert "/openapi.json" in reply.json["fix"]


async def test_a_wrong_method_is_a_problem(api: Api) -> None:
    """The router's 405 names the methods that the address takes."""
    reply = await api.post("/health", {})
    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert "GET" in reply.headers["Allow"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreOverloaded(), 503, "store_overloaded"),
        (StoreUnavailable(), 503, "store_unavailable"),
        (StoreFull(), 507, "store_full"),
    ],
)
async def test_what_the_log_refuses_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    """An overloaded, absent or full log each has its status; reads go on."""

    async def refuse(*_arguments: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(type(api.services.store), "append_all", refuse)
    reply = await api.post("/metrics", {"metric": "m", "value": 1})
    assert (reply.status, reply.json["code"]) == (status, code)
    assert (await api.get("/models")).status == 200
    assert ("Retry-After" in reply.headers) is (status == 503)


async def test_requests_beyond_the_gate_are_turned_away(api: Api) -> None:
    """With 64 requests in flight the next is a 503 with Retry-After at once; probes still answer; then all finish."""
    api.recommender.gate = asyncio.Event()
    waiting = [asyncio.create_task(api.post("/recommend", {"query": "pollo"})) for _ in range(64)]
    await api.recommender.until_asked(64)
    refused = await api.post("/recommend", {"query": "pollo"})
    probe = await api.get("/health/live")
    api.recommender.gate.set()
    assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
    assert probe.status == 200
    assert {reply.status for reply in await asyncio.gather(*waiting)} == {200}


def test_the_gate_opens_again() -> None:
    """A refused request does not count, and one that fails gives its place back."""
    gate = Gate(1)
    with gate, pytest.raises(Overloaded), gate:
        pass
    with pytest.raises(ValueError, match="inside"), gate:
        raise ValueError("inside")
    with gate:
        pass


async def test_a_fit_request_id_is_kept_and_another_replaced(api: Api) -> None:
    """The client's X-Request-ID comes back if it is one; else the answer carries a new one."""
    kept = await api.get("/models", {"X-Request-ID": "req_12345"})
    replaced = await api.get("/models", {"X-Request-ID": "two words"})
    assert kept.headers["X-Request-ID"] == "req_12345"
    assert len(replaced.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/models", "/modelos", "/docs"])
async def test_every_answer_carries_security_headers(api: Api, path: str) -> None:
    """Answers are not sniffed, framed or referred, and do not name the software's versions."""
    reply = await api.get(path)
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Server"] == "recipe-recommender"


def test_each_code_stands_for_one_kind() -> None:
    """Programs tell errors apart by their code alone."""
    codes = [kind.code for kind in KINDS.values()]
    assert len(codes) == len(set(codes))
