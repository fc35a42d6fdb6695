"""Retraining jobs that a person asks for. Floor 3."""

from typing import TYPE_CHECKING, Final

from events.catalog import RetrainChecked, RetrainJobCreated
from events.errors import WrongExpectedVersion
from projections.jobs import get_job
from recsys.api.session import METADATA
from recsys.http.retraining import JobAnswer, job_answer
from recsys.retraining.checking import CONFLICT_RETRIES_MAX, appends_of, look, settled_version

if TYPE_CHECKING:
    from recsys.api.session import Session

REASONS: Final = {"manual": "Asked for by hand"}


async def create_job(session: "Session", model_id: str) -> JobAnswer:
    """Return a new job, or the model's open one; of two that race, both get the same. Raises ModelNotFound."""
    for retries_left in reversed(range(CONFLICT_RETRIES_MAX + 1)):
        try:
            return await answered(session, await created_or_open(session, model_id))
        except WrongExpectedVersion:
            if not retries_left:
                raise
    raise AssertionError  # the last try returns or raises


async def created_or_open(session: "Session", model_id: str) -> str:
    """Return the id of the open job, else of a new one. Raises WrongExpectedVersion if another check came between."""
    services = session.services
    version = await settled_version(services, model_id)
    await session.catch_up()
    now = services.clock()
    finding = await look(services, model_id, now=now)
    if finding.open_job is not None:
        return finding.open_job
    job = RetrainJobCreated(job_id=f"{model_id}_{now / 1_000_000}", model_id=model_id, reasons=REASONS)
    check = RetrainChecked(model_id=model_id, needed=True, reasons=REASONS)
    await services.store.append_all(appends_of([check], [job], {model_id: version}), metadata=METADATA)
    return job.job_id


async def answered(session: "Session", job_id: str) -> JobAnswer:
    async with session.reader() as db:
        job = await get_job(db, job_id)
    assert job is not None
    return job_answer(job)
