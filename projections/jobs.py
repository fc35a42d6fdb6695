"""The jobs view: the retrain jobs, and how each of them stands. Floor 2."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

import aiosqlite
import msgspec

from events.catalog import Event, RetrainJobCompleted, RetrainJobCreated, RetrainJobFailed, RetrainJobStarted
from events.codec import encode
from events.event import RecordedEvent

JobStatus = Literal["pending", "running", "completed", "failed"]

CREATE = """
INSERT INTO retrain_jobs (
    job_id, model_id, status, reasons, created_at, worker, new_version, metrics, error, position, event_id
)
VALUES (?, ?, 'pending', ?, ?, '', '', '{}', '', ?, ?)
ON CONFLICT (job_id) DO NOTHING
"""
START = "UPDATE retrain_jobs SET status = 'running', started_at = ?, worker = ? WHERE job_id = ?"
COMPLETE = "UPDATE retrain_jobs SET status = 'completed', ended_at = ?, new_version = ?, metrics = ? WHERE job_id = ?"
FAIL = "UPDATE retrain_jobs SET status = 'failed', ended_at = ?, error = ? WHERE job_id = ?"
SELECT_JOBS = """
SELECT
    job_id, model_id, status, reasons, created_at, started_at, ended_at, worker, new_version, metrics, error,
    position, event_id
FROM retrain_jobs
"""


class JobsProjection:
    """The retrain jobs, from RetrainJobCreated, -Started, -Completed and -Failed."""

    name = "jobs"
    schema_version = 1
    tables: tuple[str, ...] = ("retrain_jobs",)
    event_types: frozenset[type[Event]] = frozenset(
        {RetrainJobCreated, RetrainJobStarted, RetrainJobCompleted, RetrainJobFailed}
    )

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store how the batch's jobs stand; True if there were any."""
        changes = [change for event in events if (change := job_change(event)) is not None]
        return sum(connection.execute(statement, row).rowcount for statement, row in changes) > 0


def job_change(event: RecordedEvent) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement and values that apply the event; None if it is not about a job."""
    match event.data:
        case RetrainJobCreated(job_id=job_id, model_id=model_id, reasons=reasons):
            row = (job_id, model_id, encode(reasons).decode(), event.recorded_at, event.position, event.event_id)
            return CREATE, row
        case RetrainJobStarted(job_id=job_id, worker=worker):
            return START, (event.recorded_at, worker, job_id)
        case RetrainJobCompleted(job_id=job_id, new_version=new_version, metrics=metrics):
            return COMPLETE, (event.recorded_at, new_version, encode(metrics).decode(), job_id)
        case RetrainJobFailed(job_id=job_id, error=error):
            return FAIL, (event.recorded_at, error, job_id)
    return None


class RetrainJob(msgspec.Struct, frozen=True, gc=False):
    """A retrain job. Times: microseconds since the Unix epoch, UTC; None for what has not happened.

    reasons: condition → sentence. position, event_id: of its creation.
    """

    job_id: str
    model_id: str
    status: JobStatus
    reasons: dict[str, str]
    created_at: int
    started_at: int | None
    ended_at: int | None
    worker: str
    new_version: str
    metrics: dict[str, float]
    error: str
    position: int
    event_id: str


async def list_jobs(
    db: aiosqlite.Connection, *, model_id: str | None = None, status: JobStatus | None = None
) -> list[RetrainJob]:
    """Return all jobs, or those of that model and status, in the order of creation."""
    condition = "WHERE (?1 IS NULL OR model_id = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY position"
    return await jobs(db, condition, (model_id, status))


async def get_job(db: aiosqlite.Connection, job_id: str) -> RetrainJob | None:
    """Return that job, or None."""
    return next(iter(await jobs(db, "WHERE job_id = ?", (job_id,))), None)


async def open_job(db: aiosqlite.Connection, model_id: str) -> RetrainJob | None:
    """Return the model's earliest job that is pending or running, or None."""
    condition = "WHERE model_id = ? AND status IN ('pending', 'running') ORDER BY position LIMIT 1"
    return next(iter(await jobs(db, condition, (model_id,))), None)


async def jobs(db: aiosqlite.Connection, condition: str, parameters: tuple[Any, ...]) -> list[RetrainJob]:
    return [retrain_job(row) for row in await db.execute_fetchall(SELECT_JOBS + condition, parameters)]


def retrain_job(row: sqlite3.Row) -> RetrainJob:
    values = list(row)
    for json_column in (3, 9):
        values[json_column] = msgspec.json.decode(values[json_column])
    return RetrainJob(*values)
