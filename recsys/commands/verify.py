"""run.py verify: is the log what was written? Floor 3."""

import argparse
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from events.chain import Verified, verify
from events.errors import LogTampered
from projections.writer import read_checkpoints
from recsys.commands.outcome import DONE, SOMETHING_WRONG, UsageError, existing_log, show
from recsys.config import Settings

ANCHOR = re.compile(r"(\d+):([0-9a-f]{64})")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Verify the chain, and that the log still holds what the views and the given anchors noted."""
    anchors = [parse_anchor(text) for text in arguments.anchor]
    noted = noted_by_views(settings.data_dir / "views.db")
    with tqdm(unit=" events", disable=None, leave=False) as bar:
        try:
            verified = verify(
                existing_log(settings.data_dir),
                anchors=[*anchors, *noted],
                progress=lambda position: bar.update(position - bar.n),
            )
        except LogTampered as error:
            result = {"ok": False, "first_bad_position": error.position, "reason": error.reason}
            show(result, str(error), as_json=arguments.json)
            return SOMETHING_WRONG
    result = {"ok": True, "log": verified, "anchors": len(anchors), "views_compared": bool(noted)}
    show(result, in_words(verified, has_compared_views=bool(noted)), as_json=arguments.json)
    return DONE


def parse_anchor(text: str) -> tuple[int, str]:
    """Return position and hash. Raises UsageError."""
    match = ANCHOR.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--anchor: found {text!r}, allowed is POSITION:HASH with the 64 hex digits that verify prints"
        )
    return int(match[1]), match[2]


def noted_by_views(path: Path) -> list[tuple[int, str]]:
    """Return the positions that the views have reached, with the log's hash there; none if there are no views to read.

    A log whose tail was cut off is a whole chain still, but shorter than what the views have seen.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            checkpoints = read_checkpoints(connection).values()
    except sqlite3.Error:
        return []
    return sorted(
        {(checkpoint.position, checkpoint.log_hash.hex()) for checkpoint in checkpoints if checkpoint.position}
    )


def in_words(verified: Verified, *, has_compared_views: bool) -> str:
    views = "and the log holds all that the views have seen" if has_compared_views else "there were no views to compare"
    return (
        f"{verified.events} events, every one as it was written; {views}.\n"
        "Note this elsewhere: with it, a later run finds a log that was cut short or written anew.\n"
        f"  --anchor {verified.head_position}:{verified.head_hash}"
    )
