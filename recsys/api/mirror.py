"""models/registry.json: the registry's view, exported for people and other tools to read. Floor 3.

It stands beside the data directory. Nothing here reads it: the log is the truth.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from projections.registry import list_models
from recsys.http.models import ModelsAnswer, ordered, version_answer
from recsys.logging import mlops_logger

if TYPE_CHECKING:
    from recsys.api.session import Session


async def write_mirror(session: "Session") -> None:
    """Bring the mirror up to the views. That it cannot be written is logged, and costs nothing else."""
    path = session.settings.data_dir.parent / "models" / "registry.json"
    async with session.mirror_turn.taken():  # read in one's turn, so that no older view is written over a newer one
        async with session.services.views.reader() as db:
            versions = ordered(await list_models(db))
        answer = ModelsAnswer(count=len(versions), models=[version_answer(version) for version in versions])
        try:
            await asyncio.to_thread(write_whole, path, msgspec.json.format(msgspec.json.encode(answer)))
        except OSError as error:
            mlops_logger.warning("%s could not be written: %s; the registry itself is as it should be", path, error)


def write_whole(path: Path, text: bytes) -> None:
    """Put the text in the file's place, so that a reader finds the old one or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")  # one writes at a time
    temporary.write_bytes(text + b"\n")
    temporary.replace(path)
