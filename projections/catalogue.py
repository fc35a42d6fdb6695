"""The catalogue view: the recipes as last stored, with the last import of each source. Floor 2."""

import sqlite3
from collections.abc import Iterable, Sequence

import aiosqlite
import msgspec

from events.catalog import Event, Recipe, RecipesImported, RecipeStored
from events.codec import encode
from events.event import RecordedEvent
from projections.rows import write_rows

decode_recipe = msgspec.json.Decoder(Recipe).decode

UPSERT_RECIPE = """
INSERT INTO recipes (recipe_id, source, content_hash, language, recipe, position)
VALUES ?
ON CONFLICT (recipe_id) DO UPDATE SET
    source = excluded.source, content_hash = excluded.content_hash, language = excluded.language,
    recipe = excluded.recipe, position = excluded.position
"""
UPSERT_SOURCE = """
INSERT INTO recipe_sources (source, added, changed, unchanged, skipped, imported_at, position)
VALUES ?
ON CONFLICT (source) DO UPDATE SET
    added = excluded.added, changed = excluded.changed, unchanged = excluded.unchanged,
    skipped = excluded.skipped, imported_at = excluded.imported_at, position = excluded.position
"""


class CatalogueProjection:
    """The recipes, from RecipeStored; the last import of each source, from RecipesImported."""

    name = "catalogue"
    schema_version = 1
    tables: tuple[str, ...] = ("recipes", "recipe_sources")
    event_types: frozenset[type[Event]] = frozenset({RecipeStored, RecipesImported})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's recipes and imports; True if there were any."""
        recipes = [recipe_row(event, event.data) for event in events if isinstance(event.data, RecipeStored)]
        imports = [source_row(event, event.data) for event in events if isinstance(event.data, RecipesImported)]
        write_rows(connection, UPSERT_RECIPE, recipes)
        write_rows(connection, UPSERT_SOURCE, imports)
        return bool(recipes or imports)


def recipe_row(event: RecordedEvent, stored: RecipeStored) -> tuple[str, str, str, str, bytes, int]:
    recipe = stored.recipe
    encoded = encode(recipe)
    return recipe.recipe_id, stored.source, stored.content_hash, recipe.language, encoded, event.position


def source_row(event: RecordedEvent, done: RecipesImported) -> tuple[str, int, int, int, int, int, int]:
    return done.source, done.added, done.changed, done.unchanged, done.skipped, event.recorded_at, event.position


class StoredRecipe(msgspec.Struct, frozen=True, gc=False):
    """A recipe of the catalogue, still encoded: thousands are held and few are shown.

    position: of the event that stored it last.
    """

    recipe_id: str
    content_hash: str
    language: str
    encoded: bytes
    position: int

    def decode(self) -> Recipe:
        return decode_recipe(self.encoded)


class SourceImport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last import of a source that changed anything. imported_at: microseconds since the epoch."""

    source: str
    added: int
    changed: int
    unchanged: int
    skipped: int
    imported_at: int


async def get_recipe(db: aiosqlite.Connection, recipe_id: str) -> Recipe | None:
    """Return the recipe of that id, or None."""
    async with db.execute("SELECT recipe FROM recipes WHERE recipe_id = ?", (recipe_id,)) as cursor:
        row = await cursor.fetchone()
    return decode_recipe(row[0]) if row else None


async def known_recipe_ids(db: aiosqlite.Connection, wanted: Iterable[str]) -> set[str]:
    """Return those of the ids that the catalogue holds."""
    query = "SELECT recipe_id FROM recipes WHERE recipe_id IN (SELECT value FROM json_each(?))"
    return {row[0] for row in await db.execute_fetchall(query, (encode(list(wanted)).decode(),))}


async def recipe_ids(db: aiosqlite.Connection) -> set[str]:
    """Return the ids of all recipes."""
    return {row[0] for row in await db.execute_fetchall("SELECT recipe_id FROM recipes")}


async def stored_recipes(db: aiosqlite.Connection, *, after: int = 0) -> list[StoredRecipe]:
    """Return the recipes stored above position `after`, in the order of their positions."""
    query = """
        SELECT recipe_id, content_hash, language, recipe, position
        FROM recipes
        WHERE position > ?
        ORDER BY position
    """
    return [StoredRecipe(*row) for row in await db.execute_fetchall(query, (after,))]


async def source_imports(db: aiosqlite.Connection) -> list[SourceImport]:
    """Return the last import of each source, by name."""
    query = "SELECT source, added, changed, unchanged, skipped, imported_at FROM recipe_sources ORDER BY source"
    fields = SourceImport.__struct_fields__
    return [SourceImport(**dict(zip(fields, row, strict=True))) for row in await db.execute_fetchall(query)]
