"""The guide's Python API: synchronous, over the same event log as the server. Floor 3; `mlops.py` is its door."""
