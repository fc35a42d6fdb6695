"""run.py import-recipes: a file of recipes into the catalogue. Floor 3."""

import argparse
import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from events.event import Metadata
from events.sqlite import SqliteEventStore
from recsys.commands.outcome import DONE, SOMETHING_WRONG, show
from recsys.commands.surroundings import check_folder
from recsys.config import Settings
from recsys.recommender.importing import ImportReport, import_source
from recsys.recommender.sources import Problem

PROBLEMS_SHOWN = 20


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Import the file and say what was added, changed and skipped."""
    check_folder(settings.data_dir)
    path = Path(arguments.source)
    report = asyncio.run(import_file(settings, path, source=arguments.name or source_name(path)))
    show(report, in_words(report), as_json=arguments.json)
    return SOMETHING_WRONG if report.skipped else DONE


async def import_file(settings: Settings, path: Path, *, source: str) -> ImportReport:
    """Import through the log's writer: this process, or the service if it runs."""
    async with await SqliteEventStore.open(settings.data_dir / "log.db") as store:
        with tqdm(unit=" recipes", desc=source, disable=None) as bar:
            return await import_source(
                store, path, source=source, metadata=Metadata(actor="import-recipes"), progress=bar.update
            )


def source_name(path: Path) -> str:
    """Return the source's name that a file's suggests.

    >>> source_name(Path("Recetas de la abuela.csv.gz"))
    'recetas-de-la-abuela'
    """
    words = re.sub(r"[^a-z0-9]+", "-", path.name.lower().partition(".")[0]).strip("-")
    return words[:40].rstrip("-") if words[:1].isalpha() else f"source-{words}"[:40].rstrip("-")


def in_words(report: ImportReport) -> str:
    counts = f"{report.source}: {report.added} added, {report.changed} changed, {report.unchanged} unchanged"
    return "\n".join([counts, *skipped_in_words(report.skipped)])


def skipped_in_words(skipped: Sequence[Problem]) -> list[str]:
    """Return lines that say how many rows were skipped and why, of the first ones."""
    problems = [f"  line {problem.line}: {problem.field} {problem.reason}" for problem in skipped]
    more = [f"  and {len(problems) - PROBLEMS_SHOWN} more"] if len(problems) > PROBLEMS_SHOWN else []
    return [f"{len(problems)} skipped:", *problems[:PROBLEMS_SHOWN], *more] if problems else []
