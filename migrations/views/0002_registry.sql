-- Owner: projections/registry.py. Times are microseconds since the Unix epoch, UTC.
CREATE TABLE model_versions (
    model_id TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_type TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    metrics TEXT NOT NULL,    -- JSON
    parameters TEXT NOT NULL, -- JSON
    tags TEXT NOT NULL,       -- JSON
    registered_at INTEGER NOT NULL,
    deployed_at INTEGER,      -- when it last entered production
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (model_id, model_version)
) STRICT;

CREATE INDEX model_versions_by_position ON model_versions (position);
CREATE INDEX model_versions_in_production ON model_versions (model_id, deployed_at) WHERE status = 'production';

CREATE TABLE model_history (
    position INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL,
    model_version TEXT NOT NULL,
    old_status TEXT,          -- null where the version was registered
    new_status TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    event_id TEXT NOT NULL
) STRICT;

CREATE INDEX model_history_by_version ON model_history (model_id, model_version, position);
