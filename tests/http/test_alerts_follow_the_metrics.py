"""From points in the log to alerts over HTTP, by the clock of the test; two processes raise an alert once."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from events.catalog import AlertRaised
from recsys.http.alerts import show_rules
from recsys.http.routing import Call
from recsys.monitoring.alerts import Evaluator, run_alerts
from tests.http.harness import Api, Clock

SECOND = 1_000_000
RULE: dict[str, Any] = {
    "name": "slow",
    "metric": "lag",
    "condition": {"kind": "threshold", "statistic": "max", "threshold": 5},
    "window_seconds": 10,
    "for_seconds": 10,
    "clear_seconds": 10,
}


async def set_rule(api: Api, **change: Any) -> None:
    await api.get_after(await api.post("/alerts/rules", {**RULE, **change}), "/alerts/rules")


async def record(api: Api, *values: float, metric: str = "lag") -> None:
    points = [{"metric": metric, "value": value} for value in values]
    await api.get_after(await api.post("/metrics", points), "/metrics")


async def look(evaluator: Evaluator) -> None:
    """Look once, and wait until the views show what came of it."""
    await evaluator.look()
    services = evaluator.services
    await services.runner.wait_until(await services.store.head(), timeout=5)


async def looks(api: Api, clock: Clock, evaluator: Evaluator, values: list[float]) -> None:
    """Look at one value after the other, twenty seconds apart."""
    for value in values:
        clock.now += 20 * SECOND
        await record(api, value)
        await look(evaluator)


async def test_an_alert_begins_and_ends(api: Api, clock: Clock) -> None:
    """It is open with its evidence while the metric is high, and resolved when that was over for long enough."""
    await set_rule(api)
    evaluator = Evaluator(api.services)
    await looks(api, clock, evaluator, [9, 9])
    (alert,) = (await api.get("/alerts?status=open")).json["alerts"]
    assert (alert["alert_id"], alert["value"], alert["threshold"]) == ("slow-1", 9.0, 5.0)
    assert alert["since"] == "2024-12-30T15:30:20.000000Z"
    assert alert["raised_at"] == "2024-12-30T15:30:40.000000Z"
    await looks(api, clock, evaluator, [1, 1])
    shown = (await api.get("/alerts/slow-1")).json
    assert (shown["alert"]["status"], shown["alert"]["resolution"]) == (
        "resolved",
        "max of lag over 10 s is not above 5: 1",
    )
    assert (await api.get("/alerts?status=open")).json["count"] == 0


async def test_two_processes_raise_it_once(api: Api, clock: Clock) -> None:
    """Both have seen the condition hold, and both decide at once: the stream's version lets one through."""
    await set_rule(api)
    evaluators = [Evaluator(api.services), Evaluator(replace(api.services))]
    for _ in range(4):
        clock.now += 20 * SECOND
        await record(api, 9)
        await asyncio.gather(*(evaluator.look() for evaluator in evaluators))
    events = await api.services.store.read_stream("alert-slow")
    assert sum(isinstance(event.data, AlertRaised) for event in events) == 1


async def test_a_removed_rule_leaves_no_open_alert(api: Api, clock: Clock) -> None:
    """Its alert is resolved with it, and nothing is raised any more."""
    await set_rule(api)
    evaluator = Evaluator(api.services)
    await looks(api, clock, evaluator, [9, 9])
    async with api.session.delete(f"{api.address}/alerts/rules/slow"):
        pass
    await looks(api, clock, evaluator, [9, 9])
    (alert,) = (await api.get("/alerts")).json["alerts"]
    assert (alert["status"], alert["resolution"]) == ("resolved", "its rule was removed")


async def test_absence_is_noticed(api: Api, clock: Clock) -> None:
    """A metric that falls silent raises an alert; its next point is the beginning of the end."""
    await set_rule(api, condition={"kind": "absence"}, clear_seconds=0)
    evaluator = Evaluator(api.services)
    for _ in range(2):
        clock.now += 20 * SECOND
        await look(evaluator)
    assert (await api.get("/alerts?status=open")).json["alerts"][0]["explanation"] == "lag has no points in 10 s"
    await looks(api, clock, evaluator, [1])
    assert (await api.get("/alerts?status=open")).json["count"] == 0


async def test_an_anomaly_is_noticed(api: Api, clock: Clock) -> None:
    """Of thirty parts the last one stands out: each part is one bucket of ten seconds, and holds its own points."""
    await set_rule(api, condition={"kind": "anomaly"}, window_seconds=300, for_seconds=0)
    evaluator = Evaluator(api.services)
    for value in [10, 11, 12, 11] * 7 + [30]:
        await record(api, value)
        clock.now += 10 * SECOND
    await look(evaluator)
    (alert,) = (await api.get("/alerts")).json["alerts"]
    assert alert["explanation"].startswith("lag in the last 10 s stands out: mean 30, ")


async def test_accuracy_is_held_against_what_was_registered(api: Api, clock: Clock) -> None:
    """The settings' own rule: live accuracy 10 % below that of the version in production, where 5 % are allowed."""
    registered = await api.register("1.0.0", status="production", metrics={"accuracy": 0.9})
    await api.get_after(registered, "/models")
    evaluator = Evaluator(api.services)
    for _ in range(4):
        clock.now += 30 * SECOND
        await record(api, 0.81, metric="accuracy")
        await look(evaluator)
    (alert,) = (await api.get("/alerts?rule=accuracy_drop")).json["alerts"]
    assert alert["value"] == pytest.approx(0.1)


async def test_the_task_looks_by_itself(api: Api) -> None:
    """In the process that leads the projections nobody has to ask for an alert."""
    await set_rule(api, for_seconds=0)
    await record(api, 9)
    head = await api.services.store.head()
    alerting = asyncio.create_task(run_alerts(api.services), name="alerts")
    await api.services.runner.wait_until(head + 1, timeout=5)
    alerting.cancel()
    await asyncio.gather(alerting, return_exceptions=True)
    assert [alert["alert_id"] for alert in (await api.get("/alerts")).json["alerts"]] == ["slow-1"]


async def test_monitoring_can_be_turned_off(api: Api) -> None:
    """With MONITORING_ENABLED=false the task ends at once, and the rules say that nobody looks at them."""
    await set_rule(api, for_seconds=0)
    await record(api, 9)
    settings = msgspec.structs.replace(api.services.settings, monitoring_enabled=False)
    services = replace(api.services, settings=settings)
    async with asyncio.timeout(5):
        await run_alerts(services)
    rules = msgspec.to_builtins((await show_rules(services, Call(request_id="", path={}, elapsed_ms=float))).body)
    assert (rules["is_evaluated"], (await api.get("/alerts")).json["count"]) == (False, 0)
