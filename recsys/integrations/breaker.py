"""A circuit breaker: after some failures in a row nothing is asked for a while, then one trial decides. Floor 3."""

from collections.abc import Callable

from recsys.integrations.errors import EndpointUnavailable

FAILURES_MAX = 5
OPEN_SECONDS = 30.0


class CircuitBreaker:
    """Counts failures in a row. clock: seconds, never falling."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.failures = 0
        self.closed_from = 0.0

    def enter(self) -> None:
        """Raise EndpointUnavailable while it is open; when its time is over, the first to enter is the trial."""
        if self.failures < FAILURES_MAX:
            return
        if self.clock() < self.closed_from:
            raise EndpointUnavailable("not asked: it failed several times in a row")
        self.closed_from = self.clock() + OPEN_SECONDS

    def succeeded(self) -> None:
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1
        self.closed_from = self.clock() + OPEN_SECONDS
