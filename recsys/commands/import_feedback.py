"""run.py import-feedback: a CSV of opinions on recipes into the log, each once. Floor 3."""

import argparse
import asyncio
import csv
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from tqdm import tqdm

from events.catalog import FeedbackGiven
from events.codec import encode
from events.event import Metadata
from events.sqlite import SqliteEventStore
from events.store import EventStore
from projections.catalogue import recipe_ids
from recsys.commands.all_views import all_views
from recsys.commands.import_recipes import skipped_in_words
from recsys.commands.outcome import DONE, SOMETHING_WRONG, show
from recsys.commands.surroundings import writable_log
from recsys.config import Settings
from recsys.errors import InvalidInput
from recsys.evaluation.engine import open_catalogue
from recsys.feedback import SIGNALS, Opinion, appends_of, said_in
from recsys.http.decoding import converted
from recsys.http.metric_points import Seconds
from recsys.recommender.errors import UnreadableSource
from recsys.recommender.sources import Problem, records
from recsys.times import from_iso

METADATA: Final = Metadata(actor="import-feedback")
# Rows an append: the larger, the more of a recipe's feedback shares one row of the log; the longest rows still fit one.
RUN_ROWS: Final = 4_000
PAGE_EVENTS: Final = 5_000
HEAD_BYTES: Final = 1 << 20
UNKNOWN_SHOWN: Final = 5

Row = tuple[int, FeedbackGiven] | Problem


class FeedbackRow(Opinion, frozen=True, kw_only=True, gc=False):
    """A row of the file; an empty cell says nothing. timestamp or date: ISO 8601, or seconds since the Unix epoch."""

    timestamp: str = ""
    date: str = ""


class FeedbackImported(msgspec.Struct, kw_only=True):
    """What an import did, in rows. unknown_recipes: recipe id → rows about it that were skipped.

    unchanged: rows that an earlier import recorded. position: of the last event, 0 if nothing was new.
    """

    recorded: int = 0
    unchanged: int = 0
    unknown_recipes: dict[str, int] = {}
    skipped: list[Problem] = []
    position: int = 0


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Import the file and say what was recorded and what was skipped."""
    writable_log(settings.data_dir)
    path = Path(arguments.file)
    report = asyncio.run(
        import_file(settings, path, source=arguments.source, is_any_recipe_taken=arguments.allow_unknown)
    )
    show(report, in_words(report, path), as_json=arguments.json)
    return SOMETHING_WRONG if report.skipped or report.unknown_recipes else DONE


async def import_file(
    settings: Settings, path: Path, *, source: str | None, is_any_recipe_taken: bool
) -> FeedbackImported:
    """Import through the log's writer: this process, or the service if it runs. Raises UnreadableSource."""
    encoding = check_head(path)
    catalogue = None if is_any_recipe_taken else await recipes_of(settings)
    async with await SqliteEventStore.open(settings.data_dir / "log.db") as store:
        importing = Import(store, catalogue)
        with tqdm(unit=" rows", desc=path.name, disable=None) as bar:
            rows = read_rows(path, encoding, prefix=f"{source}-" if source else "")
            while some := await asyncio.to_thread(lambda: list(islice(rows, RUN_ROWS))):
                await importing.take(some)
                bar.update(len(some))
    return importing.report


async def recipes_of(settings: Settings) -> set[str]:
    """Return the ids of the recipes that the log holds now."""
    async with open_catalogue(settings.data_dir, projections=all_views()) as views, views.reader() as db:
        return await recipe_ids(db)


def check_head(path: Path) -> str:
    """Return the file's encoding. Raises UnreadableSource unless its columns are those of feedback."""
    head = records.read_head(path, HEAD_BYTES)
    encoding = records.text_encoding(head)
    columns = records.csv_columns(head.decode(encoding, errors="replace").split("\n", 1)[0])
    unknown = set(columns) - set(FeedbackRow.__struct_fields__)
    if unknown or "recipe_id" not in columns or not set(SIGNALS) & set(columns):
        raise UnreadableSource(
            f"{path} begins with the columns {', '.join(columns)[:200]}; needed are recipe_id and one of "
            f"{', '.join(SIGNALS)}; allowed are also query, user, and timestamp or date"
        )
    return encoding


def read_rows(path: Path, encoding: str, *, prefix: str) -> Iterator[Row]:
    """Yield the file's opinions with their lines, and what is wrong with the others. prefix: of the recipes' ids.

    Raises UnreadableSource where the file turns out to be cut short.
    """
    try:
        with records.open_source(path) as stream:
            for record in records.csv_rows(stream, encoding):
                yield record if isinstance(record, Problem) else read_row(record, prefix)
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        raise UnreadableSource(f"cannot read {path} to its end: {error}") from error


def read_row(record: records.Record, prefix: str) -> Row:
    try:
        return record.line, opinion(record.fields, prefix)
    except InvalidInput as error:
        return Problem(line=record.line, field=error.field, reason=f"found {error.found}; {error.fix}")


def opinion(cells: dict[str, str], prefix: str) -> FeedbackGiven:
    """Return the feedback of one row. Raises InvalidInput, which names the column."""
    row: FeedbackRow = converted(
        {column: text for column, cell in cells.items() if (text := cell.strip())}, FeedbackRow
    )
    said = said_in(row)
    return FeedbackGiven(
        recipe_id=prefix + row.recipe_id,
        query=row.query,
        user=row.user,
        at=moment(row.timestamp, field="timestamp") if row.timestamp else moment(row.date, field="date"),
        **said,
    )


def moment(text: str, *, field: str) -> int | None:
    """Return the time, microseconds since the epoch; None if there is none. Raises InvalidInput."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return from_iso(text, field=field)
    return round(1_000_000 * float(converted(seconds, Seconds, place=field)))


class Import:
    """One file on its way into the log. catalogue: the recipes that there are; None: any will do."""

    def __init__(self, store: EventStore, catalogue: Collection[str] | None) -> None:
        self.report = FeedbackImported()
        self._store = store
        self._catalogue = catalogue
        self._recorded: dict[str, Counter[FeedbackGiven]] = {}  # by earlier imports and not yet met in this file

    async def take(self, rows: Sequence[Row]) -> None:
        """Append the opinions that no earlier import recorded, all in one append, and count the others."""
        new: list[tuple[int, FeedbackGiven]] = []
        for row in rows:
            if isinstance(row, Problem):
                self.report.skipped.append(row)
            elif self._catalogue is not None and row[1].recipe_id not in self._catalogue:
                unknown = self.report.unknown_recipes
                unknown[row[1].recipe_id] = unknown.get(row[1].recipe_id, 0) + 1
            elif await self._was_recorded(row[1]):
                self.report.unchanged += 1
            else:
                new.append(row)
        if new:
            await self._append(new)

    async def _was_recorded(self, given: FeedbackGiven) -> bool:
        """Whether an earlier import recorded the same opinion, as often as it has been met."""
        recorded = self._recorded.get(given.recipe_id)
        if recorded is None:
            recorded = self._recorded[given.recipe_id] = await imported_feedback(self._store, given.recipe_id)
        if not recorded[given]:
            return False
        recorded[given] -= 1
        return True

    async def _append(self, new: list[tuple[int, FeedbackGiven]]) -> None:
        """Append under a key of the rows, so that of two imports of one file at the same time each row counts once."""
        appended = await self._store.append_all(
            appends_of(given for _, given in new),
            metadata=METADATA,
            key=f"{METADATA.actor}:{sha256(encode(new)).hexdigest()}",
        )
        if appended.is_repeat:
            self.report.unchanged += len(new)
        else:
            self.report.recorded += len(new)
            self.report.position = appended.position


async def imported_feedback(store: EventStore, recipe_id: str) -> Counter[FeedbackGiven]:
    """Return how often each opinion on the recipe has been imported."""
    found: Counter[FeedbackGiven] = Counter()
    version = 0
    while events := await store.read_stream(f"feedback-{recipe_id}", after=version, limit=PAGE_EVENTS):
        version = events[-1].stream_version
        found.update(
            event.data
            for event in events
            if isinstance(event.data, FeedbackGiven) and event.metadata.actor == METADATA.actor
        )
    return found


def in_words(report: FeedbackImported, path: Path) -> str:
    counts = f"{path.name}: {report.recorded} recorded, {report.unchanged} recorded before"
    return "\n".join([counts, *unknown_in_words(report.unknown_recipes), *skipped_in_words(report.skipped)])


def unknown_in_words(unknown: dict[str, int]) -> list[str]:
    if not unknown:
        return []
    named = ", ".join(list(unknown)[:UNKNOWN_SHOWN]) + (", …" if len(unknown) > UNKNOWN_SHOWN else "")
    return [
        f"{sum(unknown.values())} skipped, on {len(unknown)} recipes that the catalogue does not hold ({named}):",
        "  import the recipes first, name their source with --source, or take them with --allow-unknown",
    ]
