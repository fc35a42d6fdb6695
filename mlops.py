"""The guide's Python API, synchronous: `from mlops import model_registry, metrics_collector, …`. Floor 4.

It appends to the same log as the server, beside it or without it, and each sees what the other wrote. A name is loaded
when it is asked for, and the log is opened by the first call that needs it.
"""

import importlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.api.anomalies import anomaly_detector
    from recsys.api.health import HealthMonitor, health_monitor
    from recsys.api.logs import app_logger, get_logger, mlops_logger, monitoring_logger, setup_logging
    from recsys.api.metrics import METRICS_NAMES, MetricsCollector, metrics_collector
    from recsys.api.models import ModelMetadata, ModelRegistry, model_registry
    from recsys.api.reports import EvaluationReport
    from recsys.api.retraining import auto_scheduler, retraining_orchestrator
    from recsys.config import Settings
    from recsys.drift.profile import ReferenceProfile
    from recsys.evaluation.evaluator import ModelEvaluator
    from recsys.evaluation.validator import ModelValidator
    from recsys.http.retraining import JobAnswer as RetrainingJob
    from recsys.monitoring.anomalies import AnomalyDetector
    from recsys.retraining.triggers import Policy as RetrainingConfig

    config: Settings

__all__ = [
    "METRICS_NAMES",
    "AnomalyDetector",
    "EvaluationReport",
    "HealthMonitor",
    "MetricsCollector",
    "ModelEvaluator",
    "ModelMetadata",
    "ModelRegistry",
    "ModelValidator",
    "ReferenceProfile",
    "RetrainingConfig",
    "RetrainingJob",
    "anomaly_detector",
    "app_logger",
    "auto_scheduler",
    "config",
    "get_logger",
    "health_monitor",
    "metrics_collector",
    "mlops_logger",
    "model_registry",
    "monitoring_logger",
    "retraining_orchestrator",
    "setup_logging",
]

# Where each name comes from: a module, and what it is called there if that differs.
PLACES = {
    "METRICS_NAMES": "recsys.api.metrics",
    "AnomalyDetector": "recsys.monitoring.anomalies",
    "EvaluationReport": "recsys.api.reports",
    "HealthMonitor": "recsys.api.health",
    "MetricsCollector": "recsys.api.metrics",
    "ModelEvaluator": "recsys.evaluation.evaluator",
    "ModelMetadata": "recsys.api.models",
    "ModelRegistry": "recsys.api.models",
    "ModelValidator": "recsys.evaluation.validator",
    "ReferenceProfile": "recsys.drift.profile",
    "RetrainingConfig": "recsys.retraining.triggers:Policy",
    "RetrainingJob": "recsys.http.retraining:JobAnswer",
    "anomaly_detector": "recsys.api.anomalies",
    "app_logger": "recsys.api.logs",
    "auto_scheduler": "recsys.api.retraining",
    "config": "recsys.api.runtime:runtime.settings",
    "get_logger": "recsys.api.logs",
    "health_monitor": "recsys.api.health",
    "metrics_collector": "recsys.api.metrics",
    "mlops_logger": "recsys.api.logs",
    "model_registry": "recsys.api.models",
    "monitoring_logger": "recsys.api.logs",
    "retraining_orchestrator": "recsys.api.retraining",
    "setup_logging": "recsys.api.logs",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in PLACES:
            raise AttributeError(f"module mlops has no {name}; it has {', '.join(__all__)}")
        module, _, path = PLACES[name].partition(":")
        return attrgetter(path or name)(importlib.import_module(module))


def __dir__() -> list[str]:
    return __all__
