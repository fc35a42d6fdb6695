-- The log. A row of `runs` holds consecutive events of one append, stream and type; `data` is the JSON array of them.
-- position and stream_version are those of the run's last event; `events` (below) shows one event a row.

CREATE TABLE log_info (
    log_id TEXT NOT NULL,       -- a UUID; its SHA-256 is where the hash chain starts
    id_salt INTEGER NOT NULL,   -- 14 bits of every event id, so that two logs do not make the same ids
    created_at INTEGER NOT NULL -- microseconds since the Unix epoch, UTC
) STRICT;

CREATE TABLE runs (
    position INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    stream TEXT NOT NULL,
    stream_version INTEGER NOT NULL,
    type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL, -- microseconds since the Unix epoch, UTC
    event_id TEXT,                -- only where the caller gave one: else it follows from recorded_at, id_salt and position
    metadata TEXT NOT NULL,
    data TEXT NOT NULL,
    hash BLOB NOT NULL            -- SHA-256 of the previous hash and this row: events/chain.py
) STRICT;

CREATE INDEX runs_by_stream ON runs (stream, stream_version);

-- Idempotency: an append's key (`key:…`) or an event id that a caller gave (`event:…`), and the positions it stands for.
CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    first_position INTEGER NOT NULL,
    position INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- INSERT OR REPLACE deletes without firing a delete trigger, so the insert triggers refuse all that is not the next row.
CREATE TRIGGER runs_insert BEFORE INSERT ON runs
WHEN NEW.position - NEW.count IS NOT (SELECT coalesce(max(position), 0) FROM runs)
  OR NEW.stream_version - NEW.count IS NOT (SELECT coalesce(max(stream_version), 0) FROM runs WHERE stream = NEW.stream)
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only and without gaps');
END;
CREATE TRIGGER runs_update BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER runs_delete BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER keys_insert BEFORE INSERT ON keys WHEN EXISTS (SELECT 1 FROM keys WHERE key = NEW.key)
BEGIN
    SELECT RAISE(ABORT, 'an idempotency key is used once');
END;
CREATE TRIGGER keys_update BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER keys_delete BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_info_insert BEFORE INSERT ON log_info WHEN EXISTS (SELECT 1 FROM log_info)
BEGIN
    SELECT RAISE(ABORT, 'a log has one identity');
END;
CREATE TRIGGER log_info_update BEFORE UPDATE ON log_info BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_info_delete BEFORE DELETE ON log_info BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- One event a row, for sqlite3, pandas and DuckDB.
CREATE VIEW events AS
SELECT
    runs.position - runs.count + 1 + item.key AS position,
    coalesce(
        runs.event_id,
        printf(
            '%08x-%04x-7%03x-%04x-%012x',
            runs.recorded_at / 65536000,
            runs.recorded_at / 1000 % 65536,
            runs.recorded_at % 1000 * 4096 / 1000,
            32768 | log_info.id_salt,
            runs.position - runs.count + 1 + item.key
        )
    ) AS event_id,
    runs.stream,
    runs.stream_version - runs.count + 1 + item.key AS stream_version,
    runs.type,
    runs.schema_version,
    runs.recorded_at,
    item.value AS data,
    runs.metadata,
    lower(hex(runs.hash)) AS hash
FROM runs, log_info, json_each(runs.data) AS item;
