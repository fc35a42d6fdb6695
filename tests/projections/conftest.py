"""A real log in a temporary folder, whose clock stands at the start of the tests' events."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.sqlite import SqliteEventStore
from tests.projections.harness import START


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteEventStore]:
    async with await SqliteEventStore.open(tmp_path / "log.db", clock=lambda: START) as store:
        yield store
