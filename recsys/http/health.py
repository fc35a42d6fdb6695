"""/health: how the service is, as a report and as two probes. Floor 3."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Final

import apsw
import msgspec

from projections.errors import ViewsUnavailable
from projections.metrics import WindowStats, window
from recsys.http.errors import NotReady
from recsys.http.routing import Answer, Call, Route
from recsys.monitoring.health import HealthStatus, Observed, judge
from recsys.services import Services
from recsys.times import iso

WINDOW_MINUTES: Final = 5  # long enough to be steady, short enough to forget what is over
READY_LAG_MAX: Final = 10_000  # events; a tenth of a second of replay


class LatencyStats(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds; null while there were no requests."""

    mean: float | None
    p95: float | None
    p99: float | None


class ApiHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The recommendations of the last `window_minutes`. error_rate: 0 to 1."""

    api_status: HealthStatus
    window_minutes: int
    request_count: int
    latency_stats: LatencyStats
    error_rate: float | None


class LogHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The event log. head: the position of its last event. sqlite_version: of the library that writes it."""

    head: int
    sqlite_version: str


class ProjectionsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The views. lag: events that they are behind. failure: why they do not move on. notice: why they were rebuilt."""

    position: int
    lag: int
    is_projecting: bool
    failure: str | None
    notice: str | None
    sqlite_version: str


class OutageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A part elsewhere that cannot be used, and that the service does without."""

    name: str
    since: str
    reason: str


class RecommenderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The recommender. degraded: what it has to do without; outages: which parts elsewhere, since when and why.

    unembedded: recipes that are found by their words alone, until the background has embedded them. unindexed: vectors
    that the index has not taken up yet; they are found all the same.
    """

    degraded: list[str]
    outages: list[OutageAnswer]
    unembedded: int
    unindexed: int


class DiskHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The disk that holds the data."""

    free_bytes: int


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is. checks: what was looked at, true where it is well."""

    timestamp: str
    overall_status: HealthStatus
    api: ApiHealth
    checks: dict[str, bool]
    log: LogHealth
    projections: ProjectionsHealth
    recommender: RecommenderHealth
    disk: DiskHealth


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a probe that is content."""

    status: str


async def show_health(services: Services, _call: Call) -> Answer:
    return Answer(body=await health_of(services))


async def health_of(services: Services) -> HealthAnswer:
    """Return how the service is, whether or not its views can be read."""
    now = services.clock()
    latency = errors = None
    failure = services.runner.failure
    try:
        async with services.views.reader() as db:
            latency = await window(db, "api_latency_ms", now=now, window_seconds=WINDOW_MINUTES * 60)
            errors = await window(db, "error_rate", now=now, window_seconds=WINDOW_MINUTES * 60)
    except ViewsUnavailable as error:
        failure = str(error)
    free_bytes = await asyncio.to_thread(disk_free_bytes, services.settings.data_dir)
    error_rate = errors.mean if errors else None
    verdict = judge(
        Observed(
            latency_ms_p95=latency.p95 if latency else None,
            error_rate=error_rate,
            projection_failure=failure,
            recommender_degraded=list(services.recommender.degraded),
            disk_free_bytes=free_bytes,
        ),
        latency_ms_max=services.settings.alert_threshold_latency,
    )
    return HealthAnswer(
        timestamp=iso(now),
        overall_status=verdict.overall_status,
        api=ApiHealth(
            api_status=verdict.api_status,
            window_minutes=WINDOW_MINUTES,
            request_count=latency.count if latency else 0,
            latency_stats=latency_stats(latency),
            error_rate=error_rate,
        ),
        checks=verdict.checks,
        log=LogHealth(head=await services.store.head(), sqlite_version=apsw.sqlite_lib_version()),
        projections=projections_health(services, failure),
        recommender=recommender_health(services),
        disk=DiskHealth(free_bytes=free_bytes),
    )


def recommender_health(services: Services) -> RecommenderHealth:
    recommender = services.recommender
    return RecommenderHealth(
        degraded=list(recommender.degraded),
        outages=[
            OutageAnswer(name=outage.name, since=iso(outage.since), reason=outage.reason)
            for outage in recommender.outages
        ],
        unembedded=recommender.unembedded,
        unindexed=recommender.unindexed,
    )


def disk_free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def latency_stats(latency: WindowStats | None) -> LatencyStats:
    if latency is None:
        return LatencyStats(mean=None, p95=None, p99=None)
    return LatencyStats(mean=latency.mean, p95=latency.p95, p99=latency.p99)


def projections_health(services: Services, failure: str | None) -> ProjectionsHealth:
    runner = services.runner
    return ProjectionsHealth(
        position=services.views.position,
        lag=runner.lag,
        is_projecting=runner.is_projecting,
        failure=failure,
        notice=services.views.notice,
        sqlite_version=sqlite3.sqlite_version,
    )


async def show_liveness(_services: Services, _call: Call) -> Answer:
    return Answer(body=ProbeAnswer(status="alive"))


async def show_readiness(services: Services, _call: Call) -> Answer:
    """Answer 200 once the views follow the log closely. Raises NotReady."""
    if services.runner.failure is not None:
        raise NotReady(f"the views stand still: {services.runner.failure}")
    if services.runner.lag > READY_LAG_MAX:
        raise NotReady(f"the views are {services.runner.lag} events behind the log")
    return Answer(body=ProbeAnswer(status="ready"))


ROUTES = [
    Route(method="GET", path="/health", handler=show_health, summary="How the service is", answer=HealthAnswer),
    Route(
        method="GET",
        path="/health/live",
        handler=show_liveness,
        summary="Whether the process answers",
        answer=ProbeAnswer,
        is_gated=False,
    ),
    Route(
        method="GET",
        path="/health/ready",
        handler=show_readiness,
        summary="Whether requests can be sent here",
        answer=ProbeAnswer,
        is_gated=False,
    ),
]
