"""The whole service: restarts, takeovers, lost views and stops under load."""

import socket
import threading
from contextlib import closing
from pathlib import Path

import run
from tests.e2e.service import Service

POINT = {"metric": "accuracy", "value": 0.9}


def test_first_start_has_recipes_and_a_model(service: Service) -> None:
    """A service on an empty folder answers at once, with its catalogue and with hybrid_ranker 1.0.0 in production."""
    answer = service.ask("/recommend", {"query": "recetas con pollo"})
    model = service.ask("/models/hybrid_ranker/production")
    assert len(answer.body["recetas"]) == 3
    assert (model.body["version"], model.body["parameters"]) == ("1.0.0", {"alpha": 0.7})


def test_second_start_imports_nothing(data_dir: Path) -> None:
    """A restart finds everything as it was and appends nothing."""
    heads = []
    for _ in range(2):
        with Service(data_dir) as service:
            heads.append(service.ask("/health").body["log"]["head"])
            assert service.stop() == 0
    assert heads[0] == heads[1] > 0


def test_missing_wikibooks_are_said(service: Service) -> None:
    """Without the Wikibooks package the service starts on the Spanish catalogue and says so."""
    assert any("Wikibooks" in notice for notice in service.started["notices"])


def test_second_server_appends_through_the_first(data_dir: Path) -> None:
    """A second server on the data directory names the process that writes, serves beside it, and takes over."""
    with Service(data_dir) as first, Service(data_dir) as second:
        assert any(f"Process {first.process.pid} writes" in notice for notice in second.started["notices"])
        before = second.ask("/metrics", POINT)
        first.kill()
        after = second.ask("/metrics", POINT)
        assert (before.status, after.status) == (201, 201)
        read = second.ask("/metrics?window_minutes=5", headers={"Log-Position": after.headers["Log-Position"]})
        assert read.body["metrics"]["accuracy"]["count"] == 2


def test_deleted_views_are_rebuilt(data_dir: Path) -> None:
    """views.db deleted while the service is down is built anew from the log."""
    with Service(data_dir) as service:
        shown = service.ask("/models").body
        service.stop()
    for path in data_dir.glob("views.db*"):
        path.unlink()
    with Service(data_dir) as service:
        assert service.ask("/models").body == shown


def test_sigterm_under_load_fails_no_accepted_request(data_dir: Path) -> None:
    """What was acknowledged before and during a stop is there at the next start; nothing accepted fails."""
    acknowledged = []

    def send(service: Service) -> None:
        while True:
            try:
                reply = service.ask("/metrics", POINT)
            except OSError:
                return  # it no longer listens
            assert reply.status == 201
            acknowledged.append(reply.headers["Log-Position"])

    with Service(data_dir) as service:
        senders = [threading.Thread(target=send, args=[service]) for _ in range(4)]
        for sender in senders:
            sender.start()
        while len(acknowledged) < 50:
            service.ask("/health/live")
        assert service.stop() == 0
        for sender in senders:
            sender.join()
    with Service(data_dir) as service:
        metrics = service.ask("/metrics?window_minutes=60").body["metrics"]
        assert metrics["accuracy"]["count"] == len(set(acknowledged)) == len(acknowledged)
        service.stop()
    assert run.main(["verify", "--data-dir", str(data_dir)]) == 0


def test_a_port_in_use_is_said(data_dir: Path) -> None:
    """Where the port is taken, the service ends with exit code 3 before it writes anything."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        service = Service(data_dir, port=taken.getsockname()[1])
        assert service.wait() == 3
    assert "it is in use" in service.started["error"]
    assert not list(data_dir.iterdir())


def test_rebuild_beside_a_running_service(service: Service) -> None:
    """run.py rebuild finds the live views as they should be, and the service goes on with the rebuilt ones."""
    assert run.main(["rebuild", "--data-dir", str(service.data_dir)]) == 0
    reply = service.ask("/metrics", POINT)
    read = service.ask("/metrics", headers={"Log-Position": reply.headers["Log-Position"]})
    assert read.body["metrics"]["accuracy"]["count"] == 1
