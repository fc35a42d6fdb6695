"""What a scraper is told about the service: requests, recorded metrics, models, log, views and process. Floor 3."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiosqlite
import apsw

from projections.buckets import Moments
from projections.errors import ViewsUnavailable
from projections.metrics import WindowStats, all_time, count_series, first_series, window
from projections.registry import ModelVersion, list_models
from recsys.http.health import WINDOW_MINUTES, disk_free_bytes
from recsys.http.routing import Answer, Call, Handler
from recsys.monitoring.openmetrics import OPENMETRICS, PROMETHEUS_TEXT, Family, Sample, label_names, render, summary
from recsys.monitoring.process import process_families
from recsys.services import Services

SERIES_MAX: Final = 500  # a scrape of them takes about 5 ms and 50 kB, and Prometheus keeps each for weeks
DATABASES: Final = ("log", "views")
# The metrics that each request adds to, as summaries: name, family, unit, how many of the metric's unit make one of it.
SUMMARIES: Final = (
    ("api_latency_ms", "recsys_request_duration_seconds", "seconds", 1000, "What requests for recommendations took."),
    ("embedding_latency_ms", "recsys_embedding_duration_seconds", "seconds", 1000, "What embedding the request took."),
    (
        "translation_latency_ms", "recsys_translation_duration_seconds", "seconds", 1000,
        "What understanding and translating the request took.",
    ),
    ("num_recipes", "recsys_recipes_served", "", 1, "Recipes that a request was answered with."),
)  # fmt: skip
COUNTERS: Final = (
    ("request_count", "recsys_requests", "Requests for recommendations: the sum of the metric request_count."),
    ("error_rate", "recsys_request_errors", "Those of them that failed: the sum of the metric error_rate."),
)
OWN: Final = tuple(row[0] for row in (*SUMMARIES, *COUNTERS))


def scraped_as(content_type: str) -> Handler:
    """Return the handler that answers a scraper in that format."""

    async def show(services: Services, _call: Call) -> Answer:
        families = [
            *await view_families(services),
            *recommender_families(services),
            *projection_families(services, await services.store.head()),
            *await asyncio.to_thread(file_families, services.settings.data_dir),
            *await asyncio.to_thread(process_families),
        ]
        return Answer(body=render(families, content_type), content_type=content_type, headers={"Vary": "Accept"})

    return show


RENDERINGS: Final = {content_type: scraped_as(content_type) for content_type in (OPENMETRICS, PROMETHEUS_TEXT)}


async def view_families(services: Services) -> list[Family]:
    """Return what the views know; nothing while they are built anew, lest every counter seem to begin again."""
    if not services.runner.is_readable:
        return []
    try:
        async with services.views.reader() as db:
            families = [
                *await request_families(db, services.clock()),
                *await series_families(db),
                model_family(await list_models(db, status="production")),
            ]
    except ViewsUnavailable:
        return []
    return families if services.runner.is_readable else []


async def request_families(db: aiosqlite.Connection, now: int) -> list[Family]:
    totals = await all_time(db, OWN)
    windows = {
        metric: await window(db, metric, now=now, window_seconds=WINDOW_MINUTES * 60, labels={})
        for metric, *_ in SUMMARIES
    }
    return [
        *(
            Family(name, "summary", help_, summary_of(totals.get(metric), windows[metric], per_unit), unit)
            for metric, name, unit, per_unit, help_ in SUMMARIES
        ),
        *(Family(name, "counter", help_, [Sample(sum_of(totals.get(metric)))]) for metric, name, help_ in COUNTERS),
    ]


def summary_of(total: Moments | None, recent: WindowStats | None, per_unit: float) -> list[Sample]:
    """Return quantiles of the last minutes, and count and sum of all time: both survive a restart."""
    quantiles = {0.5: recent.p50, 0.95: recent.p95, 0.99: recent.p99} if recent else {}
    is_rising = total is None or total.min >= 0
    return summary(
        total.size if total else 0,
        sum_of(total, per_unit) if is_rising else None,
        {quantile: value / per_unit for quantile, value in quantiles.items()},
    )


def sum_of(total: Moments | None, per_unit: float = 1) -> float:
    """Return the sum, to twelve digits: a last digit that fell would look like a restart from 0 to a scraper."""
    return float(f"{total.mean * total.size / per_unit:.12g}") if total else 0.0


async def series_families(db: aiosqlite.Connection) -> list[Family]:
    """Return the latest value of the series that others record: of the first so many, so that none comes and goes."""
    series = await first_series(db, SERIES_MAX)
    left_out = await count_series(db) - len(series)
    values = [
        Sample(value, labels_of(metric, labels)) for metric, labels, value in series if labels or metric not in OWN
    ]
    about = f"Series of recorded metrics that are not shown, as the first {SERIES_MAX} alone are."
    return [
        Family("recsys_recorded_value", "gauge", "The latest value of each recorded metric.", values),
        Family("recsys_recorded_series_left_out", "counter", about, [Sample(left_out)]),
    ]


def labels_of(metric: str, labels: Mapping[str, str]) -> dict[str, str]:
    names = label_names(labels, taken=["metric"])
    return {"metric": metric, **{names[name]: text for name, text in labels.items()}}


def model_family(models: list[ModelVersion]) -> Family:
    versions = [
        Sample(1, {"model_id": of.model_id, "model_version": of.model_version, "model_type": of.model_type})
        for of in models
    ]
    return Family("recsys_production_model", "info", "The versions in production.", versions)


def recommender_families(services: Services) -> list[Family]:
    recommender = services.recommender
    since = [Sample(outage.since / 1e6, {"part": outage.name}) for outage in recommender.outages]
    return [
        gauge("recsys_recommender_degraded_parts", "Parts that answers do without.", len(recommender.degraded)),
        Family(
            "recsys_outage_start_time_seconds", "gauge", "Since when a part elsewhere is out.", since, unit="seconds"
        ),
        gauge("recsys_unembedded_recipes", "Recipes that wait for their vectors.", recommender.unembedded),
        gauge("recsys_unindexed_vectors", "Vectors that wait to be taken up by the index.", recommender.unindexed),
    ]


def projection_families(services: Services, head: int) -> list[Family]:
    views, runner = services.views, services.runner
    positions = {projection.name: views.position_of(projection.name) for projection in views.projections}
    lags = [Sample(max(0, head - position), {"view": view}) for view, position in positions.items()]
    at = [Sample(position, {"view": view}) for view, position in positions.items()]
    return [
        Family("recsys_log_events", "counter", "Events in the log.", [Sample(head)]),
        Family("recsys_view_position", "gauge", "The position of the log that a view has reached.", at),
        Family("recsys_view_lag_events", "gauge", "Events that a view is behind the log.", lags, unit="events"),
        gauge("recsys_views_failed", "1 while the views cannot move on.", int(runner.failure is not None)),
        gauge("recsys_views_projecting", "1 in the process that writes the views.", int(runner.is_projecting)),
    ]


def file_families(folder: Path) -> list[Family]:
    """Return what the databases take and the disk has left. Blocks."""
    sizes = [
        Sample(size_of(folder / f"{database}.db{suffix}"), {"database": database, "file": file})
        for database in DATABASES
        for file, suffix in (("main", ""), ("wal", "-wal"))
    ]
    libraries = [
        Sample(1, {"database": "log", "version": apsw.sqlite_lib_version()}),
        Sample(1, {"database": "views", "version": sqlite3.sqlite_version}),
    ]
    return [
        Family("recsys_database_size_bytes", "gauge", "The size of a database's file.", sizes, unit="bytes"),
        gauge("recsys_disk_free_bytes", "Free space on the disk of the data.", disk_free_bytes(folder), unit="bytes"),
        Family("recsys_sqlite", "info", "The SQLite that a database is written with.", libraries),
    ]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def gauge(name: str, about: str, value: float, *, unit: str = "") -> Family:
    return Family(name, "gauge", about, [Sample(value)], unit)
