-- Owner: projections/jobs.py. Times are microseconds since the Unix epoch, UTC.
CREATE TABLE retrain_jobs (
    job_id TEXT PRIMARY KEY,
    model_id TEXT NOT NULL,
    status TEXT NOT NULL,  -- pending, running, completed, failed
    reasons TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    worker TEXT NOT NULL,
    new_version TEXT NOT NULL,
    metrics TEXT NOT NULL, -- JSON
    error TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL
) STRICT;

CREATE INDEX retrain_jobs_by_model ON retrain_jobs (model_id, status, position);
