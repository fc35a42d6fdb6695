"""Looks at the conditions for retraining and asks for the jobs that they call for. Floor 3; imports the views."""

from collections.abc import Sequence
from typing import Final

import aiosqlite
import msgspec

from events.catalog import RetrainChecked, RetrainJobCreated
from events.errors import WrongExpectedVersion
from events.event import Appended, Metadata, StreamAppend
from events.store import EventStore
from projections.feedback import ratings_since
from projections.jobs import list_jobs, open_job
from projections.metrics import window
from projections.registry import get_model, list_models
from recsys.config import Settings
from recsys.errors import ModelNotFound
from recsys.recorded import recorded_events
from recsys.retraining.triggers import Condition, Facts, Policy, conditions, reasons
from recsys.services import Services

ACCURACY: Final = "accuracy"  # the name of the registered metric, and of the metric window that is its live value
CONFLICT_RETRIES_MAX: Final = 5  # other checks of the same models at the same time
VIEWS_SECONDS_MAX: Final = 5.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for one model. open_job: the job that is under way already, if any."""

    model_id: str
    needed: bool
    open_job: str | None
    conditions: list[Condition]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was recorded. at: microseconds since the epoch. findings: none where a key was repeated."""

    at: int
    checks: list[RetrainChecked]
    jobs: list[RetrainJobCreated]
    position: int
    findings: list[Finding] = []
    is_repeat: bool = False


async def check_models(
    services: Services,
    model_ids: Sequence[str],
    *,
    metadata: Metadata,
    key: str | None = None,
    fingerprint: str = "",
) -> Checked:
    """Check the models, or all that are in production if none is named; record the check and the jobs it leads to.

    Two checks of a model that race make one job. Raises ModelNotFound, ProjectionLag, and what the store raises.
    """
    store = services.store
    if key is not None and (first := await store.find_key(key, fingerprint=fingerprint)):
        return await repeated(store, first)
    for retries_left in reversed(range(CONFLICT_RETRIES_MAX + 1)):
        checked_ids = list(dict.fromkeys(model_ids)) or await models_in_production(services)
        versions = {model_id: await settled_version(services, model_id) for model_id in checked_ids}
        now = services.clock()
        findings = [await look(services, model_id, now=now) for model_id in checked_ids]
        if not findings:
            return Checked(at=now, checks=[], jobs=[], position=await store.head())
        jobs = jobs_called_for(findings, now=now) if services.settings.retrain_enabled else []
        checks = [checked_event(finding) for finding in findings]
        try:
            appended = await store.append_all(
                appends_of(checks, jobs, versions), metadata=metadata, key=key, fingerprint=fingerprint
            )
            break
        except WrongExpectedVersion:
            if not retries_left:
                raise
    if appended.is_repeat:
        return await repeated(store, appended)
    return Checked(at=now, checks=checks, jobs=jobs, position=appended.position, findings=findings)


async def repeated(store: EventStore, first: Appended) -> Checked:
    """Return what the first check under the key recorded."""
    events = await recorded_events(store, first)
    return Checked(
        at=events[0].recorded_at,
        checks=[event.data for event in events if isinstance(event.data, RetrainChecked)],
        jobs=[event.data for event in events if isinstance(event.data, RetrainJobCreated)],
        position=first.position,
        is_repeat=True,
    )


async def models_in_production(services: Services) -> list[str]:
    async with services.views.reader() as db:
        return sorted({version.model_id for version in await list_models(db, status="production")})


async def settled_version(services: Services, model_id: str) -> int:
    """Return the version of the model's check stream when the views show all that it led to."""
    stream = stream_of(model_id)
    version = await services.store.stream_version(stream)
    if version:
        (last,) = await services.store.read_stream(stream, after=version - 1, limit=1)
        await services.runner.wait_until(last.position, timeout=VIEWS_SECONDS_MAX)
    return version


async def look(services: Services, model_id: str, *, now: int) -> Finding:
    """Return the model's conditions. Raises ModelNotFound."""
    async with services.views.reader() as db:
        facts = await facts_of(db, model_id, services.settings, now=now)
        job = await open_job(db, model_id)
    looked_at = conditions(facts, policy_of(services.settings))
    return Finding(
        model_id=model_id,
        needed=bool(reasons(looked_at)),
        open_job=job.job_id if job else None,
        conditions=looked_at,
    )


async def facts_of(db: aiosqlite.Connection, model_id: str, settings: Settings, *, now: int) -> Facts:
    versions = await get_model(db, model_id)
    if not versions:
        raise ModelNotFound(model_id)
    production = next((version for version in versions if version.status == "production"), None)
    trained = await list_jobs(db, model_id=model_id, status="completed")
    trained_at = max((job.ended_at or 0 for job in trained), default=0)
    live = await window(db, ACCURACY, now=now, window_seconds=round(settings.retrain_interval_days * 86_400))
    return Facts(
        now=now,
        deployed_at=production.deployed_at if production else None,
        samples_new=await ratings_since(db, trained_at),
        accuracy_baseline=production.metrics.get(ACCURACY) if production else None,
        accuracy_live=live.mean if live else None,
    )


def policy_of(settings: Settings) -> Policy:
    return Policy(
        interval_days=settings.retrain_interval_days,
        samples_min=settings.retrain_data_threshold,
        accuracy_drop_max=settings.alert_threshold_accuracy_drop,
    )


def jobs_called_for(findings: Sequence[Finding], *, now: int) -> list[RetrainJobCreated]:
    """Return a job for every model that needs one and has none open; its id ends with the Unix time in seconds."""
    return [
        RetrainJobCreated(
            job_id=f"{finding.model_id}_{now / 1_000_000}",
            model_id=finding.model_id,
            reasons=reasons(finding.conditions),
        )
        for finding in findings
        if finding.needed and finding.open_job is None
    ]


def checked_event(finding: Finding) -> RetrainChecked:
    return RetrainChecked(model_id=finding.model_id, needed=finding.needed, reasons=reasons(finding.conditions))


def appends_of(
    checks: Sequence[RetrainChecked], jobs: Sequence[RetrainJobCreated], versions: dict[str, int]
) -> list[StreamAppend]:
    """Return one atomic append: the jobs first, so that whoever sees a check sees its job.

    Each check expects its stream as it was before the views were looked at: of two checks that race, one looks again.
    """
    created = [StreamAppend(f"retrain_job-{job.job_id}", [job]) for job in jobs]
    checked = [StreamAppend(stream_of(check.model_id), [check], versions[check.model_id]) for check in checks]
    return [*created, *checked]


def stream_of(model_id: str) -> str:
    return f"retrain_check-{model_id}"
