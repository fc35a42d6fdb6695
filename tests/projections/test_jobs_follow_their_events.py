"""The jobs view says how each retrain job stands."""

from pathlib import Path

import aiosqlite

from events.catalog import RetrainJobCompleted, RetrainJobCreated, RetrainJobFailed, RetrainJobStarted
from projections import jobs
from tests.projections.harness import SECOND, START, apply_in_batches, recorded

EVENTS = [
    RetrainJobCreated(job_id="r_1", model_id="r", reasons={"time_interval": "Deployed 10 days ago"}),
    RetrainJobStarted(job_id="r_1", worker="w1"),
    RetrainJobCompleted(job_id="r_1", new_version="1.1.0", metrics={"accuracy": 0.93}),
    RetrainJobCreated(job_id="r_2", model_id="r"),
    RetrainJobStarted(job_id="r_2", worker="w1"),
    RetrainJobFailed(job_id="r_2", error="out of memory"),
    RetrainJobCreated(job_id="r_3", model_id="r"),
    RetrainJobCreated(job_id="s_4", model_id="s"),
    RetrainJobStarted(job_id="s_4", worker="w2"),
]


async def test_each_status_comes_from_its_event(tmp_path: Path) -> None:
    """Created is pending, then running, then completed or failed, each with its time and outcome."""
    apply_in_batches(tmp_path / "views.db", [recorded(EVENTS)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        completed, failed, pending, running = await jobs.list_jobs(db)
        assert await jobs.get_job(db, "r_1") == completed
        assert await jobs.get_job(db, "r_9") is None
    assert (completed.status, completed.new_version, completed.metrics) == ("completed", "1.1.0", {"accuracy": 0.93})
    assert (completed.created_at, completed.started_at, completed.ended_at) == (
        START,
        START + SECOND,
        START + 2 * SECOND,
    )
    assert (failed.status, failed.error) == ("failed", "out of memory")
    assert (pending.status, pending.started_at) == ("pending", None)
    assert (running.status, running.worker) == ("running", "w2")


async def test_jobs_are_found_by_model_and_status(tmp_path: Path) -> None:
    """A model's open job is its earliest that is pending or running."""
    apply_in_batches(tmp_path / "views.db", [recorded(EVENTS)])
    async with aiosqlite.connect(tmp_path / "views.db") as db:
        assert [job.job_id for job in await jobs.list_jobs(db, model_id="r", status="failed")] == ["r_2"]
        open_jobs = [await jobs.open_job(db, model_id) for model_id in ("r", "s", "t")]
    assert [job and job.job_id for job in open_jobs] == ["r_3", "s_4", None]
