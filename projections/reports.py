"""The reports view: what evaluations and checks of drift found. Floor 2."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import aiosqlite
import msgspec

from events.catalog import EvaluationReported, Event
from events.codec import encode
from events.event import RecordedEvent
from projections.rows import write_rows

UPSERT_REPORT = """
INSERT INTO reports (report_id, model_id, model_version, summary, report, position)
VALUES ?
ON CONFLICT (report_id) DO UPDATE SET
    model_id = excluded.model_id, model_version = excluded.model_version, summary = excluded.summary,
    report = excluded.report, position = excluded.position
"""


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of a report. created_at: microseconds since the epoch.

    validations: the names of its checks. comparisons: those of the other models. has_profile: whether it keeps one.
    """

    report_id: str
    model_id: str
    model_version: str
    created_at: int
    metrics: dict[str, Any]
    validations: list[str]
    comparisons: list[str]
    has_profile: bool


decode_summary = msgspec.json.Decoder(ReportSummary).decode
decode_report = msgspec.json.Decoder(EvaluationReported).decode


class ReportsProjection:
    """The reports, from EvaluationReported; a later one of the same id replaces the earlier."""

    name = "reports"
    schema_version = 1
    tables: tuple[str, ...] = ("reports",)
    event_types: frozenset[type[Event]] = frozenset({EvaluationReported})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's reports; True if there were any."""
        rows = [
            report_row(event.position, event.data) for event in events if isinstance(event.data, EvaluationReported)
        ]
        write_rows(connection, UPSERT_REPORT, rows)
        return bool(rows)


def report_row(position: int, told: EvaluationReported) -> tuple[str, str, str, bytes, bytes, int]:
    report = msgspec.structs.replace(told, profile={})  # up to megabytes, and only the next check asks for it
    return told.report_id, told.model_id, told.model_version, encode(summary_of(told)), encode(report), position


def summary_of(told: EvaluationReported) -> ReportSummary:
    return ReportSummary(
        report_id=told.report_id,
        model_id=told.model_id,
        model_version=told.model_version,
        created_at=told.created_at,
        metrics=told.metrics,
        validations=list(told.validations),
        comparisons=list(told.comparisons),
        has_profile=bool(told.profile),
    )


class ListedReport(msgspec.Struct, frozen=True):
    """A report in a list. position: of the event that told it."""

    summary: ReportSummary
    position: int


async def list_reports(
    db: aiosqlite.Connection, *, model_id: str | None, model_version: str | None, below: int, limit: int
) -> list[ListedReport]:
    """Return at most `limit` reports told below that position, the latest first; of the model and version, if given."""
    query = """
        SELECT summary, position
        FROM reports
        WHERE position < ?1 AND (?2 IS NULL OR model_id = ?2) AND (?3 IS NULL OR model_version = ?3)
        ORDER BY position DESC
        LIMIT ?4
    """
    rows = await db.execute_fetchall(query, (below, model_id, model_version, limit))
    return [ListedReport(decode_summary(summary), position) for summary, position in rows]


async def get_report(db: aiosqlite.Connection, report_id: str) -> EvaluationReported | None:
    """Return the report, its profile left out; None if there is none of that id."""
    async with db.execute("SELECT report FROM reports WHERE report_id = ?", (report_id,)) as cursor:
        row = await cursor.fetchone()
    return decode_report(row[0]) if row else None
