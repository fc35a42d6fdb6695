"""POST /metrics: one point, an array or lines of JSON; each point is one event, all of them or none."""

import msgspec
import pytest

from events.catalog import MetricRecorded
from tests.http.harness import NOW, Api

NDJSON = {"Content-Type": "application/x-ndjson"}


async def test_a_point_is_one_event_with_its_time_of_arrival(api: Api) -> None:
    """A point without a timestamp is recorded at the clock's time."""
    recorded = await api.post("/metrics", {"metric": "api_latency_ms", "value": 150.5})
    (event,) = await api.services.store.read_stream("metric-api_latency_ms")
    assert (recorded.status, recorded.json) == (201, {"recorded": 1})
    assert event.data == MetricRecorded(metric="api_latency_ms", value=150.5, at=NOW)


@pytest.mark.parametrize("timestamp", [1735572600.5, "2024-12-30T15:30:00.5Z", "2024-12-30T16:30:00.5+01:00"])
async def test_a_timestamp_is_seconds_or_iso_8601(api: Api, timestamp: float | str) -> None:
    """Both ways of saying when lead to the same microsecond."""
    await api.post("/metrics", {"metric": "m", "value": 1, "timestamp": timestamp, "labels": {"host": "a"}})
    (event,) = await api.services.store.read_stream("metric-m")
    assert event.data == MetricRecorded(metric="m", value=1.0, at=NOW + 500_000, labels={"host": "a"})


async def test_ten_thousand_lines_are_one_append(api: Api) -> None:
    """10,000 points of two metrics are recorded at once and counted in the window."""
    lines = b"\n".join(b'{"metric":"m%d","value":%d}' % (number % 2, number) for number in range(10_000))
    recorded = await api.post("/metrics", lines, NDJSON)
    window = await api.get_after(recorded, "/metrics?window_minutes=1")
    assert recorded.json == {"recorded": 10_000}
    assert [window.json["metrics"][name]["count"] for name in ("m0", "m1")] == [5000, 5000]


async def test_one_bad_point_leaves_none_of_them(api: Api) -> None:
    """An array with a wrong point is refused whole."""
    refused = await api.post("/metrics", [{"metric": "m", "value": 1}, {"metric": "m"}])
    assert (refused.status, refused.json["field"], refused.json["found"]) == (422, "[1].value", "nothing")
    assert await api.services.store.head() == 0


async def test_the_window_answers_as_the_guide_shows_it(api: Api) -> None:
    """GET /metrics gives mean, std, min, max, p95 and p99 of each metric over the window."""
    points = [{"metric": "api_latency_ms", "value": value} for value in (100, 150, 200)]
    recorded = await api.post("/metrics", points)
    reply = await api.get_after(recorded, "/metrics?window_minutes=60")
    window = msgspec.convert(reply.json, dict)
    assert (window["timestamp"], window["window_minutes"]) == (NOW / 1e6, 60)
    assert window["metrics"]["api_latency_ms"].keys() >= {"mean", "std", "min", "max", "p95", "p99"}
    assert window["metrics"]["api_latency_ms"]["mean"] == 150
