"""Measuring the search: judged requests, metrics with their uncertainty, and configurations compared. Floor 3."""
