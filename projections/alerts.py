"""The alerts view: the rules that were set, the alerts that they raised, and who was told of them. Floor 2."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import aiosqlite
import msgspec

from events.catalog import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertNotice,
    AlertRaised,
    AlertResolved,
    AlertRuleRemoved,
    AlertRuleSet,
    AlertSeverity,
    Event,
)
from events.codec import encode
from events.event import RecordedEvent

AlertStatus = Literal["open", "resolved"]
Outcome = Literal["delivered", "failed", "given_up"]
decode_rule = msgspec.json.Decoder(AlertRuleSet).decode

UPSERT_RULE = """
INSERT INTO alert_rules (rule, content, set_at, position)
VALUES (?, ?, ?, ?)
ON CONFLICT (rule) DO UPDATE SET content = excluded.content, set_at = excluded.set_at, position = excluded.position
"""
INSERT_ALERT = """
INSERT INTO alerts (
    alert_id, rule, metric, severity, since, raised_at, value, threshold, explanation, resolution, position
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?)
ON CONFLICT (alert_id) DO NOTHING
"""
RESOLVE = "UPDATE alerts SET resolved_at = ?, resolution = ? WHERE alert_id = ?"
INSERT_DELIVERY = """
INSERT INTO alert_deliveries (alert_id, notice, receiver, attempt, outcome, http_status, error, at, position)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (position) DO NOTHING
"""
SELECT_ALERTS = """
SELECT alert_id, rule, metric, severity, since, raised_at, value, threshold, explanation, resolved_at, resolution
FROM alerts
"""


class AlertsProjection:
    """Rules, alerts and deliveries, from the events whose names begin with Alert."""

    name = "alerts"
    schema_version = 1
    tables: tuple[str, ...] = ("alert_rules", "alerts", "alert_deliveries")
    event_types: frozenset[type[Event]] = frozenset(
        {AlertRuleSet, AlertRuleRemoved, AlertRaised, AlertResolved, AlertDelivered, AlertDeliveryFailed}
    )

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store what the batch says of the alerts; True if it said anything."""
        changes = [change for event in events if (change := alert_change(event)) is not None]
        for statement, row in changes:
            connection.execute(statement, row)
        return bool(changes)


def alert_change(event: RecordedEvent) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement and values that apply the event; None if it is not about alerts."""
    at, position = event.recorded_at, event.position
    match event.data:
        case AlertRuleSet(rule=rule) as content:
            return UPSERT_RULE, (rule, encode(content), at, position)
        case AlertRuleRemoved(rule=rule):
            return UPSERT_RULE, (rule, None, at, position)
        case AlertRaised() as raised:
            subject = (raised.alert_id, raised.rule, raised.metric, raised.severity, raised.since, at)
            return INSERT_ALERT, (*subject, raised.value, raised.threshold, raised.explanation, position)
        case AlertResolved(alert_id=alert_id, explanation=explanation):
            return RESOLVE, (at, explanation, alert_id)
        case AlertDelivered(http_status=http_status) as done:
            return INSERT_DELIVERY, (*attempt_key(done), "delivered", http_status, "", at, position)
        case AlertDeliveryFailed(error=error, is_final=is_final) as failed:
            outcome = "given_up" if is_final else "failed"
            return INSERT_DELIVERY, (*attempt_key(failed), outcome, None, error, at, position)
    return None


def attempt_key(attempt: AlertDelivered | AlertDeliveryFailed) -> tuple[str, str, str, int]:
    return attempt.alert_id, attempt.notice, attempt.receiver, attempt.attempt


class StoredRule(NamedTuple):
    """A rule as it was last set. content: None where it was removed. set_at: microseconds since the Unix epoch."""

    name: str
    content: AlertRuleSet | None
    set_at: int


class Alert(msgspec.Struct, frozen=True, gc=False):
    """An alert. Times: microseconds since the Unix epoch; resolved_at: None while it is open.

    since: when the condition was first met. value: None where nothing was measured. resolution: why it was resolved.
    """

    alert_id: str
    rule: str
    metric: str
    severity: AlertSeverity
    since: int
    raised_at: int
    value: float | None
    threshold: float
    explanation: str
    resolved_at: int | None
    resolution: str

    @property
    def status(self) -> AlertStatus:
        return "open" if self.resolved_at is None else "resolved"


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One attempt to tell a receiver. http_status: None where it did not take the notice. at: microseconds."""

    notice: AlertNotice
    receiver: str
    attempt: int
    at: int
    outcome: Outcome
    http_status: int | None
    error: str


class DueNotice(NamedTuple):
    """A notice that a receiver has not taken yet. failed_at: of the last attempt, 0 before the first; microseconds."""

    alert_id: str
    notice: AlertNotice
    attempts: int
    failed_at: int


async def stored_rules(db: aiosqlite.Connection) -> list[StoredRule]:
    """Return all rules that were ever set or removed, by name."""
    rows = await db.execute_fetchall("SELECT rule, content, set_at FROM alert_rules ORDER BY rule")
    return [StoredRule(name, None if content is None else decode_rule(content), at) for name, content, at in rows]


async def list_alerts(
    db: aiosqlite.Connection, *, status: AlertStatus | None = None, rule: str | None = None, limit: int
) -> list[Alert]:
    """Return at most `limit` alerts, those of that status and rule, the latest first."""
    of_status = {None: "true", "open": "resolved_at IS NULL", "resolved": "resolved_at IS NOT NULL"}[status]
    condition = f"WHERE {of_status} AND rule = coalesce(?, rule) ORDER BY position DESC LIMIT ?"
    return [Alert(*row) for row in await db.execute_fetchall(SELECT_ALERTS + condition, (rule, limit))]


async def get_alert(db: aiosqlite.Connection, alert_id: str) -> Alert | None:
    """Return that alert, or None."""
    rows = await db.execute_fetchall(f"{SELECT_ALERTS} WHERE alert_id = ?", (alert_id,))
    return next((Alert(*row) for row in rows), None)


async def deliveries_of(db: aiosqlite.Connection, alert_id: str) -> list[Delivery]:
    """Return the attempts to tell of that alert, in their order."""
    query = """
        SELECT notice, receiver, attempt, at, outcome, http_status, error
        FROM alert_deliveries
        WHERE alert_id = ?
        ORDER BY position
    """
    return [Delivery(*row) for row in await db.execute_fetchall(query, (alert_id,))]


async def due_notices(db: aiosqlite.Connection, receiver: str, *, since: int, limit: int) -> list[DueNotice]:
    """Return the notices since that time (microseconds) which the receiver neither took nor was given up on.

    The oldest first; of one alert only the first, so that nobody hears of its end before its beginning.
    """
    query = """
        WITH notices AS (
            SELECT alert_id, 'raised' AS notice, raised_at AS noticed_at FROM alerts WHERE raised_at >= ?1
            UNION ALL
            SELECT alert_id, 'resolved', resolved_at FROM alerts WHERE resolved_at >= ?1
        ),
        due AS (
            SELECT alert_id, notice, noticed_at, count(attempt) AS attempts, coalesce(max(at), 0) AS failed_at
            FROM notices
            LEFT JOIN (SELECT * FROM alert_deliveries WHERE receiver = ?2) USING (alert_id, notice)
            GROUP BY alert_id, notice
            HAVING coalesce(sum(outcome != 'failed'), 0) = 0
        )
        SELECT alert_id, min(notice), attempts, failed_at  -- SQLite: the others are of the row of the least notice
        FROM due
        GROUP BY alert_id
        ORDER BY noticed_at, alert_id
        LIMIT ?3
    """
    return [DueNotice(*row) for row in await db.execute_fetchall(query, (since, receiver, limit))]
