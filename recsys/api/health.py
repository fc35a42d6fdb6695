"""`health_monitor`: the health of the service as scripts and notebooks ask for it. Floor 3."""

from typing import TYPE_CHECKING, Any

import msgspec

from recsys.api.runtime import runtime

if TYPE_CHECKING:
    from recsys.api.session import Session


class HealthMonitor:
    """How the service is, as the log tells."""

    def get_system_status(self) -> dict[str, Any]:
        """Return what GET /health answers, but for the recommender: that is a part of the server's process."""

        async def ask(session: "Session") -> dict[str, Any]:
            from recsys.http.health import health_of

            await session.catch_up()
            status: dict[str, Any] = msgspec.to_builtins(await health_of(session.services))
            del status["recommender"], status["checks"]["recommender"]
            return status

        return runtime.call(ask)


health_monitor = HealthMonitor()
