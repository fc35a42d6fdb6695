"""A folder of its own for each test, as a script or a notebook would be started in it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.api.runtime import runtime
from recsys.logging import LogHandler


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in an empty folder, with the default settings; what was opened there is closed again."""
    for name in ("DATA_DIR", "LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    runtime.close()
    root = logging.getLogger()
    level = root.level
    yield tmp_path
    runtime.close()
    for handler in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
