"""`anomaly_detector`: the one that the guide imports. Floor 3."""

from recsys.monitoring.anomalies import AnomalyDetector

anomaly_detector = AnomalyDetector()
