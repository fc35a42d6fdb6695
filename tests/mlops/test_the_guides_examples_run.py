"""What the guide's examples do, they do here: the same calls with the same arguments, in the same order.

What they leave open (CSV files, a fitted model, parameters) is supplied. Training itself is not there yet, so that
`execute_retrain` is left out, and with it the promotion of what it would have made.
"""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops import (
    EvaluationReport,
    ModelEvaluator,
    ModelMetadata,
    ModelValidator,
    anomaly_detector,
    auto_scheduler,
    get_logger,
    health_monitor,
    metrics_collector,
    model_registry,
    retraining_orchestrator,
)
from recsys.errors import ModelVersionExists

FIRST = ModelMetadata(
    model_id="hybrid_ranker",
    model_type="hybrid",
    version="1.0.1",
    description="Improved hybrid ranker",
    metrics={"accuracy": 0.92, "precision": 0.89, "recall": 0.85, "f1_score": 0.87},
    parameters={"embedding_model": "text-embedding-3-small", "alpha": 0.7},
    status="validation",
    tags={"author": "data_team", "environment": "staging"},
)


def test_the_sections_run_in_order(folder: Path) -> None:
    """Registry, evaluation, monitoring, logging and retraining give what the guide shows, over one log."""
    versions_are_registered_and_promoted(folder)
    models_are_evaluated()
    metrics_and_anomalies_are_found()
    logs_are_written(folder)
    retraining_is_checked_and_scheduled()


def versions_are_registered_and_promoted(folder: Path) -> None:
    model_registry.register_model(FIRST)
    assert model_registry.get_production_model("hybrid_ranker") is None
    assert model_registry.list_models(status="production") == []
    assert model_registry.update_model_status("hybrid_ranker", "1.0.1", "production")
    steps = model_registry.get_version_history("hybrid_ranker")
    assert [(step.version, step.new_status) for step in steps] == [("1.0.1", "validation"), ("1.0.1", "production")]
    mirror = json.loads((folder / "models" / "registry.json").read_bytes())
    assert [model["status"] for model in mirror["models"]] == ["production"]


def models_are_evaluated() -> None:
    evaluator, validator = ModelEvaluator(), ModelValidator()
    y_true, y_pred = np.array([4, 3, 5, 2, 1]), np.array([3.8, 3.2, 5.1, 2.3, 1.1])
    metrics = evaluator.calculate_ranking_metrics(y_true, y_pred)
    assert metrics == pytest.approx({"mse": 0.038, "mae": 0.18, "rmse": 0.038**0.5, "r2_score": 0.981})
    assert evaluator.calculate_ndcg(y_true, y_pred, k=3) == pytest.approx(1)
    outputs = validator.validate_model_output(
        predictions=np.array([0.5, 0.8, 0.3]), expected_shape=(3,), value_range=(0, 1)
    )
    assert outputs["is_valid"]
    baseline, current = pd.DataFrame({"price": [10, 20, 30]}), pd.DataFrame({"price": [15, 25, 35]})
    drift = validator.check_data_drift(baseline, current, threshold=0.1)
    assert {"drift_detected", "columns_with_drift"} <= drift.keys()
    report = EvaluationReport("hybrid_ranker", "1.0.1")
    report.add_metrics(metrics)
    report.add_validation("data_drift", drift)
    assert json.loads(report.save().read_bytes())["metrics"] == metrics


def metrics_and_anomalies_are_found() -> None:
    metrics_collector.record("api_latency_ms", 150.5)
    metrics_collector.record("request_count", 1)
    metrics_collector.record("error_rate", 0.02)
    stats = metrics_collector.get_stats("api_latency_ms", window_minutes=60)
    assert (stats["count"], stats["mean"], stats["std"], stats["p95"], stats["p99"]) == (1, 150.5, 0, 150.5, 150.5)
    found = anomaly_detector.detect_anomalies(np.array([10, 12, 11, 13, 100, 12, 11]), threshold=3.0)
    assert [(anomaly["index"], anomaly["value"]) for anomaly in found["anomalies"]] == [(4, 100)]
    assert (found["anomaly_count"], round(found["anomaly_rate"], 2)) == (1, 0.14)
    accuracies = [0.92, 0.91, 0.90, 0.89, 0.85, 0.84, 0.83, 0.82, 0.80]
    assert anomaly_detector.detect_performance_degradation(accuracies, window_size=3)
    health = health_monitor.get_system_status()
    assert health["overall_status"] == "healthy"
    assert health["checks"]["api_latency"] and health["checks"]["error_rate"]
    assert health["api"]["latency_stats"]["mean"] == 150.5


def logs_are_written(folder: Path) -> None:
    from mlops import app_logger, mlops_logger, monitoring_logger

    app_logger.info("Application started")
    mlops_logger.info("MLOps initialized")
    monitoring_logger.warning("High latency detected")
    extra_data = {"request_id": "req_12345", "query": "chicken recipes", "latency_ms": 250.5, "status": "success"}
    get_logger(__name__).log_with_context(level=logging.INFO, msg="Recommendation generated", extra_data=extra_data)
    for handler in logging.getLogger().handlers:
        handler.flush()
    (app,) = (folder / "logs").glob("app_*.log")
    last = json.loads(app.read_text().splitlines()[-1])
    assert (last["message"], last["extra_data"]) == ("Recommendation generated", extra_data)
    assert list((folder / "logs").glob("mlops_*.log")) and list((folder / "logs").glob("monitoring_*.log"))


def retraining_is_checked_and_scheduled() -> None:
    assert retraining_orchestrator.check_retrain_needed("hybrid_ranker") == (False, {})
    for _ in range(3):
        metrics_collector.record("accuracy", 0.8)  # 13 % below what was registered
    needs_retrain, reasons = retraining_orchestrator.check_retrain_needed("hybrid_ranker")
    assert needs_retrain and list(reasons) == ["performance_degradation"]
    results = auto_scheduler.check_and_schedule_retraining(["hybrid_ranker"])
    assert results["retraining_needed"] == [{"model_id": "hybrid_ranker", "reasons": reasons}]
    assert results["models_checked"] == len(results["scheduled_jobs"]) == 1
    job = retraining_orchestrator.create_retrain_job("hybrid_ranker")
    assert [job.job_id] == results["scheduled_jobs"]
    assert retraining_orchestrator.get_job_status(job.job_id) == job
    assert retraining_orchestrator.list_jobs(model_id="hybrid_ranker", status="completed") == []


class MeanModel:
    """A fitted model: predicts the mean of what it saw."""

    def predict(self, data: pd.DataFrame) -> list[float]:
        return [3.0] * len(data)


def test_the_complete_example_runs(folder: Path) -> None:
    """Evaluate, report, register, monitor, promote and look at the health: each step finds what those before it did."""
    (folder / "training_data.csv").write_text("rating\n2\n3\n4\n")
    training_data = pd.read_csv("training_data.csv")
    metrics = ModelEvaluator().calculate_ranking_metrics(
        training_data["rating"].values, MeanModel().predict(training_data)
    )
    report = EvaluationReport("hybrid_ranker", "1.0.1")
    report.add_metrics(metrics)
    assert report.save().is_file()
    model_registry.register_model(
        ModelMetadata(
            model_id="hybrid_ranker",
            model_type="hybrid",
            version="1.0.1",
            description="Improved model with better accuracy",
            metrics=metrics,
            parameters={"alpha": np.float64(0.7), "layers": np.array([2, 3])},
            status="validation",
        )
    )
    metrics_collector.record("api_latency_ms", 145.3)
    metrics_collector.record("request_count", 1)
    assert model_registry.update_model_status("hybrid_ranker", "1.0.1", "production")
    production = model_registry.get_production_model("hybrid_ranker")
    assert production is not None and production.parameters == {"alpha": 0.7, "layers": [2, 3]}
    assert health_monitor.get_system_status()["overall_status"] == "healthy"


def test_a_version_is_one_thing() -> None:
    """Where a section and the complete example register the same version with other content, the second is refused."""
    model_registry.register_model(FIRST)
    other = ModelMetadata(model_id="hybrid_ranker", model_type="hybrid", version="1.0.1", metrics={"mse": 0.04})
    with pytest.raises(ModelVersionExists) as refused:
        model_registry.register_model(other)
    assert refused.value.__notes__ == ["the next free version is 1.0.2"]
