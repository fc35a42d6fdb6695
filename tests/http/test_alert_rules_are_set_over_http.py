"""/alerts/rules: rules are made, replaced and removed; a bad one gets a problem that names the field."""

from typing import Any

import pytest

from tests.http.harness import Api, Reply

RULE: dict[str, Any] = {
    "name": "slow",
    "metric": "api_latency_ms",
    "condition": {"kind": "threshold", "statistic": "p99", "threshold": 900},
}


async def delete(api: Api, name: str) -> Reply:
    async with api.session.delete(f"{api.address}/alerts/rules/{name}") as response:
        return Reply(response.status, response.headers, await response.read())


async def names(api: Api, after: Reply) -> list[str]:
    return [rule["name"] for rule in (await api.get_after(after, "/alerts/rules")).json["rules"]]


async def test_a_rule_is_made_and_read_back(api: Api) -> None:
    """What was left out has its default, and the rules of the settings stand beside it."""
    reply = await api.post("/alerts/rules", RULE)
    rules = (await api.get_after(reply, "/alerts/rules")).json
    assert (reply.status, reply.json, rules["is_evaluated"]) == (201, {"name": "slow", "changed": True}, True)
    assert [rule["name"] for rule in rules["rules"]] == ["accuracy_drop", "api_latency", "error_rate", "slow"]
    assert rules["rules"][-1] == {
        **RULE,
        "condition": {**RULE["condition"], "direction": "above"},
        "window_seconds": 300,
        "for_seconds": 60,
        "clear_seconds": 300,
        "severity": "warning",
        "source": "api",
        "set_at": "2024-12-30T15:30:00.000000Z",
    }


@pytest.mark.parametrize(
    "condition",
    [
        {"kind": "absence"},
        {"kind": "anomaly", "method": "iqr", "side": "high"},
        {"kind": "degradation", "baseline": 0.9},
        {"kind": "degradation", "model_id": "hybrid_ranker"},
    ],
)
async def test_each_kind_of_condition_is_taken(api: Api, condition: dict[str, Any]) -> None:
    """All four kinds come back as they were sent, with their defaults."""
    reply = await api.post("/alerts/rules", {**RULE, "condition": condition})
    rules = (await api.get_after(reply, "/alerts/rules")).json["rules"]
    assert condition.items() <= rules[-1]["condition"].items()


@pytest.mark.parametrize(
    ("change", "field", "fix"),
    [
        ({"name": "a b"}, "name", ""),
        ({"metric": None}, "metric", ""),
        ({"severity": "loud"}, "severity", "give critical, info, warning"),
        ({"window_seconds": 5}, "window_seconds", "give `int` >= 10"),
        ({"for_seconds": -1}, "for_seconds", "give `int` >= 0"),
        ({"colour": "red"}, "colour", "remove the field, or correct its name"),
        ({"condition": {"kind": "magic"}}, "condition.kind", "give threshold, absence, anomaly, degradation"),
        ({"condition": {"kind": "threshold", "statistic": "p95"}}, "condition.threshold", "add the field"),
        ({"condition": {"kind": "threshold", "statistic": "p42", "threshold": 1}}, "condition.statistic", ""),
        ({"condition": {"kind": "anomaly", "threshold": 0}}, "condition.threshold", "give `float` > 0.0"),
        ({"condition": {"kind": "absence", "threshold": 0}}, "condition.threshold", ""),
        ({"condition": {"kind": "anomaly"}, "window_seconds": 290}, "window_seconds", "give 300 or more"),
    ],
)
async def test_a_bad_rule_gets_a_problem(api: Api, change: dict[str, Any], field: str, fix: str) -> None:
    """The problem names the field; nothing is recorded."""
    before = await api.services.store.head()
    reply = await api.post("/alerts/rules", {**RULE, **change})
    assert (reply.status, reply.json["code"], reply.json["field"]) == (422, "invalid_input", field)
    assert fix in reply.json["fix"]
    assert await api.services.store.head() == before


async def test_a_rule_is_removed(api: Api) -> None:
    """One that was made and one of the settings are gone; a second time there is none."""
    await api.post("/alerts/rules", RULE)
    assert await names(api, await delete(api, "slow")) == ["accuracy_drop", "api_latency", "error_rate"]
    removed = await delete(api, "error_rate")
    assert (removed.status, removed.json) == (200, {"name": "error_rate"})
    assert await names(api, removed) == ["accuracy_drop", "api_latency"]
    again = await delete(api, "error_rate")
    assert (again.status, again.json["code"], again.json["field"]) == (404, "alert_rule_not_found", "name")


async def test_the_same_rule_again_changes_nothing(api: Api) -> None:
    """Equal content is answered 200 and appends nothing; with the same key, the first answer is given again."""
    first = await api.post("/alerts/rules", RULE, {"Idempotency-Key": "k"})
    again, repeat = (
        await api.post("/alerts/rules", RULE),
        await api.post("/alerts/rules", RULE, {"Idempotency-Key": "k"}),
    )
    assert (again.status, again.json["changed"], again.position) == (200, False, first.position)
    assert (repeat.status, repeat.json, repeat.headers["Idempotent-Replay"]) == (201, first.json, "true")


async def test_unknown_alerts_are_problems(api: Api) -> None:
    """An alert that is none is a 404, a status that is none a 422 that lists them."""
    missing, wrong = await api.get("/alerts/slow-1"), await api.get("/alerts?status=shut")
    assert (missing.status, missing.json["code"]) == (404, "alert_not_found")
    assert (wrong.status, wrong.json["field"], wrong.json["fix"]) == (422, "status", "give open, resolved")
