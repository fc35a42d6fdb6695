"""A data directory that cannot be written: every command says so, and how to go on."""

from pathlib import Path

import pytest

import run
from tests.e2e.disk import SmallDisk
from tests.e2e.service import Service


@pytest.fixture
def data_dir(disk: SmallDisk) -> Path:
    """A log on a disk that was made read-only since."""
    folder = disk.folder / "data"
    folder.mkdir()
    with Service(folder) as service:
        assert service.stop() == 0
    disk.make_read_only()
    return folder


@pytest.mark.parametrize("words", [["serve"], ["rebuild"], ["replay", "--to", "1"], ["explain", "pollo"]])
def test_who_must_write_says_so(words: list[str], data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such a command ends with exit code 3 and names the folder, without a traceback."""
    assert run.main([*words, "--data-dir", str(data_dir)]) == 3
    assert f"the data directory {data_dir} cannot be written: Read-only file system" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["verify"], ["export", "--output", "/dev/null"]])
def test_who_reads_says_so(words: list[str], data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its files beside the log SQLite cannot read either: the message tells what helps."""
    assert run.main([*words, "--data-dir", str(data_dir)]) == 3
    assert f"{data_dir} cannot be written" in capsys.readouterr().err
