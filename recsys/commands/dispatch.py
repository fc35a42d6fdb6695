"""Runs one command and turns what went wrong into a message and an exit code. Floor 3."""

import argparse
import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from events.errors import EventStoreError, LogTampered
from migrations.apply import MigrationError
from projections.errors import ProjectionError
from recsys.commands.outcome import SOMETHING_WRONG, UNAVAILABLE, WRONG_USAGE, Unavailable, UsageError, show
from recsys.config import InvalidSetting, load_settings
from recsys.errors import RecsysError
from recsys.recommender.errors import RecommenderError

INTERRUPTED: Final = 130  # as shells report Ctrl-C
ROOM_BYTES_MIN: Final = 2**20  # what SQLite makes beside the log and the views when it opens them needs less
DATABASE_ERRORS: Final = (EventStoreError, ProjectionError, MigrationError)
# The first class that fits decides; what fits none is a fault of ours and keeps its traceback.
EXIT_CODES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (LogTampered, SOMETHING_WRONG),
    (UsageError, WRONG_USAGE),
    (InvalidSetting, WRONG_USAGE),
    (RecsysError, WRONG_USAGE),
    (RecommenderError, WRONG_USAGE),
    (Unavailable, UNAVAILABLE),
    *((kind, UNAVAILABLE) for kind in DATABASE_ERRORS),
)


def dispatch(arguments: argparse.Namespace) -> int:
    """Run the command that `arguments` names and return its exit code."""
    options = {name.upper(): value for name, value in vars(arguments).items() if isinstance(value, str)}
    try:
        settings = load_settings(os.environ, Path(".env"), command_line=options)
        command = importlib.import_module(f"recsys.commands.{arguments.command.replace('-', '_')}")
        with disk_blamed(settings.data_dir):
            return int(command.run(arguments, settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        cause = first_of(error)
        code = next((code for kind, code in EXIT_CODES if isinstance(cause, kind)), None)
        if code is None:
            raise
        report(cause, code, as_json=arguments.json)
        return code


@contextmanager
def disk_blamed(folder: Path) -> Iterator[None]:
    """Say that the disk is full or read-only where SQLite could not use it and says no more than "disk I/O error"."""
    try:
        yield
    except Exception as error:
        cause = first_of(error)
        may_be_the_disks = isinstance(cause, DATABASE_ERRORS) and not isinstance(cause, LogTampered)
        if may_be_the_disks and (fault := disk_fault(folder)):
            raise Unavailable(f"{cause}: {fault}") from error
        raise


def disk_fault(folder: Path) -> str:
    """Return what is wrong with the disk that holds the folder, with the mend; nothing if it can be written."""
    if not os.access(folder, os.W_OK):
        return f"{folder} cannot be written, which SQLite needs to even for reading; copy it to where it can be"
    if shutil.disk_usage(folder).free < ROOM_BYTES_MIN:
        return f"the disk that holds {folder} is full; free some space and try again"
    return ""


def first_of(error: Exception) -> Exception:
    """Return the error itself, or of a group the first one: what ended the others."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def report(error: Exception, code: int, *, as_json: bool) -> None:
    message = str(error)
    if isinstance(error, RecsysError) and error.found:
        message = f"{message}: found {error.found!r}; {error.fix}"
    if as_json:
        show({"error": message, "exit_code": code}, "", as_json=True)
    else:
        print(f"run.py: {message}", file=sys.stderr)
