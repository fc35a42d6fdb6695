"""A real log with its catalogue and feedback views, and a recommender on them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.sqlite import SqliteEventStore
from tests.recommender.harness import Kitchen, open_kitchen


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db") as store:
        yield store


@pytest.fixture
async def kitchen(store: SqliteEventStore, tmp_path: Path) -> AsyncIterator[Kitchen]:
    async with open_kitchen(store, tmp_path) as kitchen:
        yield kitchen
