"""What a new service begins with: the shipped recipes and the first production model. Floor 3."""

import asyncio
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from tqdm import tqdm

from events.catalog import RecipesImported
from events.errors import WrongExpectedVersion
from events.event import Metadata
from events.store import EventStore
from recsys.commands.outcome import UsageError
from recsys.config import Settings
from recsys.recommender.importing import import_source
from recsys.recommender.ranker import HybridRanker
from recsys.registry import RegisterModel, Registry
from recsys.registry import stream_of as model_stream

ACTOR: Final = "first-start"
SPANISH: Final = "es"  # sources, as the catalogue names them
WIKIBOOKS: Final = "wikibooks"
SPANISH_RECIPES: Final = Path(__file__).parents[1] / "data" / "recipes_es.jsonl"
FETCHED_WHEELS: Final = Path(sys.prefix) / "share" / "recipes"  # where `make run` puts the Wikibooks recipes


async def register_first_model(registry: Registry, store: EventStore) -> None:
    """Register the hybrid ranker as the production version, unless the registry knows that model."""
    ranker = HybridRanker()
    if await store.stream_version(model_stream(ranker.model_id)):
        return
    command = RegisterModel(
        model_id=ranker.model_id,
        model_type="hybrid",
        version=ranker.model_version,
        description="Words and meaning, weighed with popularity",
        parameters={"alpha": ranker.alpha},
        status="production",
    )
    await registry.register(command, metadata=Metadata(actor=ACTOR))


async def import_shipped_recipes(store: EventStore, settings: Settings) -> None:
    """Import the Spanish catalogue and, where the package is there, the Wikibooks recipes; what is in is skipped."""
    await import_once(store, SPANISH_RECIPES, source=SPANISH)
    wheel = await asyncio.to_thread(wikibooks_wheel, settings)
    if wheel is not None:
        await import_once(store, wheel, source=WIKIBOOKS)


def wikibooks_wheel(settings: Settings) -> Path | None:
    """Return the package that holds the Wikibooks recipes, if there is one. Raises UsageError for a wrong name."""
    place = settings.recipes_wheel or FETCHED_WHEELS
    if settings.recipes_wheel and not place.exists():
        raise UsageError(f"RECIPES_WHEEL: found nothing at {place}; name the package, or a folder that holds it")
    return place if place.is_file() else max(place.glob("*.whl"), default=None)


async def import_once(store: EventStore, path: Path, *, source: str) -> None:
    """Import a file whose content was not imported to its end before."""
    request = f"import-{await asyncio.to_thread(content_digest, path)}"
    if await is_imported(store, source, request):
        return
    metadata = Metadata(actor=ACTOR, correlation_id=request)
    with tqdm(desc=f"importing {path.name}", unit=" recipes", disable=None) as bar, suppress(WrongExpectedVersion):
        # Another server on this data directory may import the same at the same time: one of the two is enough.
        await import_source(store, path, source=source, metadata=metadata, progress=bar.update)


def content_digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:16]


async def is_imported(store: EventStore, source: str, request: str) -> bool:
    """Return whether the source's stream ends with that import."""
    stream = stream_of(source)
    last = await store.read_stream(stream, after=await store.stream_version(stream) - 1, limit=1)
    return any(isinstance(event.data, RecipesImported) and event.metadata.correlation_id == request for event in last)


def stream_of(source: str) -> str:
    return f"catalogue-{source}"
