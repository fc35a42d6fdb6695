"""GET /metrics: JSON by default, and what Prometheus and OpenTelemetry scrape where the Accept header asks for it."""

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as prometheus_families

from recsys.http import scrape
from recsys.monitoring.openmetrics import OPENMETRICS, PROMETHEUS_TEXT
from recsys.recommender.index import Outage
from tests.http.harness import UNAVAILABLE, Api

# What Prometheus 3 and 2.30 send, the binary format aside, and what a browser does.
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def scraped(api: Api, *, position: int | None = None) -> dict[str, Metric]:
    """Return the families by name, once the views have reached the position, or the log's head."""
    until = await api.services.store.head() if position is None else position
    reply = await api.get("/metrics", {"Accept": OPENMETRICS, "Log-Position": str(until)})
    return {family.name: family for family in openmetrics_families(reply.raw.decode())}  # type: ignore[no-untyped-call]  # the parser has no types


def value(family: Metric, suffix: str = "", **labels: str) -> float:
    """Return the one sample of that name and those labels."""
    [found] = [each for each in family.samples if each.name == family.name + suffix and each.labels == labels]
    return float(found.value)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (PROMETHEUS_3, OPENMETRICS),
        (PROMETHEUS_2, PROMETHEUS_TEXT),
        ("text/plain", PROMETHEUS_TEXT),
        ("text/plain; q=0.1, application/json; q=0.2", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        (BROWSER, "application/json"),
        ("image/png", "application/json"),
        ("application/openmetrics-text; q=nonsense", "application/json"),
        (';;=",,q', "application/json"),
    ],
)
async def test_the_accept_header_chooses(api: Api, accept: str, content_type: str) -> None:
    """The format wanted most is given, JSON to those who want none; caches are told what it hangs on."""
    reply = await api.get("/metrics", {"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"], reply.headers["Vary"]) == (200, content_type, "Accept")


async def test_requests_are_counted(api: Api) -> None:
    """Requests, those that failed and their seconds are told as a scraper expects them."""
    await api.post("/recommend", {"query": "pollo"})
    api.recommender.failure = UNAVAILABLE
    await api.post("/recommend", {"query": "pollo"})
    families = await scraped(api)
    assert value(families["recsys_requests"], "_total") == 2
    assert value(families["recsys_request_errors"], "_total") == 1
    embedding = families["recsys_embedding_duration_seconds"]
    assert (embedding.type, embedding.unit, value(embedding, "_count")) == ("summary", "seconds", 1)
    assert value(embedding, quantile="0.95") == value(embedding, "_sum") == 0.002


async def test_counts_are_of_all_time(api: Api) -> None:
    """Summaries count and sum the points of years; their quantiles are of the last minutes alone."""
    old = [{"metric": "num_recipes", "value": 4, "timestamp": f"20{year}-06-01T00:00:00Z"} for year in range(10, 24)]
    await api.post("/metrics", old * 50)
    recipes = (await scraped(api))["recsys_recipes_served"]
    assert (value(recipes, "_count"), value(recipes, "_sum")) == (700, 2800)
    assert {sample.name for sample in recipes.samples} == {"recsys_recipes_served_count", "recsys_recipes_served_sum"}


async def test_a_sum_that_may_fall_is_not_told(api: Api) -> None:
    """A scraper takes a falling sum for a restart: with negative values there is none."""
    await api.post("/metrics", [{"metric": "num_recipes", "value": number} for number in (3, -1)])
    recipes = (await scraped(api))["recsys_recipes_served"]
    assert value(recipes, "_count") == 2
    assert "recsys_recipes_served_sum" not in {sample.name for sample in recipes.samples}


async def test_any_label_comes_through(api: Api) -> None:
    """Recorded metrics keep their names and label values; label names become what the format allows."""
    labels = {"metric": 'a\\b"c\nd', "con ñ": "é", "con_n": "", "0": "{}", "__x": "#", "con n": "="}
    await api.post("/metrics", {"metric": "a.b:c-d", "value": 1e-7, "labels": labels})
    [sample] = (await scraped(api))["recsys_recorded_value"].samples
    assert (sample.labels["metric"], sample.value) == ("a.b:c-d", 1e-7)
    assert sorted(sample.labels.values()) == sorted([*labels.values(), "a.b:c-d"])


async def test_series_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first series are told, always the same ones; how many are not, is."""
    monkeypatch.setattr(scrape, "SERIES_MAX", 3)
    points = [{"metric": "m", "value": number, "labels": {"user": str(number)}} for number in range(5)]
    await api.post("/metrics", points)
    await api.post("/metrics", points[::-1])
    families = await scraped(api)
    assert [sample.labels["user"] for sample in families["recsys_recorded_value"].samples] == ["0", "1", "2"]
    assert value(families["recsys_recorded_series_left_out"], "_total") == 2


async def test_the_service_tells_of_itself(api: Api) -> None:
    """Log, views, databases, SQLite, the production model, outages and the process are there."""
    await api.register("1.0.0", status="production")
    api.recommender.outages = [Outage("qdrant", 1_700_000_000_000_000, "refused")]
    families = await scraped(api)
    head = await api.services.store.head()
    assert value(families["recsys_log_events"], "_total") == head
    assert value(families["recsys_view_lag_events"], view="metrics") == 0
    assert value(families["recsys_database_size_bytes"], database="log", file="wal") > 0
    assert {sample.labels["database"] for sample in families["recsys_sqlite"].samples} == {"log", "views"}
    production = {"model_id": "hybrid_ranker", "model_version": "1.0.0", "model_type": "hybrid"}
    assert value(families["recsys_production_model"], "_info", **production) == 1
    assert value(families["recsys_outage_start_time_seconds"], part="qdrant") == 1.7e9
    assert value(families["process_resident_memory_bytes"]) > 2**20


async def test_the_older_format_says_the_same(api: Api) -> None:
    """text/plain; version=0.0.4 holds the samples of the newer format under the same names."""
    await api.register("1.0.0", status="production")
    await api.post("/recommend", {"query": "pollo"})
    families = await scraped(api)
    older = (await api.get("/metrics", {"Accept": PROMETHEUS_TEXT})).raw.decode()
    newer_names = {sample.name for family in families.values() for sample in family.samples}
    assert {sample.name for family in prometheus_families(older) for sample in family.samples} == newer_names


async def test_nothing_counts_from_zero_while_views_are_rebuilt(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the views know is left out until they hold it again; the rest is told."""
    await api.post("/recommend", {"query": "pollo"})
    await scraped(api)
    monkeypatch.setattr(type(api.services.runner), "is_readable", False)
    families = await scraped(api)
    assert "recsys_requests" not in families
    assert "recsys_log_events" in families
