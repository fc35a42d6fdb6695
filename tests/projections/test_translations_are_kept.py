"""The translations view: the latest translation of a text into a language, found by the text's hash."""

from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from events.catalog import RecipeTranslated
from projections.translations import TranslationsProjection, translations_of
from projections.writer import ViewsWriter
from tests.projections.harness import recorded


def translation(name: str, text_hash: str = "a", target: str = "es") -> RecipeTranslated:
    return RecipeTranslated(
        text_hash=text_hash,
        source_language="en",
        target_language=target,
        translator="m",
        name=name,
        ingredients=["agua"],
        steps=[],
    )


async def kept(path: Path, text_hashes: list[str], target: str) -> dict[str, str]:
    async with aiosqlite.connect(path) as db:
        return {digest: kept.name for digest, kept in (await translations_of(db, text_hashes, target)).items()}


@pytest.mark.parametrize("batch", [1, 3, 4])
async def test_the_latest_translation_is_found(tmp_path: Path, batch: int) -> None:
    """A later one replaces an earlier; other languages and texts stand for themselves; unknown texts are left out."""
    events = recorded(
        [translation("vieja"), translation("nueva"), translation("new", target="en"), translation("otra", "b")]
    )
    with closing(ViewsWriter.open(tmp_path / "views.db", [TranslationsProjection()])) as writer:
        for start in range(0, len(events), batch):
            writer.apply(events[start : start + batch])
    assert await kept(tmp_path / "views.db", ["a", "b", "c"], "es") == {"a": "nueva", "b": "otra"}
    assert await kept(tmp_path / "views.db", ["a", "b", "c"], "en") == {"a": "new"}
