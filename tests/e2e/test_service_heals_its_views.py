"""Views that were locked, deleted or damaged: the service goes on, /health says so, and they are exact again."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import run
from projections.views import database_files
from tests.e2e.service import Reply, Service

POINT = {"metric": "accuracy", "value": 0.9}
GARBAGE = b"not a database at all" * 1000
READS = ("/models", "/metrics?window_minutes=5", "/health")
Harm = Callable[[Path], None]


def delete(views: Path) -> None:
    for file in database_files(views):
        file.unlink(missing_ok=True)


def exchange(views: Path) -> None:
    """Put another file in the place of views.db, as an editor does."""
    other = views.with_suffix(".other")
    other.write_bytes(GARBAGE)
    other.replace(views)


def overwrite(views: Path) -> None:
    """Overwrite views.db in place, once all rows are in it."""
    with closing(sqlite3.connect(views)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    views.write_bytes(GARBAGE)


def overwrite_all(views: Path) -> None:
    """Overwrite views.db and what SQLite keeps beside it."""
    for file in database_files(views):
        file.write_bytes(GARBAGE)


def report(service: Service) -> Any:
    """Return what /health says of the views; empty if it cannot be asked."""
    return service.ask("/health").body.get("projections", {})


def written(service: Service) -> Reply:
    reply = service.ask("/metrics", POINT)
    assert reply.status == 201
    return reply


def count_after(service: Service, reply: Reply) -> int:
    """Return how many points the views count when they have reached what `reply` did."""
    read = service.ask("/metrics", headers={"Log-Position": reply.headers["Log-Position"]})
    return int(read.body["metrics"]["accuracy"]["count"])


def test_locked_views(service: Service) -> None:
    """While another process holds the file: commands and reads are answered; afterwards the views catch up."""
    with closing(sqlite3.connect(service.data_dir / "views.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        written(service)
        while report(service)["failure"] is None:
            assert {service.ask(path).status for path in READS} == {200}
        assert "locked" in report(service)["failure"]
        connection.execute("ROLLBACK")
    assert count_after(service, written(service)) == 2
    assert report(service)["failure"] is None


@pytest.mark.parametrize(
    ("harm", "said"),
    [(delete, "deleted or replaced"), (exchange, "deleted or replaced"), (overwrite, "not a database")],
)
def test_views_harmed_while_in_use(harm: Harm, said: str, service: Service) -> None:
    """Commands are carried out throughout; /health tells why the views were built anew, and their rows are right."""
    points = [count_after(service, written(service))]
    models = service.ask("/models").body
    harm(service.data_dir / "views.db")
    while said not in (report(service).get("notice") or ""):
        points.append(written(service).status)
    assert count_after(service, written(service)) == len(points) + 1
    assert service.ask("/models").body == models
    assert run.main(["rebuild", "--data-dir", str(service.data_dir)]) == 0


def test_reads_go_on_while_deleted_views_are_built_anew(service: Service) -> None:
    """No read fails between the loss of the file and its return."""
    delete(service.data_dir / "views.db")
    while report(service)["notice"] is None:
        assert {service.ask(path).status for path in READS} == {200}
    assert {service.ask(path).status for path in READS} == {200}


def test_health_answers_while_the_views_are_damaged(service: Service) -> None:
    """Damage that reads find first is said in /health, and mended without waiting for a write."""
    count_after(service, written(service))
    overwrite(service.data_dir / "views.db")
    assert service.ask("/health").status == 200


@pytest.mark.parametrize(
    ("harm", "said"), [(delete, None), (exchange, "not a database"), (overwrite_all, "not a database")]
)
def test_views_harmed_while_down(harm: Harm, said: str | None, data_dir: Path) -> None:
    """The next start builds them anew from the log, and says why if they were damaged."""
    with Service(data_dir) as service:
        written(service)
        models = service.ask("/models").body
        assert service.stop() == 0
    harm(data_dir / "views.db")
    with Service(data_dir) as service:
        assert service.ask("/models").body == models
        assert count_after(service, written(service)) == 2
        notice = report(service)["notice"]
        assert notice is None if said is None else said in notice
