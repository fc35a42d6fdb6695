"""The reports view: each report whole but for its profile, listed from the latest, by model and version."""

from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from events.catalog import EvaluationReported
from projections.reports import ReportsProjection, get_report, list_reports
from projections.writer import ViewsWriter
from tests.projections.harness import recorded

PROFILE = {"columns": {"minutes": {"kind": "numeric"}}}
FIRST = EvaluationReported(
    report_id="1", created_at=1, model_id="a", model_version="1.0.0", metrics={"mrr": 0.5}, comparisons={"b": {}}
)
SECOND = EvaluationReported(report_id="2", created_at=2, validations={"drift": {"columns": {}}}, profile=PROFILE)
OTHERS = [
    EvaluationReported(report_id="3", created_at=3, model_id="a", model_version="1.1.0"),
    EvaluationReported(report_id="1", created_at=4, model_id="a", model_version="1.0.0", metrics={"mrr": 0.75}),
]


def views(folder: Path, batch: int) -> Path:
    """Return the file of the view of all reports, applied so many at a time."""
    path, events = folder / "views.db", recorded([FIRST, SECOND, *OTHERS])
    with closing(ViewsWriter.open(path, [ReportsProjection()])) as writer:
        for start in range(0, len(events), batch):
            writer.apply(events[start : start + batch])
    return path


async def listed(path: Path, *, model_id: str | None = None, version: str | None = None, below: int = 9) -> list[str]:
    async with aiosqlite.connect(path) as db:
        found = await list_reports(db, model_id=model_id, model_version=version, below=below, limit=2)
    return [report.summary.report_id for report in found]


@pytest.mark.parametrize("batch", [1, 3, 4])
async def test_a_later_report_of_the_same_id_replaces_the_earlier(tmp_path: Path, batch: int) -> None:
    """However the events are cut into batches, the last one counts; an unknown id is None."""
    async with aiosqlite.connect(views(tmp_path, batch)) as db:
        assert await get_report(db, "1") == OTHERS[-1]
        assert await get_report(db, "4") is None


async def test_a_profile_is_told_of_but_not_kept(tmp_path: Path) -> None:
    """The report comes back without it, and the list says that the log has it."""
    async with aiosqlite.connect(views(tmp_path, 4)) as db:
        told = await get_report(db, "2")
        [summary] = [found.summary for found in await list_reports(db, model_id="", model_version="", below=9, limit=9)]
    assert told == EvaluationReported(report_id="2", created_at=2, validations=SECOND.validations)
    assert (summary.validations, summary.has_profile) == (["drift"], True)


async def test_the_latest_are_listed_first(tmp_path: Path) -> None:
    """Pages follow one another by position; model and version narrow them down."""
    path = views(tmp_path, 4)
    assert await listed(path) == ["1", "3"]
    assert await listed(path, below=3) == ["2"]
    assert await listed(path, model_id="a") == ["1", "3"]
    assert await listed(path, model_id="a", version="1.1.0") == ["3"]
    assert await listed(path, model_id="b") == []
