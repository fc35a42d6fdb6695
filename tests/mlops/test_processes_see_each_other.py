"""Scripts and a running service share one log, whoever came first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from mlops import ModelMetadata, health_monitor, metrics_collector, model_registry
from recsys.api.runtime import runtime
from tests.e2e.service import ROOT, Service

SCRIPT = """
from mlops import ModelMetadata, metrics_collector, model_registry
for number in range(50):
    metrics_collector.record("accuracy", 1.0, wait=number % 2 == 0)
model_registry.register_model(ModelMetadata(model_id="{name}", model_type="test", version="1.0.0"))
"""


def start_script(folder: Path, name: str) -> "subprocess.Popen[bytes]":
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT.format(name=name)], cwd=folder, env=environ)


def test_two_scripts_beside_a_service(folder: Path) -> None:
    """What two scripts and this process record and register, the service shows, and each of them."""
    (folder / "data").mkdir()
    with Service(folder / "data") as service:
        scripts = [start_script(folder, name) for name in ("one", "two")]
        metrics_collector.record("accuracy", 1.0)
        assert [script.wait(30) for script in scripts] == [0, 0]
        assert metrics_collector.get_stats("accuracy")["count"] == 101
        served = service.ask(
            "/models", headers={"Log-Position": str(health_monitor.get_system_status()["log"]["head"])}
        )
        assert {"one", "two", "hybrid_ranker"} == {model["model_id"] for model in served.body["models"]}
        assert served.body["models"] == msgspec.to_builtins(model_registry.list_models())
        assert service.ask("/metrics").body["metrics"]["accuracy"]["count"] == 101


def test_a_script_outlives_the_service(folder: Path) -> None:
    """A process that appended through the service goes on by itself when that is killed, and the next one finds all."""
    (folder / "data").mkdir()
    with Service(folder / "data") as service:
        metrics_collector.record("accuracy", 1.0)
        service.kill()
        metrics_collector.record("accuracy", 2.0)
    with Service(folder / "data") as beside:
        model_registry.register_model(ModelMetadata(model_id="late", model_type="test", version="1.0.0"))
        assert beside.ask("/models?model_id=late").status == 200
        runtime.close()
        assert beside.ask("/metrics").body["metrics"]["accuracy"]["count"] == 2
    mirror = json.loads((folder / "models" / "registry.json").read_bytes())
    assert "late" in {model["model_id"] for model in mirror["models"]}
