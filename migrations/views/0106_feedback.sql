DROP TABLE ratings;     -- they are built anew: the key of an anonymous rating has become text

CREATE TABLE ratings (
    recipe_id   TEXT    NOT NULL,
    user        TEXT    NOT NULL,
    anonymous   TEXT    NOT NULL,   -- '' of a user; else the request's id, or # and the event's position: see voice_of
    rating      REAL    NOT NULL,
    rated_at    INTEGER NOT NULL,   -- microseconds since the epoch
    recorded_at INTEGER NOT NULL,   -- later than rated_at where a rating was imported
    PRIMARY KEY (recipe_id, user, anonymous)
) STRICT, WITHOUT ROWID;

CREATE TABLE served_answers (
    request_id    TEXT NOT NULL PRIMARY KEY,
    query         TEXT NOT NULL,
    model_id      TEXT NOT NULL,
    model_version TEXT NOT NULL,
    recipe_ids    TEXT NOT NULL,    -- JSON, best first
    scores        TEXT NOT NULL     -- JSON, beside them
) STRICT;

CREATE TABLE samples (
    query           TEXT    NOT NULL,
    recipe_id       TEXT    NOT NULL,
    user            TEXT    NOT NULL,
    anonymous       TEXT    NOT NULL,   -- as in ratings
    rating          REAL,               -- NULL here and below: nothing was said of it
    relevance       INTEGER,
    click           INTEGER,
    cook            INTEGER,
    save            INTEGER,
    hide            INTEGER,
    given_at        INTEGER NOT NULL,   -- microseconds since the epoch, of the last opinion
    request_id      TEXT,               -- of the answer that the opinion is about, if it is about one, and so below
    answer_position INTEGER,            -- the recipe's place in the answer, from 1
    score           REAL,
    model_id        TEXT,
    model_version   TEXT,
    position        INTEGER NOT NULL,   -- of the event with the last opinion
    PRIMARY KEY (query, recipe_id, user, anonymous)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX samples_by_position ON samples (position);
