"""GET /health and its probes."""

import pytest

from recsys.monitoring.health import DISK_FREE_BYTES_MIN, Observed, judge
from tests.http.harness import UNAVAILABLE, Api

WELL = Observed(
    latency_ms_p95=100.0,
    error_rate=0.0,
    projection_failure=None,
    recommender_degraded=(),
    disk_free_bytes=DISK_FREE_BYTES_MIN,
)


async def test_the_report_is_the_guides(api: Api) -> None:
    """After a request: healthy, with latency, error rate and both checks, and our parts beside them."""
    answered = await api.post("/recommend", {"query": "pollo"})
    report = (await api.get_after(answered, "/health")).json
    assert (report["timestamp"], report["overall_status"]) == ("2024-12-30T15:30:00.000000Z", "healthy")
    assert (report["api"]["api_status"], report["api"]["error_rate"]) == ("healthy", 0.0)
    assert report["api"]["latency_stats"].keys() == {"mean", "p95", "p99"}
    assert (report["checks"]["api_latency"], report["checks"]["error_rate"]) == (True, True)
    assert report["log"]["head"] == 1
    assert report["projections"]["lag"] == 0


async def test_failing_requests_degrade_it(api: Api) -> None:
    """When every request fails the error rate is 1 and the check false."""
    api.recommender.failure = UNAVAILABLE
    await api.post("/recommend", {"query": "pollo"})
    report = (await api.get("/health", {"Log-Position": "1"})).json
    assert (report["overall_status"], report["api"]["error_rate"]) == ("degraded", 1.0)
    assert report["checks"]["error_rate"] is False


async def test_a_fresh_service_is_healthy(api: Api) -> None:
    """Without requests there are no statistics, and nothing speaks against the service."""
    report = (await api.get("/health")).json
    assert report["overall_status"] == "healthy"
    assert report["api"]["latency_stats"] == {"mean": None, "p95": None, "p99": None}


async def test_probes_answer(api: Api) -> None:
    """Alive and ready, each with 200."""
    replies = [await api.get(f"/health/{probe}") for probe in ("live", "ready")]
    assert [(reply.status, reply.json["status"]) for reply in replies] == [(200, "alive"), (200, "ready")]


@pytest.mark.parametrize(
    ("change", "check", "status"),
    [
        ({}, None, "healthy"),
        ({"latency_ms_p95": None, "error_rate": None}, None, "healthy"),
        ({"latency_ms_p95": 5000.1}, "api_latency", "degraded"),
        ({"error_rate": 0.051}, "error_rate", "degraded"),
        ({"recommender_degraded": ("embedding_unavailable",)}, "recommender", "degraded"),
        ({"projection_failure": "cannot apply event 7"}, "projections", "unhealthy"),
        ({"disk_free_bytes": DISK_FREE_BYTES_MIN - 1}, "disk", "unhealthy"),
    ],
)
def test_the_verdict_follows_from_the_measurements(change: dict[str, object], check: str | None, status: str) -> None:
    """One measurement out of bounds fails its check; those that put answers or data at stake weigh more."""
    fields = {name: getattr(WELL, name) for name in WELL.__struct_fields__}
    verdict = judge(Observed(**{**fields, **change}), latency_ms_max=5000)
    assert verdict.overall_status == status
    assert [name for name, is_well in verdict.checks.items() if not is_well] == ([check] if check else [])
