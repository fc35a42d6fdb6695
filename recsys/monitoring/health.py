"""What the measurements say about the service's health: a pure judgement. Floor 3; imports nothing of ours."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

HealthStatus = Literal["healthy", "degraded", "unhealthy"]

ERROR_RATE_MAX: Final = 0.05  # one request in twenty
DISK_FREE_BYTES_MIN: Final = 100 * 2**20  # minutes of appends at full rate


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. latency_ms_p95 and error_rate (0 to 1): None while there were no requests."""

    latency_ms_p95: float | None
    error_rate: float | None
    projection_failure: str | None
    recommender_degraded: Sequence[str]
    disk_free_bytes: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """unhealthy: answers or data are at stake; degraded: answers are slower or poorer than they should be."""

    overall_status: HealthStatus
    api_status: HealthStatus
    checks: dict[str, bool]


def judge(observed: Observed, *, latency_ms_max: float) -> Verdict:
    """Return the verdict. Without requests nothing speaks against the API: it is healthy."""
    api_checks = {
        "api_latency": observed.latency_ms_p95 is None or observed.latency_ms_p95 <= latency_ms_max,
        "error_rate": observed.error_rate is None or observed.error_rate <= ERROR_RATE_MAX,
    }
    vital_checks = {
        "projections": observed.projection_failure is None,
        "disk": observed.disk_free_bytes >= DISK_FREE_BYTES_MIN,
    }
    checks = {**api_checks, "recommender": not observed.recommender_degraded, **vital_checks}
    return Verdict(
        overall_status=overall(checks.values(), vital_checks.values()),
        api_status="healthy" if all(api_checks.values()) else "degraded",
        checks=checks,
    )


def overall(checks: Iterable[bool], vital_checks: Iterable[bool]) -> HealthStatus:
    if not all(vital_checks):
        return "unhealthy"
    return "healthy" if all(checks) else "degraded"
