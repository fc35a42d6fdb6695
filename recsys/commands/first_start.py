"""What a new service begins with: the shipped recipes and rankers. Floor 3."""

import asyncio
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from tqdm import tqdm

from events.catalog import ModelRegistered, RecipesImported
from events.errors import WrongExpectedVersion
from events.event import Metadata, RecordedEvent
from events.store import EventStore
from recsys.commands.outcome import UsageError
from recsys.config import Settings
from recsys.recommender.importing import import_source
from recsys.recommender.ranker import HybridRanker, LinearRanker
from recsys.registry import RegisterModel, Registry
from recsys.registry import stream_of as model_stream

ACTOR: Final = "first-start"
SPANISH: Final = "es"  # sources, as the catalogue names them
WIKIBOOKS: Final = "wikibooks"
SPANISH_RECIPES: Final = Path(__file__).parents[1] / "data" / "recipes_es.jsonl"
FETCHED_WHEELS: Final = Path(sys.prefix) / "share" / "recipes"  # where `make run` puts the Wikibooks recipes

FORMULA: Final = RegisterModel(
    model_id=HybridRanker.model_id,
    model_type="hybrid",
    version=HybridRanker.model_version,
    description="Words and meaning, weighed with popularity",
    parameters={"alpha": HybridRanker.alpha},
    status="production",
)
LINEAR: Final = RegisterModel(
    model_id=LinearRanker.model_id,
    model_type="linear",
    version=LinearRanker.model_version,
    description="The features of words, meaning, names, time and language, weighed one by one",
    # bench/results/search_quality.json: the requests kept aside, over the default recipes
    metrics={"ndcg_at_10": 0.8114, "mrr": 0.8982, "recall_at_50": 0.8377, "hit_at_1": 0.8531},
    parameters=LinearRanker().parameters(),
    status="production",
)


async def register_first_model(registry: Registry, store: EventStore) -> None:
    """Register the shipped rankers, each once: the formula first, and the better one in its place.

    Where anyone else has touched the model the better one waits in validation: who is in production is their decision.
    """
    stream = model_stream(FORMULA.model_id)
    events: list[RecordedEvent] = []
    while page := await store.read_stream(stream, after=len(events)):
        events += page
    known = {event.data.model_version for event in events if isinstance(event.data, ModelRegistered)}
    metadata = Metadata(actor=ACTOR)
    if not events:
        await registry.register(FORMULA, metadata=metadata)
    if LINEAR.version not in known:
        is_untouched = all(event.metadata.actor == ACTOR for event in events)
        command = LINEAR if is_untouched else replace(LINEAR, status="validation")
        await registry.register(command, metadata=metadata)


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
