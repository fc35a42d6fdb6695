"""The translations view: the latest translation of each recipe's text into each language. Floor 2."""

import sqlite3
from collections.abc import Sequence

import aiosqlite
import msgspec

from events.catalog import Event, RecipeTranslated
from events.codec import encode
from events.event import RecordedEvent
from projections.rows import write_rows

decode_translation = msgspec.json.Decoder(RecipeTranslated).decode

UPSERT_TRANSLATION = """
INSERT INTO translations (text_hash, target_language, translation, position)
VALUES ?
ON CONFLICT (text_hash, target_language) DO UPDATE SET
    translation = excluded.translation, position = excluded.position
"""


class TranslationsProjection:
    """The translations, from RecipeTranslated."""

    name = "translations"
    schema_version = 1
    tables: tuple[str, ...] = ("translations",)
    event_types: frozenset[type[Event]] = frozenset({RecipeTranslated})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's translations; True if there were any."""
        rows = [translation_row(event, event.data) for event in events if isinstance(event.data, RecipeTranslated)]
        write_rows(connection, UPSERT_TRANSLATION, rows)
        return bool(rows)


def translation_row(event: RecordedEvent, done: RecipeTranslated) -> tuple[str, str, bytes, int]:
    return done.text_hash, done.target_language, encode(done), event.position


async def translations_of(
    db: aiosqlite.Connection, text_hashes: Sequence[str], target_language: str
) -> dict[str, RecipeTranslated]:
    """Return the translations of these texts into the language, by hash; those that there are."""
    query = f"""
        SELECT text_hash, translation
        FROM translations
        WHERE target_language = ? AND text_hash IN ({", ".join("?" * len(text_hashes))})
    """
    rows = await db.execute_fetchall(query, (target_language, *text_hashes))
    return {text_hash: decode_translation(encoded) for text_hash, encoded in rows}
