-- Owner: projections/metrics.py. Times are microseconds since the Unix epoch, UTC.
CREATE TABLE metric_series (
    series INTEGER PRIMARY KEY,   -- counted from 1 in the order of the log
    metric TEXT NOT NULL,
    labels TEXT NOT NULL,         -- JSON with sorted keys
    last_at INTEGER NOT NULL,     -- time and value of its latest point
    last_value REAL NOT NULL,
    UNIQUE (metric, labels)
) STRICT;

CREATE TABLE metric_buckets (
    series INTEGER NOT NULL,
    resolution INTEGER NOT NULL,       -- microseconds
    start INTEGER NOT NULL,            -- a multiple of the resolution
    count INTEGER NOT NULL,            -- of all its points
    summary BLOB NOT NULL DEFAULT x'', -- of its first points: projections/buckets.py; empty while it has few
    points BLOB NOT NULL,              -- the values of the others, little-endian float64, in the order of the log
    PRIMARY KEY (series, resolution, start)
) STRICT;

-- The buckets whose points are to be summarised; none is left at the end of a batch.
CREATE INDEX metric_buckets_full ON metric_buckets (series) WHERE count > 512 AND length(points) >= 1024;

-- Up to which hour of the log's time the finer buckets have expired: one row.
CREATE TABLE metric_expiry (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    hour INTEGER NOT NULL
) STRICT;
