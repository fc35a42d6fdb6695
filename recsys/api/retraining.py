"""`auto_scheduler` and `retraining_orchestrator`: retraining for scripts and notebooks. Floor 3."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from recsys.api.frames import frame_of, html_of
from recsys.api.models import model_registry
from recsys.api.runtime import runtime
from recsys.errors import InvalidInput, ModelVersionNotFound
from recsys.http.decoding import converted
from recsys.identifiers import Identifier

if TYPE_CHECKING:
    from projections.jobs import JobStatus
    from recsys.api.session import Session
    from recsys.http.retraining import JobAnswer
    from recsys.retraining.checking import Finding


class AutoScheduler:
    """Checks models, and asks for the jobs that the check calls for."""

    def check_and_schedule_retraining(self, model_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Check the models, or all in production if none is named, and return what POST /retrain/check answers.

        Raises ModelNotFound, InvalidInput.
        """

        async def ask(session: "Session") -> dict[str, Any]:
            from recsys.api.session import METADATA
            from recsys.http.retraining import CheckRequest, check_answer
            from recsys.retraining.checking import check_models

            request = converted({"model_ids": list(model_ids)}, CheckRequest, strict=True)
            await session.points.settle()
            checked = await check_models(session.services, request.model_ids, metadata=METADATA)
            answer = check_answer(checked, is_enabled=session.settings.retrain_enabled)
            return dict(msgspec.to_builtins(answer))

        return runtime.call(ask)


class RetrainingOrchestrator:
    """The conditions for retraining, and the jobs."""

    def check_retrain_needed(self, model_id: str) -> tuple[bool, dict[str, str]]:
        """Return whether a condition is met, and condition → sentence of those that are. Raises ModelNotFound."""

        async def ask(session: "Session") -> "Finding":
            from recsys.retraining.checking import look

            await session.catch_up()
            return await look(session.services, model_id, now=session.services.clock())

        from recsys.retraining.triggers import reasons

        finding = runtime.call(ask)
        return finding.needed, reasons(finding.conditions)

    def create_retrain_job(self, model_id: str) -> "JobAnswer":
        """Return a new job for the model, or the one that is open already: a model is trained by one at a time.

        Raises ModelNotFound, InvalidInput.
        """
        checked_id = converted(model_id, Identifier, place="model_id", strict=True)

        async def ask(session: "Session") -> "JobAnswer":
            from recsys.api.jobs import create_job

            return await create_job(session, checked_id)

        return runtime.call(ask)

    def get_job_status(self, job_id: str) -> "JobAnswer | None":
        """Return the job as it stands, or None."""

        async def ask(session: "Session") -> "JobAnswer | None":
            from projections.jobs import get_job
            from recsys.http.retraining import job_answer

            async with session.reader() as db:
                job = await get_job(db, job_id)
            return None if job is None else job_answer(job)

        return runtime.call(ask)

    def list_jobs(self, model_id: str | None = None, status: "JobStatus | None" = None) -> "list[JobAnswer]":
        """Return all jobs, or those of that model and status, in the order of creation. Raises InvalidInput."""

        async def ask(session: "Session") -> "list[JobAnswer]":
            from projections.jobs import list_jobs
            from recsys.http.retraining import JobsQuery, job_answer

            query = converted({"model_id": model_id, "status": status}, JobsQuery, strict=True)
            async with session.reader() as db:
                return [job_answer(job) for job in await list_jobs(db, model_id=query.model_id, status=query.status)]

        return runtime.call(ask)

    def promote_to_production(self, model_id: str, version: str, *, approval_required: bool = False) -> None:
        """Move a validated version to production; the one that was there is archived.

        Raises ModelVersionNotFound, InvalidTransition, and InvalidInput for approval_required=True.
        """
        if approval_required:
            raise InvalidInput(
                "approvals are not there yet",
                field="approval_required",
                found="True",
                fix="decide, then promote with approval_required=False",
            )
        if not model_registry.update_model_status(model_id, version, "production"):
            raise ModelVersionNotFound(model_id, version)

    def frame(self) -> Any:
        """Return all jobs as a pandas DataFrame."""
        jobs = self.list_jobs()
        from recsys.http.retraining import JobAnswer

        return frame_of(jobs, JobAnswer, times=("created_at", "started_at", "ended_at"))

    def _repr_html_(self) -> str:
        return html_of(self.frame())

    @property
    def execute_retrain(self) -> NoReturn:
        """Not there yet."""
        raise AttributeError("models are not trained here yet: jobs are created, but no worker takes them")


auto_scheduler = AutoScheduler()
retraining_orchestrator = RetrainingOrchestrator()
