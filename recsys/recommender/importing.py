"""Importing a source of recipes into the log: each new or changed recipe once. Floor 3."""

import asyncio
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec

from events.catalog import Event, Recipe, RecipesImported, RecipeStored
from events.codec import encode
from events.event import Metadata
from events.store import EventStore
from recsys.recommender.errors import InvalidSourceName
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.sources.formats import Row

RUN_RECIPES = 100  # recipes an append: one row of the log holds them all
PAGE_EVENTS = 1000
SOURCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did. position: of its last event, 0 if nothing was new."""

    source: str
    added: int
    changed: int
    unchanged: int
    skipped: list[Problem]
    position: int


def no_progress(_rows: int) -> None:
    """Show nothing."""


async def import_source(
    store: EventStore,
    path: Path,
    *,
    source: str,
    metadata: Metadata,
    progress: Callable[[int], object] = no_progress,
) -> ImportReport:
    """Append the recipes of a file that are new or changed, a hundred an append, then RecipesImported.

    Importing the same again appends nothing; what the file no longer holds stays. progress: called with the number of
    rows read since the last call. Raises UnreadableSource, InvalidSourceName, and WrongExpectedVersion if another
    import of the same source runs.
    """
    if not SOURCE_NAME.fullmatch(source):
        raise InvalidSourceName(source)
    catalogue = await Catalogue.read(store, source)
    rows = read_source(path)
    while run := await asyncio.to_thread(lambda: list(islice(rows, RUN_RECIPES))):
        new = catalogue.decide(run)
        await catalogue.append(store, new, metadata)
        progress(len(run))
    if catalogue.position:
        await catalogue.append(store, [catalogue.imported()], metadata)
    return catalogue.report()


class Catalogue:
    """One source's recipes as its stream has them, and what an import changes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.hashes: dict[str, str] = {}
        self.stream_version = 0
        self.seen: dict[str, int] = {}
        self.contents: dict[str, int] = {}
        self.added = self.changed = self.unchanged = self.position = 0
        self.skipped: list[Problem] = []

    @classmethod
    async def read(cls, store: EventStore, source: str) -> "Catalogue":
        """Return the source's recipes as the log has them now."""
        catalogue = cls(source)
        while events := await store.read_stream(catalogue.stream, after=catalogue.stream_version, limit=PAGE_EVENTS):
            stored = (event.data for event in events if isinstance(event.data, RecipeStored))
            catalogue.hashes.update((data.recipe.recipe_id, data.content_hash) for data in stored)
            catalogue.stream_version = events[-1].stream_version
        return catalogue

    @property
    def stream(self) -> str:
        return f"catalogue-{self.source}"

    def decide(self, rows: list[Row]) -> list[Event]:
        """Return the events of these rows: one for each recipe that is new or differs from the stored."""
        found = (self.stored(recipe) for recipe in self.usable(rows))
        return [event for event in found if event]

    def usable(self, rows: list[Row]) -> Iterator[Recipe]:
        for row in rows:
            if isinstance(row, Problem):
                self.skipped.append(row)
            elif (first := self.contents.setdefault(content_hash(row[1]), row[0])) != row[0]:
                self.skipped.append(Problem(line=row[0], field="", reason=f"the same recipe as in line {first}"))
            else:
                yield row[1]

    def stored(self, recipe: Recipe) -> RecipeStored | None:
        recipe = msgspec.structs.replace(recipe, recipe_id=self.unique_id(recipe.recipe_id))
        content, former = content_hash(recipe), self.hashes.get(recipe.recipe_id)
        self.added += former is None
        self.changed += former not in (None, content)
        self.unchanged += former == content
        return None if former == content else RecipeStored(source=self.source, recipe=recipe, content_hash=content)

    def unique_id(self, slug: str) -> str:
        """Return source-slug, numbered in the file's order where several recipes share it."""
        number = self.seen[slug] = self.seen.get(slug, 0) + 1
        numbered = slug if number == 1 else f"{slug}-{number}"
        if number > 1 and numbered in self.seen:
            return self.unique_id(slug)
        self.seen.setdefault(numbered, 1)
        return f"{self.source}-{numbered}"

    async def append(self, store: EventStore, events: list[Event], metadata: Metadata) -> None:
        if not events:
            return
        done = await store.append(self.stream, events, metadata=metadata, expected_version=self.stream_version)
        self.stream_version, self.position = done.stream_version, done.position

    def imported(self) -> RecipesImported:
        return RecipesImported(
            source=self.source,
            added=self.added,
            changed=self.changed,
            unchanged=self.unchanged,
            skipped=len(self.skipped),
        )

    def report(self) -> ImportReport:
        return ImportReport(
            source=self.source,
            added=self.added,
            changed=self.changed,
            unchanged=self.unchanged,
            skipped=self.skipped,
            position=self.position,
        )


def content_hash(recipe: Recipe) -> str:
    """Return the first 32 hex digits of the SHA-256 of the recipe's JSON."""
    return sha256(encode(recipe)).hexdigest()[:32]
