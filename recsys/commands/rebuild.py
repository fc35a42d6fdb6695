"""run.py rebuild: the views anew from the log, beside the live ones and beside a running service. Floor 3."""

import argparse
import asyncio

from tqdm import tqdm

from events.sqlite import SqliteEventStore
from projections.rebuild import Rebuilt, rebuild
from projections.views import Views
from recsys.commands.all_views import all_views
from recsys.commands.outcome import DONE, SOMETHING_WRONG, show
from recsys.commands.surroundings import writable_log
from recsys.config import Settings


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Rebuild, compare with the live views and swap; say what differed."""
    rebuilt = asyncio.run(rebuild_views(settings))
    is_same = not any(table.differing_rows for table in rebuilt.tables)
    show(rebuilt, in_words(rebuilt), as_json=arguments.json)
    return DONE if is_same and rebuilt.is_adopted else SOMETHING_WRONG


async def rebuild_views(settings: Settings) -> Rebuilt:
    log = writable_log(settings.data_dir)
    async with await SqliteEventStore.open(log) as store:
        views = await Views.open(settings.data_dir / "views.db", all_views())
        try:
            with tqdm(total=await store.head(), unit=" events", disable=None, leave=False) as bar:
                return await rebuild(store, views, progress=lambda position: bar.update(position - bar.n))
        finally:
            await views.close()


def in_words(rebuilt: Rebuilt) -> str:
    lines = [
        f"  {table.view}.{table.table}: {table.rows} rows, {table.differing_rows or 'none'} differed"
        for table in rebuilt.tables
    ]
    swapped = (
        "swapped in" if rebuilt.is_adopted else "not swapped in: the process that keeps the views did not take them"
    )
    return "\n".join([f"rebuilt up to position {rebuilt.position} and {swapped}", *lines])
