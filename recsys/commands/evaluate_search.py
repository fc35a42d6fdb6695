"""run.py evaluate-search: how well the search answers judged requests, alone or against another way. Floor 3."""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from events.event import Metadata
from events.store import EventStore
from projections.views import Views
from recsys.commands.all_views import all_views
from recsys.commands.first_start import import_shipped_recipes
from recsys.commands.import_recipes import source_name
from recsys.commands.outcome import DONE, SOMETHING_WRONG, UsageError, show
from recsys.commands.surroundings import writable_log
from recsys.config import Settings
from recsys.evaluation.configuration import Configuration, parse_configuration
from recsys.evaluation.engine import open_catalogue, open_engine
from recsys.evaluation.evaluating import LEADING, Comparison, Group, Run, Violation, evaluate, judged_in
from recsys.evaluation.judged import JudgedSet, read_judged
from recsys.recommender.importing import import_source

VIOLATIONS_SHOWN = 10


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. skipped: requests whose recipes are all missing from the catalogue.

    degraded: what the search had to do without. violations: of the answers that hold what the request forbids.
    """

    dataset: str
    configuration: str
    recipes: int
    requests: int
    skipped: int
    degraded: Sequence[str]
    groups: list[Group]
    violations: Sequence[Violation]
    comparison: Comparison | None = None


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Evaluate and print; exit code 1 if an answer holds what its request forbids."""
    wanted = [parse_configuration(text) for text in (arguments.configuration, arguments.against) if text is not None]
    judged = read_judged(Path(arguments.dataset))
    own_catalogue = writable_log(settings.data_dir).parent if arguments.data_dir else None
    report = asyncio.run(measure(arguments.dataset, judged, wanted, settings, own_catalogue))
    show(report, in_words(report), as_json=arguments.json)
    return SOMETHING_WRONG if report.violations else DONE


async def measure(
    dataset: str, judged: JudgedSet, wanted: list[Configuration], settings: Settings, own_catalogue: Path | None
) -> Report:
    """Return the report of the first configuration, compared with the second if there is one.

    own_catalogue: the data directory whose recipes the judgements are about; None: those of the dataset, or the default
    ones, in a temporary directory. Vectors are kept in DATA_DIR/evaluation, so that the next run embeds nothing twice.
    """
    async with opened(judged, settings, own_catalogue) as views:
        runs: list[Run] = []
        for configuration in wanted:
            async with open_engine(views, settings.data_dir / "evaluation", configuration) as recommender:
                assert recommender.moment is not None
                ids = frozenset(recommender.moment.catalogue.rows)
                requests = judged_in(judged.requests, ids)
                if not requests:
                    raise UsageError(f"{dataset}: none of the judged recipes is among the {len(ids)} of the catalogue")
                runs.append(await evaluate(recommender, requests, configuration=configuration.name))
    return Report(
        dataset=dataset,
        configuration=runs[0].configuration,
        recipes=len(ids),
        requests=len(requests),
        skipped=len(judged.requests) - len(requests),
        degraded=runs[0].degraded,
        groups=runs[0].groups(),
        violations=runs[0].violations,
        comparison=runs[0].against(runs[1]) if len(runs) > 1 else None,
    )


@asynccontextmanager
async def opened(judged: JudgedSet, settings: Settings, own_catalogue: Path | None) -> AsyncIterator[Views]:
    """Yield the views of the catalogue that the judgements are about."""
    if own_catalogue:
        async with open_catalogue(own_catalogue, projections=all_views()) as views:
            yield views
        return
    with tempfile.TemporaryDirectory() as folder:
        fill = partial(import_recipes, recipes=judged.recipes, settings=settings)
        async with open_catalogue(Path(folder), fill=fill) as views:
            yield views


async def import_recipes(store: EventStore, *, recipes: Path | None, settings: Settings) -> None:
    """Import the dataset's recipes, or the default ones."""
    if recipes is None:
        await import_shipped_recipes(store, settings)
    else:
        await import_source(store, recipes, source=source_name(recipes), metadata=Metadata(actor="evaluate-search"))


def in_words(report: Report) -> str:
    lines = [f"{report.requests} requests over {report.recipes} recipes, configuration {report.configuration}"]
    if report.skipped:
        lines.append(f"{report.skipped} more requests left out: the catalogue has none of their recipes")
    if report.degraded:
        lines.append(f"degraded: {', '.join(report.degraded)}")
    lines += table(report.groups)
    lines.append(f"{len(report.violations)} answers hold what their request forbids")
    lines += [
        f"  {found.query}: {found.recipe_id} ({found.concept}: {found.text})"
        for found in report.violations[:VIOLATIONS_SHOWN]
    ]
    return "\n".join(lines + (compared(report.comparison) if report.comparison else []))


def table(groups: Sequence[Group]) -> list[str]:
    """Return a line a group: its name, its size, nDCG@10 with its confidence interval, and the other means."""
    names = [f"{group.by} {group.name}".rstrip() for group in groups]
    width = max(map(len, names))
    others = [name for name in groups[0].measures if name != LEADING]
    header = f"{'':<{width}} {'n':>5}  {LEADING:<21}" + "".join(f"{name:>11}" for name in others)
    return [header, *(row(name, group, width, others) for name, group in zip(names, groups, strict=True))]


def row(name: str, group: Group, width: int, others: Sequence[str]) -> str:
    leading = group.measures[LEADING]
    confidence = f"{leading.mean:.3f} ({leading.low:.3f}-{leading.high:.3f})"
    means = "".join(f"{group.measures[other].mean:>11.3f}" for other in others)
    return f"{name:<{width}} {group.requests:>5}  {confidence:<21}{means}"


def compared(comparison: Comparison) -> list[str]:
    differences = [
        f"  {name}: {found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        + ("" if found.excludes_zero else ", not more than chance")
        for name, found in comparison.difference.items()
    ]
    changed = [f"  {change.before:.3f} -> {change.after:.3f}  {change.query}" for change in comparison.changed]
    return [f"more than {comparison.against} by:", *differences, "changed most:", *(changed or ["  none"])]
