"""What `EvaluationReport.save` tells the log: as POST /evaluate does, and no more than there is to tell."""

from pathlib import Path

import msgspec

from events.catalog import EvaluationReported
from mlops import EvaluationReport
from projections.reports import get_report
from recsys.api.runtime import runtime
from recsys.api.session import Session
from recsys.reports import stream_of


def shown(report_id: str) -> EvaluationReported | None:
    async def ask(session: Session) -> EvaluationReported | None:
        async with session.reader() as db:
            return await get_report(db, report_id)

    return runtime.call(ask)


def times_recorded(report: EvaluationReport) -> int:
    return runtime.call(lambda session: session.services.store.stream_version(stream_of(report.report_id)))


def test_a_saved_report_is_in_the_view() -> None:
    """The view of reports, which GET /reports reads, has what the file has; a version need not be registered first."""
    report = EvaluationReport("ranker", "1.0.0")
    report.add_metrics({"ndcg_at_10": 0.5})
    report.add_validation("output", {"is_valid": True, "shape": (3,)})
    written = msgspec.json.decode(report.save().read_bytes())
    found = shown(report.report_id)
    assert found is not None and (found.model_id, found.model_version) == ("ranker", "1.0.0")
    assert (found.metrics, found.validations) == (written["metrics"], written["validations"])


def test_what_has_not_changed_is_recorded_once(folder: Path) -> None:
    """Saving again, into another folder too, adds an event only where the report holds something new."""
    report = EvaluationReport("ranker", "1.0.0")
    report.save()
    report.save(folder / "copies")
    assert times_recorded(report) == 1
    report.add_metrics({"mrr": 0.8})
    report.save()
    found = shown(report.report_id)
    assert times_recorded(report) == 2 and found is not None and found.metrics == {"mrr": 0.8}
