"""Whatever is sent to whatever route, the answer is a 4xx problem that says what is wrong, and nothing is recorded."""

import asyncio
from typing import Any

import msgspec
import pytest

from recsys.http.app import all_routes
from recsys.http.routing import Route
from tests.http.harness import Api, Reply

POSTS = [route for route in all_routes() if route.method == "POST"]
GETS = [route for route in all_routes() if route.method == "GET"]
WITH_IDS = [route for route in all_routes() if "{" in route.path]

HOSTILE_BODIES: dict[str, bytes] = {
    "empty object's brace": b"{",
    "not JSON": b"query=pollo",
    "trailing comma": b'{"query": "pollo",}',
    "two documents": b"{}{}",
    "a number": b"7",
    "a string": b'"pollo"',
    "null": b"null",
    "a list of nonsense": b"[1, null, {}]",
    "unknown field": b'{"__proto__": {}}',
    "NaN": b'{"metric": "m", "value": NaN}',
    "Infinity": b'{"metric": "m", "value": -Infinity}',
    "a float beyond range": b'{"metric": "m", "value": 1e999}',
    "a huge value": b'{"metric": "m", "value": 1e200}',
    "a huge integer": b'{"query": "pollo", "n": ' + b"9" * 5000 + b"}",
    "an integer beyond 64 bits": b'{"query": "pollo", "n": 18446744073709551617}',
    "a wrong type": b'{"query": ["pollo"], "metric": 3, "model_id": {}, "status": 1, "model_ids": "all"}',
    "bad UTF-8": b'{"query": "\xff\xfe"}',
    "a lone surrogate": rb'{"query": "\ud800"}',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep parameters": b'{"model_id":"m","model_type":"t","version":"1.0.0","parameters":{"a":'
    + b"[" * 500
    + b"]" * 500
    + b"}}",
    "a parameter no other reader can hold": b'{"model_id":"m","model_type":"t","version":"1.0.0",'
    b'"parameters":{"a":99999999999999999999999999}}',
    "a version that is none": b'{"model_id":"m","model_type":"t","version":"1.0"}',
    "an id with a line feed": b'{"model_id":"m\\n","model_type":"t","version":"1.0.0","metric":"m\\n","value":1}',
    "an id with NUL": b'{"model_id":"m\\u0000","model_type":"t","version":"1.0.0"}',
    "a query too long": msgspec.json.encode({"query": "p" * 501}),
    "a blank query": b'{"query": "  \\n "}',
    "n out of range": b'{"query": "pollo", "n": 21}',
    "a time without sense": b'{"metric": "m", "value": 1, "timestamp": "yesterday"}',
    "a time in milliseconds": b'{"metric": "m", "value": 1, "timestamp": 1735589400123}',
    "too many points": b"[" + b",".join([b'{"metric":"m","value":1}'] * 10_001) + b"]",
    "no points": b"[]",
    "ten megabytes": b'{"query": "' + b"p" * 10_000_000 + b'"}',
}
HOSTILE_IDS = {
    "climbing": "..%2F..%2Fetc%2Fpasswd",
    "line break": "a%0d%0aSet-Cookie:%20x=1",
    "NUL": "a%00b",
    "bad UTF-8": "%ff%fe",
    "blank": "%20",
    "very long": "a" * 10_000,
    "markup": "%3Cscript%3E",
}
HOSTILE_QUERIES = [
    "limit=0",
    "limit=99999999999999999999",
    "limit=ten",
    "after=-1",
    "window_minutes=NaN",
    "window_minutes=1e99",
    "window_minutes=999999999",
    "as_of=never",
    "as_of=99999999999999999999999999",
    "as_of=%EF%BC%91",
    "since=soon",
    "status=retired",
    "type=Nothing",
    "model_id=..%2F..",
    "no_such_parameter=1",
    "limit=1&limit=2",
]


def path_of(route: Route, **ids: str) -> str:
    values = {"model_id": "hybrid_ranker", "version": "1.0.0", "job_id": "job-1", "recipe_id": "recipe-1"}
    values |= {"report_id": "report-1", **ids}
    return route.path.format(**values)


def assert_problem(reply: Reply, sent: Any) -> None:
    assert 400 <= reply.status < 500, (sent, reply)
    assert reply.headers["Content-Type"] == "application/problem+json", (sent, reply)
    problem = reply.json
    assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys(), (sent, problem)
    assert problem["status"] == reply.status


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
async def test_hostile_bodies_are_refused(api: Api, route: Route) -> None:
    """Each body that is wrong for a route is refused with a problem, and leaves no event but a recorded failure."""
    for name, body in HOSTILE_BODIES.items():
        assert_problem(await api.post(path_of(route), body), name)
    assert await api.services.store.head() == 0
    assert (await api.get("/health/live")).status == 200


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: f"{route.method} {route.path}")
async def test_hostile_ids_are_refused(api: Api, route: Route) -> None:
    """An id that could climb, break lines or overflow is refused in every place of every path."""
    names = [
        name for name in ("model_id", "version", "job_id", "recipe_id", "report_id") if f"{{{name}}}" in route.path
    ]
    for name in names:
        for sent in HOSTILE_IDS.values():
            path = path_of(route, **{name: sent})
            reply = await (api.get(path) if route.method == "GET" else api.post(path, {"status": "training"}))
            assert_problem(reply, path)


@pytest.mark.parametrize("route", [route for route in GETS if route.query], ids=lambda route: route.path)
async def test_hostile_query_strings_are_refused(api: Api, route: Route) -> None:
    """A parameter that a route does not know, or a value that it cannot hold, is a problem that names it."""
    for query in HOSTILE_QUERIES:
        reply = await api.get(f"{path_of(route)}?{query}")
        assert_problem(reply, query)
        assert reply.json["field"], query


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
async def test_other_media_types_are_refused(api: Api, route: Route) -> None:
    """A body that a foreign page's form could send is refused unread."""
    reply = await api.post(path_of(route), b'{"query": "pollo"}', {"Content-Type": "text/plain"})
    assert_problem(reply, "text/plain")
    assert reply.status == 415
    assert reply.json["found"] == "text/plain"


@pytest.mark.parametrize("key", ["", "two words", "ñ", "k" * 256, "k" * 10_000], ids=ascii)
async def test_hostile_idempotency_keys_are_refused(api: Api, key: str) -> None:
    """A key is 1 to 255 visible ASCII characters."""
    assert_problem(await api.register(headers={"Idempotency-Key": key}), key)


@pytest.mark.parametrize("position", ["", "-1", "abc", "9" * 40, "１"], ids=ascii)
async def test_hostile_positions_are_refused(api: Api, position: str) -> None:
    """Log-Position is a number that an earlier answer gave."""
    assert_problem(await api.get("/models", {"Log-Position": position}), position)


async def test_ten_megabytes_are_413(api: Api) -> None:
    """A body past the limit is refused by its size, not read to its end."""
    assert (await api.post("/recommend", HOSTILE_BODIES["ten megabytes"])).status == 413


async def test_a_value_is_blamed_by_name(api: Api) -> None:
    """The problem names the field, shows what was found and says what is allowed."""
    problem = (await api.post("/recommend", {"query": "pollo", "n": "three"})).json
    assert (problem["field"], problem["found"]) == ("n", '"three"')
    assert "int" in problem["fix"]


async def test_a_closed_set_is_told_whole(api: Api) -> None:
    """Where only some values are allowed, the fix lists them, in a body as in a query string."""
    in_body = await api.change_status("1.0.0", "retired")
    in_query = await api.get("/retrain/jobs?status=retired")
    assert in_body.json["fix"] == "give archived, production, training, validation"
    assert in_query.json["fix"] == "give completed, failed, pending, running"


async def test_the_first_bad_point_of_many_is_named(api: Api) -> None:
    """In an array the index is named, in lines of JSON the line."""
    good, bad = b'{"metric":"m","value":1}', b'{"metric":"m","value":"high"}'
    in_array = await api.post("/metrics", b"[" + b",".join([good, good, bad]) + b"]")
    on_line = await api.post("/metrics", b"\n".join([good, bad]), {"Content-Type": "application/x-ndjson"})
    assert in_array.json["field"] == "[2].value"
    assert on_line.json["field"] == "line 2.value"


async def test_a_request_that_is_not_http_ends_in_400(api: Api) -> None:
    """Bytes that are no request are answered and the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(b"GET /models HTTP/1.1\r\nHost: x\r\nBad\x00Header: 1\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
