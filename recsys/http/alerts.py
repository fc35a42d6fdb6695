"""/alerts: the rules, the alerts that they raised, and who was told of them. Floor 3."""

from typing import Annotated

import msgspec
from msgspec import Meta

from events.catalog import AlertCondition, AlertNotice, AlertSeverity
from projections.alerts import (
    Alert,
    AlertStatus,
    Delivery,
    Outcome,
    deliveries_of,
    get_alert,
    list_alerts,
    stored_rules,
)
from recsys.errors import AlertNotFound
from recsys.http.routing import Answer, Call, Route
from recsys.identifiers import Identifier
from recsys.monitoring.alert_rules import AlertRule, RuleInForce, Source, rules_in_force
from recsys.monitoring.alerts import remove_rule, set_rule
from recsys.services import Services
from recsys.times import iso


class RuleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in force. source: the settings' own, or set over HTTP; set_at: null for those of the settings."""

    name: str
    metric: str
    condition: AlertCondition
    window_seconds: int
    for_seconds: int
    clear_seconds: int
    severity: AlertSeverity
    source: Source
    set_at: str | None


class RulesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force, by name. is_evaluated: false where MONITORING_ENABLED is."""

    count: int
    is_evaluated: bool
    rules: list[RuleAnswer]


class RuleSetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What setting a rule did. changed: false where it was set with the same content."""

    name: str
    changed: bool


class RuleRemovedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that was removed; its alert, if one was open, is resolved."""

    name: str


class AlertsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts: of that status, of that rule; the latest so many."""

    status: AlertStatus | None = None
    rule: Identifier | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class AlertAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An alert. since: when its condition was first met; value: null where nothing was measured.

    resolved_at, resolution: when and why it was resolved; null while it is open.
    """

    alert_id: str
    rule: str
    metric: str
    severity: AlertSeverity
    status: AlertStatus
    since: str
    raised_at: str
    value: float | None
    threshold: float
    explanation: str
    resolved_at: str | None
    resolution: str | None


class AlertsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, the latest first."""

    count: int
    alerts: list[AlertAnswer]


class DeliveryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to tell a receiver. receiver: its host and a digest of its address. given_up: it was the last one."""

    notice: AlertNotice
    receiver: str
    attempt: int
    at: str
    outcome: Outcome
    http_status: int | None
    error: str | None


class AlertHistory(msgspec.Struct, frozen=True, kw_only=True):
    """An alert, and the attempts to tell of it in their order."""

    alert: AlertAnswer
    deliveries: list[DeliveryAnswer]


async def show_rules(services: Services, _call: Call) -> Answer:
    async with services.views.reader() as db:
        rules = rules_in_force(await stored_rules(db), services.settings)
    return Answer(
        body=RulesAnswer(
            count=len(rules),
            is_evaluated=services.settings.monitoring_enabled,
            rules=[rule_answer(of) for of in rules],
        )
    )


def rule_answer(in_force: RuleInForce) -> RuleAnswer:
    rule = in_force.rule
    return RuleAnswer(
        name=rule.name,
        metric=rule.metric,
        condition=rule.condition,
        window_seconds=rule.window_seconds,
        for_seconds=rule.for_seconds,
        clear_seconds=rule.clear_seconds,
        severity=rule.severity,
        source=in_force.source,
        set_at=None if in_force.set_at is None else iso(in_force.set_at),
    )


async def set_alert_rule(services: Services, call: Call) -> Answer:
    rule: AlertRule = call.body
    decided = await set_rule(services, rule, metadata=call.metadata, key=call.key, fingerprint=call.fingerprint)
    return Answer(
        body=RuleSetAnswer(name=rule.name, changed=bool(decided.events)),
        status=201 if decided.events else 200,
        position=decided.position,
        is_repeat=decided.is_repeat,
    )


async def remove_alert_rule(services: Services, call: Call) -> Answer:
    name = call.path["name"]
    decided = await remove_rule(services, name, metadata=call.metadata, key=call.key, fingerprint=call.fingerprint)
    return Answer(body=RuleRemovedAnswer(name=name), position=decided.position, is_repeat=decided.is_repeat)


async def show_alerts(services: Services, call: Call) -> Answer:
    query: AlertsQuery = call.query
    async with services.views.reader() as db:
        alerts = await list_alerts(db, status=query.status, rule=query.rule, limit=query.limit)
    return Answer(body=AlertsAnswer(count=len(alerts), alerts=[alert_answer(alert) for alert in alerts]))


async def show_alert(services: Services, call: Call) -> Answer:
    alert_id = call.path["alert_id"]
    async with services.views.reader() as db:
        alert = await get_alert(db, alert_id)
        deliveries = await deliveries_of(db, alert_id)
    if alert is None:
        raise AlertNotFound(alert_id)
    return Answer(body=AlertHistory(alert=alert_answer(alert), deliveries=[delivery_answer(of) for of in deliveries]))


def alert_answer(alert: Alert) -> AlertAnswer:
    return AlertAnswer(
        alert_id=alert.alert_id,
        rule=alert.rule,
        metric=alert.metric,
        severity=alert.severity,
        status=alert.status,
        since=iso(alert.since),
        raised_at=iso(alert.raised_at),
        value=alert.value,
        threshold=alert.threshold,
        explanation=alert.explanation,
        resolved_at=None if alert.resolved_at is None else iso(alert.resolved_at),
        resolution=alert.resolution or None,
    )


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(
        notice=delivery.notice,
        receiver=delivery.receiver,
        attempt=delivery.attempt,
        at=iso(delivery.at),
        outcome=delivery.outcome,
        http_status=delivery.http_status,
        error=delivery.error or None,
    )


ALERTS = ("alerts",)
ROUTES = [
    Route(
        method="GET",
        path="/alerts/rules",
        handler=show_rules,
        summary="The alert rules in force",
        answer=RulesAnswer,
        views=ALERTS,
    ),
    Route(
        method="POST",
        path="/alerts/rules",
        handler=set_alert_rule,
        summary="Make or replace an alert rule",
        body=AlertRule,
        answer=RuleSetAnswer,
        statuses=(201, 200),
    ),
    Route(
        method="DELETE",
        path="/alerts/rules/{name}",
        handler=remove_alert_rule,
        summary="Remove an alert rule",
        answer=RuleRemovedAnswer,
    ),
    Route(
        method="GET",
        path="/alerts",
        handler=show_alerts,
        summary="The alerts, the latest first",
        query=AlertsQuery,
        answer=AlertsAnswer,
        views=ALERTS,
    ),
    Route(
        method="GET",
        path="/alerts/{alert_id}",
        handler=show_alert,
        summary="An alert, and who was told of it",
        answer=AlertHistory,
        views=ALERTS,
    ),
]
