"""The schemas of log.db and views.db, a file a change. Floor 0: imports nothing of ours."""
