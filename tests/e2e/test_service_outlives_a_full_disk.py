"""Full disks under the data, the views or the logs: the service says so, serves on, and recovers with the space."""

from pathlib import Path

import run
from events.catalog import MetricRecorded
from tests.crash.harness import read_log
from tests.e2e.disk import SmallDisk
from tests.e2e.service import Service

POINT = {"metric": "accuracy", "value": 0.9}
LARGE = [{"metric": "accuracy", "value": 0.9, "labels": {"note": "x" * 200, "number": str(n)}} for n in range(500)]
READS = ("/models", "/metrics?window_minutes=5", "/events?limit=1", "/health", "/health/live")


def statuses(service: Service) -> set[int]:
    return {service.ask(path).status for path in READS}


def points_in_log(data_dir: Path) -> int:
    return sum(isinstance(event.data, MetricRecorded) for event in read_log(data_dir / "log.db"))


def test_full_data_disk(disk: SmallDisk) -> None:
    """Commands get 507 and write nothing, reads go on; with space again commands do too, and nothing was lost."""
    data_dir = disk.folder / "data"
    data_dir.mkdir()
    with Service(data_dir) as service:
        acknowledged = [service.ask("/metrics", POINT).status]
        disk.fill()
        while acknowledged[-1] == 201:
            acknowledged.append(service.ask("/metrics", LARGE).status)
        refused = [service.ask("/metrics", LARGE), service.ask("/recommend", {"query": "pollo"})]
        assert [(reply.status, reply.body["code"]) for reply in refused] == [(507, "store_full")] * 2
        assert statuses(service) == {200}
        assert service.ask("/health").body["checks"]["disk"] is False
        disk.free()
        last = service.ask("/metrics", POINT)
        read = service.ask("/metrics", headers={"Log-Position": last.headers["Log-Position"]})
        large = acknowledged.count(201) - 1
        assert read.body["metrics"]["accuracy"]["count"] == points_in_log(data_dir) == 2 + large * len(LARGE)
        assert service.stop() == 0
    assert run.main(["verify", "--data-dir", str(data_dir)]) == 0


def test_start_on_a_full_disk(disk: SmallDisk) -> None:
    """Without a byte to write a start ends with exit code 3 and says why; with space the next one succeeds."""
    data_dir = disk.folder / "data"
    data_dir.mkdir()
    with Service(data_dir) as service:
        assert service.stop() == 0
    disk.fill()
    with Service(data_dir) as refused:
        assert f"the disk that holds {data_dir} is full; free some space" in refused.started["error"]
        assert refused.wait() == 3
    disk.free()
    with Service(data_dir) as service:
        assert service.ask("/metrics", POINT).status == 201


def test_full_disk_under_the_views_alone(disk: SmallDisk, data_dir: Path) -> None:
    """Commands are carried out, reads answer from the views as they stand, /health says why; then they catch up."""
    (data_dir / "views.db").symlink_to(disk.folder / "views.db")
    with Service(data_dir) as service:
        disk.fill()
        sent = 0
        while service.ask("/health").body["projections"]["failure"] is None:
            assert service.ask("/metrics", LARGE).status == 201
            sent += len(LARGE)
        assert "full" in service.ask("/health").body["projections"]["failure"]
        assert statuses(service) == {200}
        disk.free()
        last = service.ask("/metrics", POINT)
        read = service.ask("/metrics", headers={"Log-Position": last.headers["Log-Position"]})
        assert read.body["metrics"]["accuracy"]["count"] == sent + 1
        assert service.ask("/health").body["projections"]["failure"] is None


def test_full_disk_under_the_logs(disk: SmallDisk, data_dir: Path) -> None:
    """No request notices that its log line found no space, and the logs tell later how many were lost."""
    with Service(data_dir, LOG_DIR=str(disk.folder)) as service:
        disk.fill()
        assert {service.ask("/metrics", POINT).status for _ in range(50)} == {201}
        assert statuses(service) == {200}
        disk.free()
        while not any("log lines were lost" in path.read_text() for path in disk.folder.glob("app_*.log")):
            assert service.ask("/metrics", POINT).status == 201
        assert service.stop() == 0
