"""GET /metrics: what the recorded metrics came to over a window of time, and all there is for a scraper. Floor 3."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from projections.metrics import WindowStats, all_windows
from recsys.http.routing import Answer, Call, Route
from recsys.http.scrape import RENDERINGS
from recsys.services import Services

MINUTES_MAX: Final = 366 * 24 * 60
BUCKET_SECONDS: Final = 10  # the finest resolution of the view: within it, a window's answer only changes with the view


class MetricsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window: the last so many minutes, up to a year."""

    window_minutes: Annotated[int, Meta(ge=1, le=MINUTES_MAX)] = 60


class MetricsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics by metric; a metric without points in the window is absent. timestamp: seconds since the epoch."""

    timestamp: float
    window_minutes: int
    metrics: dict[str, WindowStats]


async def show_metrics(services: Services, call: Call) -> Answer:
    query: MetricsQuery = call.query
    now = services.clock()
    async with services.views.reader() as db:
        windows = await all_windows(db, now=now, window_seconds=query.window_minutes * 60)
    return Answer(
        body=MetricsAnswer(timestamp=now / 1_000_000, window_minutes=query.window_minutes, metrics=windows),
        headers={"Vary": "Accept"},
    )


ROUTES = [
    Route(
        method="GET",
        path="/metrics",
        handler=show_metrics,
        summary="Statistics of all metrics over the last minutes",
        query=MetricsQuery,
        answer=MetricsAnswer,
        views=("metrics",),
        fresh_seconds=BUCKET_SECONDS,
        renderings=RENDERINGS,
    )
]
