CREATE TABLE ratings (
    recipe_id TEXT    NOT NULL,
    user      TEXT    NOT NULL,
    anonymous INTEGER NOT NULL,     -- 0, or the event's position: each anonymous rating stands for itself
    rating    REAL    NOT NULL,
    rated_at  INTEGER NOT NULL,     -- microseconds since the epoch
    PRIMARY KEY (recipe_id, user, anonymous)
) STRICT, WITHOUT ROWID;

CREATE TABLE recipe_ratings (
    recipe_id    TEXT    NOT NULL PRIMARY KEY,
    rating_count INTEGER NOT NULL,
    rating_sum   REAL    NOT NULL,
    position     INTEGER NOT NULL   -- of the last rating that changed them
) STRICT, WITHOUT ROWID;

CREATE INDEX recipe_ratings_by_position ON recipe_ratings (position);
