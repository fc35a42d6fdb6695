"""The stores that must keep the contract of events/store.py: the process that writes, and one that asks it to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.harness import Log


@pytest.fixture(params=["writer", "through_another"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    opened = Log(tmp_path / "log.db", through_another=request.param == "through_another")
    await opened.open()
    yield opened
    await opened.close()
