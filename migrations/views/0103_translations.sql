CREATE TABLE translations (
    text_hash       TEXT    NOT NULL,
    target_language TEXT    NOT NULL,
    translation     BLOB    NOT NULL,  -- the JSON of events.catalog.RecipeTranslated
    position        INTEGER NOT NULL,  -- of the event that stored it last
    PRIMARY KEY (text_hash, target_language)
) STRICT;
