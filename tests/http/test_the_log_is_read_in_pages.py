"""GET /events: pages after a position, by stream, type and time."""

import pytest

from tests.http.harness import NOW, Api, Clock


async def fill(api: Api, clock: Clock) -> None:
    """Ten events, one a minute: two registrations of each of two models, then six metric points."""
    for version in ("1.0.0", "1.0.1"):
        for model_id in ("a", "b"):
            await api.register(version, model_id=model_id)
            clock.now += 60_000_000
    for value in range(6):
        await api.post("/metrics", {"metric": "m", "value": value})
        clock.now += 60_000_000


async def positions(api: Api, query: str) -> list[int]:
    reply = await api.get(f"/events?{query}")
    assert reply.status == 200, reply
    return [event["position"] for event in reply.json["events"]]


async def test_pages_lead_through_the_whole_log(api: Api, clock: Clock) -> None:
    """Following `next` until `is_at_end` gives every event once, in order."""
    await fill(api, clock)
    seen, after, is_at_end = [], 0, False
    while not is_at_end:
        page = (await api.get(f"/events?limit=3&after={after}")).json
        seen += [event["position"] for event in page["events"]]
        after, is_at_end = page["next"], page["is_at_end"]
    assert seen == list(range(1, 11))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stream=model-b", [2, 4]),
        ("stream=model-b&after=2", [4]),
        ("stream=metric-m&after=6&limit=2", [7, 8]),
        ("stream=model-none", []),
        ("type=ModelRegistered", [1, 2, 3, 4]),
        ("type=MetricRecorded&limit=2&after=5", [6, 7]),
        ("stream=model-a&type=MetricRecorded", []),
        ("since=2024-12-30T15:32:00Z&until=2024-12-30T15:34:00Z", [3, 4, 5]),
        ("since=2024-12-30T15:32:00Z&type=ModelRegistered", [3, 4]),
        ("until=2024-12-30T15:29:59Z", []),
        ("after=10", []),
        ("after=1000", []),
    ],
)
async def test_filters_choose_events(api: Api, clock: Clock, query: str, expected: list[int]) -> None:
    """Each filter, and several together, choose exactly their events."""
    await fill(api, clock)
    assert await positions(api, query) == expected


async def test_an_event_shows_its_whole_envelope(api: Api) -> None:
    """Position, id, stream, type, time, data, metadata and hash are there."""
    await api.post("/metrics", {"metric": "m", "value": 1.5}, {"X-Request-ID": "req-9"})
    (event,) = (await api.get("/events")).json["events"]
    assert (event["stream"], event["stream_version"], event["type"]) == ("metric-m", 1, "MetricRecorded")
    assert event["recorded_at"] == "2024-12-30T15:30:00.000000Z"
    assert event["data"] == {"metric": "m", "value": 1.5, "at": NOW}
    assert event["metadata"] == {"actor": "api", "correlation_id": "req-9"}
    assert (len(event["event_id"]), len(event["hash"])) == (36, 64)
