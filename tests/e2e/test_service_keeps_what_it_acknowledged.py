"""The whole service: restarts, takeovers and stops under load."""

import itertools
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import run
from recsys.recommender.ranker import LinearRanker
from tests.crash.harness import read_log
from tests.e2e.service import Service

CLIENTS = 16
POINT = {"metric": "accuracy", "value": 0.9}


def test_first_start_has_recipes_and_a_model(service: Service) -> None:
    """A service on an empty folder answers at once, with its catalogue and with the best ranker in production."""
    answer = service.ask("/recommend", {"query": "recetas con pollo"})
    model = service.ask("/models/hybrid_ranker/production")
    assert len(answer.body["recetas"]) == 3
    assert (model.body["version"], model.body["parameters"]) == ("1.1.0", LinearRanker().parameters())
    assert answer.body["modelo"] == {"model_id": "hybrid_ranker", "version": "1.1.0"}


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


def keep_asking(address: str, acknowledged: list[int], *, connection_header: str) -> None:
    """Send points and requests for recipes until nobody listens any more. close: on a new connection each.

    Fails on any answer but success, and on a connection that ends without the answer.
    """
    headers = {"Content-Type": "application/json", "Connection": connection_header}
    connection = HTTPConnection(address.removeprefix("http://"))
    for path, body in itertools.cycle([("/metrics", POINT), ("/recommend", {"query": "pollo"})]):
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            return
        connection.request("POST", path, json.dumps(body), headers)
        with connection.getresponse() as response:
            assert response.status in (200, 201), response.read()
            response.read()
            acknowledged.append(int(response.headers["Log-Position"]))


def test_sigterm_under_load_fails_no_accepted_request(data_dir: Path) -> None:
    """Clients get an answer to all that they send, on open connections and on new ones; what it wrote is kept."""
    acknowledged: list[int] = []
    with Service(data_dir) as service, ThreadPoolExecutor(CLIENTS) as threads:
        clients = [
            threads.submit(keep_asking, service.address, acknowledged, connection_header=header)
            for header in ("keep-alive", "close") * (CLIENTS // 2)
        ]
        while len(acknowledged) < 10 * CLIENTS:
            assert service.ask("/health/live").status == 200
        assert service.stop() == 0
        for client in clients:
            client.result()
    written = [
        event for event in read_log(data_dir / "log.db") if event.type in ("MetricRecorded", "RecommendationServed")
    ]
    assert sorted(acknowledged) == [event.position for event in written]
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
