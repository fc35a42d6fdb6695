"""A store of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events import sqlite
from events.sqlite import SqliteEventStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteEventStore]:
    """The store of the process that writes."""
    async with await SqliteEventStore.open(path) as opened:
        yield opened


@pytest.fixture
async def other(store: SqliteEventStore) -> AsyncIterator[SqliteEventStore]:
    """A second store on the same log, which appends through the first one's socket."""
    async with await SqliteEventStore.open(store.path) as opened:
        yield opened


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the poll as a safety net, only a wake-up brings new events."""
    monkeypatch.setattr(sqlite, "POLL_SECONDS", 3600.0)
