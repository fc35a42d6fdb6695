"""A small file system of its own, to fill and to write-protect."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of `megabytes`, which `fill` leaves without a free byte."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("only root may mount a small disk")

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096):
                with suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass

    def free(self) -> None:
        self._ballast.unlink()

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def unmount(self) -> None:
        # Lazily: a mount that stayed would break the deletion of old temporary folders in every later run of pytest.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
