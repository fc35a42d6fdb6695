"""What a command hands back: its exit code, its result and its errors. Floor 3; imports nothing of ours."""

from pathlib import Path
from typing import Any, Final

import msgspec

DONE: Final = 0
SOMETHING_WRONG: Final = 1
WRONG_USAGE: Final = 2
UNAVAILABLE: Final = 3


class UsageError(Exception):
    """The command was given something that it cannot use."""


class Unavailable(Exception):
    """Something that the command needs cannot be had now."""


def show(result: Any, text: str, *, as_json: bool) -> None:
    """Print the result: as one JSON object, or as the text."""
    print(msgspec.json.encode(result).decode() if as_json else text, flush=True)


def existing_log(data_dir: Path) -> Path:
    """Return the log of a data directory. Raises Unavailable if there is none: reading must not make one."""
    log = data_dir / "log.db"
    if not log.is_file():
        raise Unavailable(f"there is no log at {log}: start the service there, or name another folder with --data-dir")
    return log
