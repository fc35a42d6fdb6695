"""/evaluate, /drift and /reports: models measured, data compared, and what was found. Floor 3."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta

from events.catalog import EvaluationReported, Event
from events.event import NO_STREAM, Appended
from events.store import EventStore
from projections.reports import ListedReport, get_report, list_reports
from recsys.drift.profile import ReferenceProfile
from recsys.errors import ReportNotFound
from recsys.evaluation.report_page import STYLE, page
from recsys.http.decoding import explained
from recsys.http.endpoint import POSITION_SECONDS_MAX
from recsys.http.models import required_version
from recsys.http.pages import HTML
from recsys.http.routing import Answer, Call, Route
from recsys.identifiers import Identifier
from recsys.recorded import recorded_events
from recsys.registry import VersionText
from recsys.reports import (
    AnyEvaluation,
    ClassificationEvaluation,
    DriftCheck,
    RankingEvaluation,
    RetrievalEvaluation,
    Task,
    check_drift_request,
    drift_check,
    evaluation,
    kept_profile,
    stream_of,
)
from recsys.services import Services
from recsys.times import iso

LAST_POSITION: Final = 2**53 - 1
PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# One at a time: the largest take ten seconds, and the other threads are for requests for recipes.
measuring: Final = ThreadPoolExecutor(1, thread_name_prefix="measuring")


class EvaluationTask(msgspec.Struct, frozen=True):
    """The field of an evaluation that tells of which kind it is."""

    task: Task


_task_decoder = msgspec.json.Decoder(EvaluationTask)
_decoders: Final[dict[Task, msgspec.json.Decoder[Any]]] = {
    "ranking": msgspec.json.Decoder(RankingEvaluation),
    "classification": msgspec.json.Decoder(ClassificationEvaluation),
    "retrieval": msgspec.json.Decoder(RetrievalEvaluation),
}


class ReportsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reports: of that model, of that version; after: the `next` of the page before."""

    model_id: Identifier | None = None
    version: VersionText | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    after: Annotated[int, Meta(ge=1, le=LAST_POSITION)] = LAST_POSITION


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses. model_version: null where the report is about data alone."""

    report: str
    model_version: str | None


class ReportSummaryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A report in a list. metrics: numbers, null, or a mean with the ends of its 95 % interval.

    validations: the names of its checks. comparisons: of the other models. has_profile: whether POST /drift can take
    it as profile_of.
    """

    report_id: str
    model_id: str | None
    version: str | None
    created_at: str
    metrics: dict[str, Any]
    validations: list[str]
    comparisons: list[str]
    has_profile: bool
    links: Links


class ReportsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Reports, the latest first. next: send it as `after` for the next page; null on the last one."""

    count: int
    reports: list[ReportSummaryAnswer]
    next: int | None


class ReportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A report. metrics: numbers, null, or a mean with the ends of its 95 % interval (`low`, `high`).

    validations: a check's result by its name, `drift` of a check of drift: the evidence of each column. comparisons:
    the other model → measure → the paired test, with its p_value; difference: this model's minus the other's.
    """

    report_id: str
    model_id: str | None
    version: str | None
    created_at: str
    metrics: dict[str, Any]
    validations: dict[str, Any]
    comparisons: dict[str, dict[str, Any]]
    links: Links


def decode_evaluation(body: bytes, _media_type: str) -> AnyEvaluation:
    """Return the evaluation that is asked for, read as its task has it. Raises MalformedRequest, InvalidInput."""
    asked: AnyEvaluation = explained(_decoders[explained(_task_decoder, body).task], body)
    return asked


async def evaluate(services: Services, call: Call) -> Answer:
    asked: AnyEvaluation = call.body

    async def made() -> EvaluationReported:
        await require_version(services, asked.model_id, asked.version)
        return await measured(partial(evaluation, asked, at=services.clock()))

    return await answer_report(services.store, call, made)


async def check_drift(services: Services, call: Call) -> Answer:
    asked: DriftCheck = call.body
    check_drift_request(asked)

    async def made() -> EvaluationReported:
        if asked.model_id is not None and asked.version is not None:
            await require_version(services, asked.model_id, asked.version)
        named = None if asked.profile_of is None else await told_report(services.store, asked.profile_of)
        return await measured(lambda: drift_check(asked, profile_of(named), at=services.clock()))

    return await answer_report(services.store, call, made)


async def require_version(services: Services, model_id: str, version: str) -> None:
    """Raise ModelNotFound or ModelVersionNotFound unless the version is registered, be it a moment ago."""
    await services.runner.wait_until(await services.store.head(), timeout=POSITION_SECONDS_MAX)
    async with services.views.reader() as db:
        await required_version(db, model_id, version)


async def told_report(store: EventStore, report_id: str) -> EvaluationReported:
    """Return the report that `profile_of` names, its profile with it. Raises ReportNotFound."""
    events = await store.read_stream(stream_of(report_id), limit=1)
    if not events:
        raise ReportNotFound(report_id, field="profile_of")
    return report_in(events[0].data)


def profile_of(named: EvaluationReported | None) -> ReferenceProfile | None:
    return None if named is None else kept_profile(named)


async def measured(work: Callable[[], EvaluationReported]) -> EvaluationReported:
    """Return what the work comes to, beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(measuring, work)


async def answer_report(store: EventStore, call: Call, made: Callable[[], Awaitable[EvaluationReported]]) -> Answer:
    """Record the report that `made` gives, and answer with it; a repeated key gets the first one, nothing measured."""
    if call.key is not None and (first := await store.find_key(call.key, fingerprint=call.fingerprint)):
        return created(await first_report(store, first), first.position, is_repeat=True)
    told = await made()
    appended = await store.append(
        stream_of(told.report_id),
        [told],
        metadata=call.metadata,
        expected_version=NO_STREAM,
        key=call.key,
        fingerprint=call.fingerprint,
    )
    if appended.is_repeat:
        told = await first_report(store, appended)
    return created(told, appended.position, is_repeat=appended.is_repeat)


async def first_report(store: EventStore, appended: Appended) -> EvaluationReported:
    [event] = await recorded_events(store, appended)
    return report_in(event.data)


def report_in(event: Event) -> EvaluationReported:
    assert isinstance(event, EvaluationReported)  # nothing else is appended to streams of reports, or under their keys
    return event


def created(told: EvaluationReported, position: int, *, is_repeat: bool) -> Answer:
    return Answer(
        body=report_answer(told),
        status=201,
        position=position,
        is_repeat=is_repeat,
        headers={"Location": report_address(told.report_id)},
    )


async def show_reports(services: Services, call: Call) -> Answer:
    query: ReportsQuery = call.query
    async with services.views.reader() as db:
        listed = await list_reports(
            db, model_id=query.model_id, model_version=query.version, below=query.after, limit=query.limit + 1
        )
    page_of = listed[: query.limit]
    return Answer(
        body=ReportsAnswer(
            count=len(page_of),
            reports=[summary_answer(report) for report in page_of],
            next=page_of[-1].position if len(listed) > query.limit else None,
        )
    )


async def show_report(services: Services, call: Call) -> Answer:
    return Answer(body=report_answer(await require_report(services, call)), headers={"Vary": "Accept"})


async def show_report_page(services: Services, call: Call) -> Answer:
    """Answer with the report as a page that loads nothing and runs nothing."""
    told = await require_report(services, call)
    content = msgspec.structs.asdict(told) | {
        "model_id": told.model_id or "data",
        "version": told.model_version,
        "created_at": iso(told.created_at),
    }
    return Answer(
        body=(await asyncio.to_thread(page, content)).encode(),
        content_type=HTML,
        headers={"Content-Security-Policy": PAGE_POLICY, "Vary": "Accept"},
    )


async def require_report(services: Services, call: Call) -> EvaluationReported:
    async with services.views.reader() as db:
        told = await get_report(db, call.path["report_id"])
    if told is None:
        raise ReportNotFound(call.path["report_id"])
    return told


def report_answer(told: EvaluationReported) -> ReportAnswer:
    return ReportAnswer(
        report_id=told.report_id,
        model_id=told.model_id or None,
        version=told.model_version or None,
        created_at=iso(told.created_at),
        metrics=told.metrics,
        validations=told.validations,
        comparisons=told.comparisons,
        links=links(told.report_id, told.model_id, told.model_version),
    )


def summary_answer(listed: ListedReport) -> ReportSummaryAnswer:
    summary = listed.summary
    return ReportSummaryAnswer(
        report_id=summary.report_id,
        model_id=summary.model_id or None,
        version=summary.model_version or None,
        created_at=iso(summary.created_at),
        metrics=summary.metrics,
        validations=summary.validations,
        comparisons=summary.comparisons,
        has_profile=summary.has_profile,
        links=links(summary.report_id, summary.model_id, summary.model_version),
    )


def links(report_id: str, model_id: str, version: str) -> Links:
    return Links(
        report=report_address(report_id),
        model_version=f"/models/{model_id}/versions/{quote(version)}" if model_id else None,
    )


def report_address(report_id: str) -> str:
    return f"/reports/{report_id}"


REPORTS = ("reports",)
ROUTES = [
    Route(
        method="POST",
        path="/evaluate",
        handler=evaluate,
        summary="Measure a model version, with intervals, and compare it with others; keep the report",
        body=AnyEvaluation,
        decoder=decode_evaluation,
        answer=ReportAnswer,
        statuses=(201,),
    ),
    Route(
        method="POST",
        path="/drift",
        handler=check_drift,
        summary="Compare current data with a baseline, or with a kept profile of one; keep the report",
        body=DriftCheck,
        answer=ReportAnswer,
        statuses=(201,),
    ),
    Route(
        method="GET",
        path="/reports",
        handler=show_reports,
        summary="The reports, the latest first",
        query=ReportsQuery,
        answer=ReportsAnswer,
        views=REPORTS,
    ),
    Route(
        method="GET",
        path="/reports/{report_id}",
        handler=show_report,
        summary="A report, as JSON or as a page",
        answer=ReportAnswer,
        views=REPORTS,
        renderings={HTML: show_report_page},
    ),
]
