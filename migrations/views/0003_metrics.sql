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
    resolution INTEGER NOT NULL,  -- microseconds
    start INTEGER NOT NULL,       -- a multiple of the resolution
    count INTEGER NOT NULL,
    mean REAL NOT NULL,
    m2 REAL NOT NULL,             -- the sum of squared deviations from the mean
    min REAL NOT NULL,
    max REAL NOT NULL,
    sketch BLOB NOT NULL,         -- the points, little-endian float64, up to 512 of them; beyond that projections/histogram.py
    PRIMARY KEY (series, resolution, start)
) STRICT;
