"""A running service for the tests that only ask, and a small disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.disk import SmallDisk
from tests.e2e.service import Service


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def service(data_dir: Path) -> Iterator[Service]:
    with Service(data_dir) as running:
        yield running


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path / "disk", 16)
    yield small
    small.unmount()
