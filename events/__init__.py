"""The event log: an append-only store of typed events. Floor 1: imports nothing of ours but the migrations."""
