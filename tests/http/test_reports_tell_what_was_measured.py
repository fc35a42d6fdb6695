"""Models are measured and compared, data checked for drift, and each report is kept, linked and shown as a page."""

import asyncio
import base64
import hashlib
import re
from typing import Any

import pytest

from events.catalog import EvaluationReported
from recsys.evaluation.evaluator import ModelEvaluator
from tests.http.harness import Api, Reply

VERSION = {"model_id": "hybrid_ranker", "version": "1.0.0"}
RANKING: dict[str, Any] = {
    **VERSION,
    "task": "ranking",
    "y_true": [[3, 0, 1], [0, 2], [1, 0, 0]],
    "y_pred": [[0.9, 0.2, 0.3], [0.1, 0.8], [0.7, 0.3, 0.1]],
    "compare_with": {"0.9.0": [[0.1, 0.2, 0.3], [0.9, 0.8], [0.1, 0.2, 0.3]]},
}
OLD = {"minutes": [float(minute) for minute in range(100)], "course": ["soup", "cake"] * 50}
NEW = {"minutes": [float(minute + 80) for minute in range(100)], "course": ["soup", "cake"] * 50}


async def evaluated(api: Api, **fields: Any) -> Reply:
    await api.register("1.0.0")
    return await api.post("/evaluate", {**RANKING, **fields})


async def test_a_ranking_is_measured_with_its_interval(api: Api) -> None:
    """Queries of different lengths give what the evaluator gives, and the mean over queries has an interval."""
    report = await evaluated(api)
    mask = [[True, True, True], [True, True, False], [True, True, True]]
    truth, scores = [[3, 0, 1], [0, 2, 0], [1, 0, 0]], [[0.9, 0.2, 0.3], [0.1, 0.8, 0], [0.7, 0.3, 0.1]]
    expected = ModelEvaluator().calculate_ranking_metrics(truth, scores, mask=mask)
    assert report.status == 201
    assert {name: report.json["metrics"][name] for name in expected} == expected
    assert report.json["metrics"]["ndcg@10"] == {"mean": 1.0, "low": 1.0, "high": 1.0}


async def test_a_comparison_tells_its_p_value(api: Api) -> None:
    """Another version's predictions are tested query by query against the version's own."""
    test = (await evaluated(api)).json["comparisons"]["0.9.0"]["mrr"]
    assert (test["first_mean"], test["queries"], test["is_exact"]) == (1.0, 3, True)
    assert test["difference"]["mean"] == pytest.approx(1 - test["second_mean"])
    assert test["p_value"] == 0.5  # two queries differ: of four assignments of signs, two are as far from 0


async def test_classes_are_measured(api: Api) -> None:
    """Labels may be texts; the accuracy has its interval, and other versions are tested by it."""
    labels = ["hot", "cold", "hot", "cold"]
    report = await evaluated(api, task="classification", y_true=labels, y_pred=["hot"] * 4, compare_with={"b": labels})
    metrics = report.json["metrics"]
    assert (metrics["accuracy"]["mean"], metrics["recall"]) == (0.5, 0.5)
    assert report.json["comparisons"]["b"]["accuracy"]["difference"]["mean"] == -0.5


async def test_retrieved_documents_are_measured(api: Api) -> None:
    """Counts are of all queries together, means of each query; ids are texts or numbers."""
    report = await evaluated(
        api, task="retrieval", y_true=[["a", "b"], [7]], y_pred=[["a"], [7, 8]], total=10, compare_with={}
    )
    metrics = report.json["metrics"]
    assert {name: metrics[name] for name in ("tp", "fp", "fn", "tn")} == {"tp": 2, "fp": 1, "fn": 1, "tn": 16}
    assert (metrics["precision"], metrics["mean_precision"]["mean"]) == (pytest.approx(2 / 3), 0.75)


async def test_a_report_is_kept_and_linked(api: Api) -> None:
    """It is read at its address as it was answered, and listed where its version says."""
    report = await evaluated(api)
    kept = await api.get_after(report, report.headers["Location"])
    version = await api.get_after(report, report.json["links"]["model_version"])
    listed = (await api.get_after(report, version.json["reports"])).json
    assert kept.json == report.json
    assert [found["report_id"] for found in listed["reports"]] == [report.json["report_id"]]
    assert (listed["reports"][0]["comparisons"], listed["next"]) == (["0.9.0"], None)
    assert (await api.get("/reports?model_id=hybrid_ranker&version=2.0.0")).json["count"] == 0


async def test_a_report_is_an_event(api: Api) -> None:
    """The log tells it on a stream of its own, with the request that led to it."""
    report = await evaluated(api)
    [event] = await api.services.store.read_stream(f"report-{report.json['report_id']}")
    assert isinstance(event.data, EvaluationReported)
    assert event.data.metrics == report.json["metrics"]
    assert event.metadata.correlation_id == report.headers["X-Request-ID"]


async def test_reports_are_listed_in_pages(api: Api) -> None:
    """From the latest on; `next` leads to the page after."""
    made = [(await evaluated(api)).json["report_id"] for _ in range(3)]
    head = {"Log-Position": str(await api.services.store.head())}
    first = (await api.get("/reports?limit=2", head)).json
    second = (await api.get(f"/reports?limit=2&after={first['next']}", head)).json
    pages = [[report["report_id"] for report in found["reports"]] for found in (first, second)]
    assert pages == [[made[2], made[1]], [made[0]]]
    assert second["next"] is None


async def test_repeats_at_once_make_one_report(api: Api) -> None:
    """Requests of one key that are all measured before the first is recorded get that one's report."""
    await api.register("1.0.0")
    replies = await asyncio.gather(*(api.post("/evaluate", RANKING, {"Idempotency-Key": "k"}) for _ in range(3)))
    head = {"Log-Position": replies[0].position}
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["report_id"] for reply in replies}) == 1
    assert (await api.get("/reports", head)).json["count"] == 1


async def test_drift_is_reported(api: Api) -> None:
    """Of two tables the column that moved is named, with its evidence; no model is needed."""
    report = await api.post("/drift", {"baseline": OLD, "current": NEW})
    found = report.json["validations"]["drift"]
    assert report.status == 201
    assert (found["drift_detected"], found["columns_with_drift"]) == (True, ["minutes"])
    assert report.json["metrics"] == {"columns": 2, "columns_with_drift": 1}
    assert report.json["links"]["model_version"] is None


async def test_drift_is_checked_against_a_kept_profile(api: Api) -> None:
    """A report that keeps the baseline's profile stands for the baseline; the profile itself is not sent back."""
    await api.register("1.0.0")
    first = await api.post("/drift", {**VERSION, "baseline": OLD, "current": OLD, "keep_profile": True})
    again = await api.post("/drift", {**VERSION, "profile_of": first.json["report_id"], "current": NEW})
    direct = await api.post("/drift", {"baseline": OLD, "current": NEW})
    listed = (await api.get_after(again, "/reports?model_id=hybrid_ranker")).json["reports"]
    assert again.json["validations"] == direct.json["validations"]
    assert "profile" not in first.json
    assert [report["has_profile"] for report in listed] == [False, True]


async def test_rows_are_told_apart_where_no_column_has_moved(api: Api) -> None:
    """Two columns that no longer move together are drift where `multivariate` is asked for."""
    values = [float(value) for value in range(100)]
    report = await api.post(
        "/drift",
        {"baseline": {"a": values, "b": values}, "current": {"a": values, "b": values[::-1]}, "multivariate": True},
    )
    found = report.json["validations"]["drift"]
    assert (found["columns_with_drift"], found["multivariate"]["drift"], found["drift_detected"]) == ([], True, True)


@pytest.mark.parametrize(("drift", "title"), [(False, "hybrid_ranker 1.0.0"), (True, "data")])
async def test_a_browser_gets_a_page_that_runs_nothing(api: Api, drift: bool, title: str) -> None:
    """Its policy allows its own style, by hash, and nothing else; what it shows needs no other file."""
    report = await (api.post("/drift", {"baseline": OLD, "current": NEW}) if drift else evaluated(api))
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Log-Position": report.position}
    page = await api.get(report.headers["Location"], headers)
    text = page.raw.decode()
    [style] = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (page.status, page.headers["Content-Type"], page.headers["Vary"]) == (200, "text/html", "Accept")
    assert f"<title>Evaluation of {title}" in text
    assert page.headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert not re.search(r"<script|<link|\bsrc=|\bhref=|\bstyle=", text)


async def test_a_page_shows_markup_as_text(api: Api) -> None:
    """A name that looks like markup is no markup."""
    name = "<script>alert(1)</script>"
    report = await api.post("/drift", {"baseline": {name: [1, 2]}, "current": {name: [1, 2]}})
    page = await api.get_after(report, report.headers["Location"])
    shown = await api.get(report.headers["Location"], {"Accept": "text/html"})
    assert name in page.json["validations"]["drift"]["columns"]
    assert b"&lt;script&gt;" in shown.raw
    assert b"<script" not in shown.raw
