-- Owner: projections/alerts.py. Times are microseconds since the Unix epoch, UTC.
CREATE TABLE alert_rules (
    rule     TEXT    NOT NULL PRIMARY KEY,
    content  BLOB,              -- the JSON of events.catalog.AlertRuleSet; null where the rule was removed
    set_at   INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;

CREATE TABLE alerts (
    alert_id    TEXT    NOT NULL PRIMARY KEY,
    rule        TEXT    NOT NULL,
    metric      TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    raised_at   INTEGER NOT NULL,
    value       REAL,
    threshold   REAL    NOT NULL,
    explanation TEXT    NOT NULL,
    resolved_at INTEGER,
    resolution  TEXT    NOT NULL,
    position    INTEGER NOT NULL  -- of the event that raised it
) STRICT;

CREATE INDEX alerts_by_position ON alerts (position);
CREATE INDEX alerts_open ON alerts (position) WHERE resolved_at IS NULL;
CREATE INDEX alerts_by_raising ON alerts (raised_at);
CREATE INDEX alerts_by_resolution ON alerts (resolved_at);

CREATE TABLE alert_deliveries (
    position    INTEGER NOT NULL PRIMARY KEY,
    alert_id    TEXT    NOT NULL,
    notice      TEXT    NOT NULL, -- raised, resolved
    receiver    TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    outcome     TEXT    NOT NULL, -- delivered, failed, given_up
    http_status INTEGER,
    error       TEXT    NOT NULL
) STRICT;

CREATE INDEX alert_deliveries_by_alert ON alert_deliveries (alert_id, receiver, notice);
