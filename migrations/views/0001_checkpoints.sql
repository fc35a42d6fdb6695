-- How far each view stands: one row a view, committed together with the rows of that view.
CREATE TABLE checkpoints (
    view TEXT PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    position INTEGER NOT NULL,   -- of the last event applied
    changed_at INTEGER NOT NULL, -- the position by which the view last changed
    log_hash BLOB NOT NULL       -- the log's hash chain at `position`, by which a view knows its log; empty at 0
) STRICT;
