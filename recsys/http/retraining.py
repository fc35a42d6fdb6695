"""/retrain: whether models are to be trained again, and the jobs that do it. Floor 3."""

from typing import Annotated

import msgspec
from msgspec import Meta

from projections.jobs import JobStatus, RetrainJob, get_job, list_jobs
from recsys.errors import JobNotFound
from recsys.http.routing import Answer, Call, Route
from recsys.identifiers import Identifier
from recsys.retraining.checking import Checked, Finding, check_models
from recsys.services import Services
from recsys.times import iso


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which models to check; all that are in production when none is named."""

    model_ids: Annotated[list[Identifier], Meta(max_length=100)] = []


class RetrainingNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is to be trained again. reasons: condition → sentence."""

    model_id: str
    reasons: dict[str, str]


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the check led to. models: every condition, met or not; empty where an idempotency key was repeated.

    scheduled_jobs: none for a model whose former job is still open, or where retrain_enabled is false.
    """

    timestamp: str
    models_checked: int
    retraining_needed: list[RetrainingNeeded]
    scheduled_jobs: list[str]
    retrain_enabled: bool
    models: list[Finding]


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which jobs: of that model, of that status."""

    model_id: Identifier | None = None
    status: JobStatus | None = None


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A retraining job; null stands for what has not happened."""

    job_id: str
    model_id: str
    status: JobStatus
    reasons: dict[str, str]
    created_at: str
    started_at: str | None
    ended_at: str | None
    worker: str | None
    new_version: str | None
    metrics: dict[str, float]
    error: str | None


class JobsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Retraining jobs in the order of their creation."""

    count: int
    jobs: list[JobAnswer]


async def check_retraining(services: Services, call: Call) -> Answer:
    request: CheckRequest = call.body
    checked = await check_models(
        services, request.model_ids, metadata=call.metadata, key=call.key, fingerprint=call.fingerprint
    )
    body = check_answer(checked, is_enabled=services.settings.retrain_enabled)
    return Answer(body=body, position=checked.position, is_repeat=checked.is_repeat)


def check_answer(checked: Checked, *, is_enabled: bool) -> CheckAnswer:
    return CheckAnswer(
        timestamp=iso(checked.at),
        models_checked=len(checked.checks),
        retraining_needed=[
            RetrainingNeeded(model_id=check.model_id, reasons=check.reasons) for check in checked.checks if check.needed
        ],
        scheduled_jobs=[job.job_id for job in checked.jobs],
        retrain_enabled=is_enabled,
        models=checked.findings,
    )


async def show_jobs(services: Services, call: Call) -> Answer:
    query: JobsQuery = call.query
    async with services.views.reader() as db:
        jobs = await list_jobs(db, model_id=query.model_id, status=query.status)
    return Answer(body=JobsAnswer(count=len(jobs), jobs=[job_answer(job) for job in jobs]))


async def show_job(services: Services, call: Call) -> Answer:
    job_id = call.path["job_id"]
    async with services.views.reader() as db:
        job = await get_job(db, job_id)
    if job is None:
        raise JobNotFound(job_id)
    return Answer(body=job_answer(job))


def job_answer(job: RetrainJob) -> JobAnswer:
    return JobAnswer(
        job_id=job.job_id,
        model_id=job.model_id,
        status=job.status,
        reasons=job.reasons,
        created_at=iso(job.created_at),
        started_at=None if job.started_at is None else iso(job.started_at),
        ended_at=None if job.ended_at is None else iso(job.ended_at),
        worker=job.worker or None,
        new_version=job.new_version or None,
        metrics=job.metrics,
        error=job.error or None,
    )


JOBS = ("jobs",)
ROUTES = [
    Route(
        method="POST",
        path="/retrain/check",
        handler=check_retraining,
        summary="Check whether models need retraining, and schedule the jobs",
        body=CheckRequest,
        is_body_optional=True,
        answer=CheckAnswer,
    ),
    Route(
        method="GET",
        path="/retrain/jobs",
        handler=show_jobs,
        summary="The retraining jobs",
        query=JobsQuery,
        answer=JobsAnswer,
        views=JOBS,
    ),
    Route(
        method="GET",
        path="/retrain/jobs/{job_id}",
        handler=show_job,
        summary="A retraining job",
        answer=JobAnswer,
        views=JOBS,
    ),
]
