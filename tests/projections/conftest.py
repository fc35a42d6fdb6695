"""A real log in a temporary folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.sqlite import SqliteEventStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db") as store:
        yield store
