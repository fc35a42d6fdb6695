"""No route waits for the disk on the event loop, and a large body does not hold up the others."""

import asyncio

import pytest
from blockbuster import blockbuster_ctx

from tests.http.harness import Api, store_recipes

BODIES = {
    "/models": {"model_id": "m", "model_type": "hybrid", "version": "1.0.0", "status": "production"},
    "/models/m/versions/1.0.0/status": {"status": "archived"},
    "/metrics": [{"metric": "m", "value": 1}],
    "/recommend": {"query": "pollo"},
    "/retrain/check": {"model_ids": ["m"]},
    "/evaluate": {"model_id": "m", "version": "1.0.0", "task": "ranking", "y_true": [1, 0], "y_pred": [0.5, 0.1]},
    "/drift": {"baseline": {"minutes": [10, 20]}, "current": {"minutes": [10, 30]}},
}
READS = [
    "/health",
    "/metrics",
    "/models",
    "/models/m",
    "/events",
    "/retrain/jobs",
    "/reports",
    "/recipes/test-sopa",
    "/docs",
    "/",
]


async def test_no_route_blocks(api: Api) -> None:
    """With every blocking call on the loop made an error, all routes answer."""
    await api.services.runner.wait_until(await store_recipes(api.services), timeout=5)
    with blockbuster_ctx(scanned_modules=["recsys", "projections", "events"]):
        for path, body in BODIES.items():
            written = await api.post(path, body)
            assert written.status in {200, 201}, (path, written.raw)
            await api.get_after(written, "/models")
        assert {path: (await api.get(path)).status for path in READS} == dict.fromkeys(READS, 200)


async def test_a_large_body_is_decoded_beside_the_loop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 points are decoded in a thread: another request is answered meanwhile."""
    in_thread = []
    to_thread = asyncio.to_thread

    async def watched(function: object, *arguments: object) -> object:
        in_thread.append(function)
        return await to_thread(function, *arguments)  # type: ignore[arg-type]  # any function, as the real one

    monkeypatch.setattr("recsys.http.endpoint.asyncio.to_thread", watched)
    points = [{"metric": "m", "value": value} for value in range(10_000)]
    recorded, probe = await asyncio.gather(api.post("/metrics", points), api.get("/health/live"))
    assert (recorded.status, probe.status) == (201, 200)
    assert len(in_thread) == 1
