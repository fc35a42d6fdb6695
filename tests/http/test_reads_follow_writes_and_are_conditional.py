"""Reads carry an ETag and can wait for the reader's own write."""

import pytest

from projections.views import database_files
from recsys.http.app import API_ROUTES
from recsys.http.kept_answers import KeptAnswer, KeptAnswers
from tests.http.harness import Api, Clock

READS = [
    route.path.format(model_id="hybrid_ranker", version="1.0.0")
    for route in API_ROUTES
    if route.method == "GET"
    and "health" not in route.path
    and "job_id" not in route.path
    and "report_id" not in route.path
    and "recipe" not in route.path
    and "alert_id" not in route.path
]


@pytest.mark.parametrize("path", READS)
async def test_what_has_not_changed_is_not_sent_again(api: Api, path: str) -> None:
    """If-None-Match with the ETag of the last answer gets 304 and no body."""
    registered = await api.register("1.0.0", status="production")
    first = await api.get_after(registered, path)
    again = await api.get(path, {"If-None-Match": first.headers["ETag"]})
    assert first.status == 200
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_change_makes_another_etag(api: Api) -> None:
    """After a write the same If-None-Match gets the new body."""
    registered = await api.register("1.0.0")
    first = await api.get_after(registered, "/models")
    changed = await api.change_status("1.0.0", "validation")
    headers = {"If-None-Match": first.headers["ETag"], "Log-Position": changed.position}
    again = await api.get("/models", headers)
    assert again.status == 200
    assert again.json["models"][0]["status"] == "validation"


async def test_another_view_changing_leaves_the_etag_alone(api: Api) -> None:
    """The registry's ETag follows from the registry, not from the log's head."""
    registered = await api.register("1.0.0")
    first = await api.get_after(registered, "/models")
    recorded = await api.post("/metrics", {"metric": "accuracy", "value": 0.9})
    again = await api.get_after(recorded, "/models")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_every_read_sees_the_readers_own_write(api: Api) -> None:
    """With the Log-Position of each write its effect is in the very next read."""
    for patch in range(20):
        registered = await api.register(f"1.0.{patch}")
        listed = await api.get_after(registered, "/models")
        assert listed.json["count"] == patch + 1


async def test_a_position_that_is_not_reached_is_a_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that waits in vain says so and asks to be sent again."""
    monkeypatch.setattr("recsys.http.endpoint.POSITION_SECONDS_MAX", 0.01)
    late = await api.get("/models", {"Log-Position": "1000000"})
    assert late.status == 503
    assert late.json["code"] == "projection_lag"
    assert late.headers["Retry-After"] == "1"


async def test_a_metric_window_moves_on_with_the_time(api: Api, clock: Clock) -> None:
    """A window's answer is kept for ten seconds at most, although no event changes it."""
    recorded = await api.post("/metrics", {"metric": "accuracy", "value": 0.9})
    now = await api.get_after(recorded, "/metrics?window_minutes=1")
    clock.now += 120_000_000
    later = await api.get("/metrics?window_minutes=1", {"If-None-Match": now.headers["ETag"]})
    assert list(now.json["metrics"]) == ["accuracy"]
    assert (later.status, later.json["metrics"]) == (200, {})


def test_kept_answers_stay_within_their_bounds() -> None:
    """The oldest answers give way when there are too many, or too many bytes of them."""
    kept = KeptAnswers(answers_max=2, bytes_max=10)
    for name, body in (("a", b"aaaa"), ("b", b"bbbb"), ("c", b"cccc")):
        kept.put(name, KeptAnswer(body, "text/plain", '"1"', (1,), {}))
    assert [kept.get(name) is not None for name in "abc"] == [False, True, True]
    kept.put("d", KeptAnswer(b"d" * 9, "text/plain", '"1"', (1,), {}))
    assert [kept.get(name) is not None for name in "bcd"] == [False, False, True]


async def test_views_that_are_built_anew_are_never_read_as_empty(api: Api) -> None:
    """While the deleted views are built anew, a read waits or gets a 503, and no list without the models."""
    await api.get_after(await api.register("1.0.0"), "/models")
    for file in database_files(api.services.views.path):
        file.unlink(missing_ok=True)
    is_new = False
    while not is_new:
        is_new = api.services.views.path.exists()
        answer = await api.get("/models")
        assert answer.status == 503 or answer.json["count"] == 1
