"""What the service is made of, handed to whatever answers requests. Floor 3; filled by the composition root."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from events.catalog import Recipe
from events.store import EventStore
from projections.runner import Runner
from projections.views import Views
from recsys.config import Settings
from recsys.recommender.index import Outage
from recsys.recommender.options import Options
from recsys.recommender.translation import Translations
from recsys.recommender.understanding import Understanding
from recsys.registry import Registry


class Recommendation(Protocol):
    """Recipes for a request, best first; scores and ratings run beside them.

    ratings: average of 0 to 5, None while unrated. latency_ms: stage → milliseconds. degraded: what could not be used.
    understanding: what the request was taken to ask for. features: what each recipe was ranked by. missing: for each,
    the ingredient lines that the foods at hand do not cover.
    """

    @property
    def recipes(self) -> Sequence[Recipe]: ...
    @property
    def scores(self) -> Sequence[float]: ...
    @property
    def ratings(self) -> Sequence[float | None]: ...
    @property
    def latency_ms(self) -> dict[str, float]: ...
    @property
    def language(self) -> str: ...
    @property
    def degraded(self) -> Sequence[str]: ...
    @property
    def model_id(self) -> str: ...
    @property
    def model_version(self) -> str: ...
    @property
    def understanding(self) -> Understanding | None: ...
    @property
    def features(self) -> Sequence[dict[str, float]]: ...
    @property
    def missing(self) -> Sequence[list[str]]: ...


class Similar(Protocol):
    """Recipes like another one, best first; scores and ratings run beside them."""

    @property
    def recipes(self) -> Sequence[Recipe]: ...
    @property
    def scores(self) -> Sequence[float]: ...
    @property
    def ratings(self) -> Sequence[float | None]: ...


class Recommender(Protocol):
    """Finds recipes for a request in words."""

    @property
    def degraded(self) -> Sequence[str]:
        """What is missing at present, such as the meaning of words; empty when all is there."""
        ...

    @property
    def outages(self) -> Sequence[Outage]:
        """The parts elsewhere that cannot be used at present."""
        ...

    @property
    def unembedded(self) -> int:
        """How many recipes wait for their vectors."""
        ...

    @property
    def unindexed(self) -> int:
        """How many vectors wait to be taken up by the index."""
        ...

    async def recommend(self, query: str, n: int, *, options: Options) -> Recommendation:
        """Return the best `n` recipes for `query`. Raises RecommenderUnavailable, InvalidInput for an unknown diet."""
        ...

    async def similar(self, recipe_id: str, n: int) -> Similar:
        """Return the `n` recipes most like that one. Raises RecommenderUnavailable, RecipeNotFound."""
        ...


def now_us() -> int:
    """Return the time, microseconds since the Unix epoch."""
    return time.time_ns() // 1000


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts that handlers use. translations: None without a model. clock: microseconds since the Unix epoch."""

    store: EventStore
    views: Views
    runner: Runner
    registry: Registry
    recommender: Recommender
    settings: Settings
    translations: Translations | None = None
    clock: Callable[[], int] = now_us
