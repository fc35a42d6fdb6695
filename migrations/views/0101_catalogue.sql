CREATE TABLE recipes (
    recipe_id    TEXT    NOT NULL PRIMARY KEY,
    source       TEXT    NOT NULL,
    content_hash TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    recipe       BLOB    NOT NULL,  -- the JSON of events.catalog.Recipe
    position     INTEGER NOT NULL   -- of the event that stored it last
) STRICT;

CREATE INDEX recipes_by_position ON recipes (position);

CREATE TABLE recipe_sources (
    source      TEXT    NOT NULL PRIMARY KEY,
    added       INTEGER NOT NULL,   -- what the last import that changed anything did
    changed     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    imported_at INTEGER NOT NULL,   -- microseconds since the epoch
    position    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
