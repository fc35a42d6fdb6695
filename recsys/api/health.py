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
            from recsys.http.health import show_health
            from recsys.http.routing import Call

            await session.catch_up()
            answer = await show_health(session.services, Call(request_id="", path={}, elapsed_ms=float))
            status: dict[str, Any] = msgspec.to_builtins(answer.body)
            del status["recommender"], status["checks"]["recommender"]
            return status

        return runtime.call(ask)


health_monitor = HealthMonitor()
