"""The facts that the log records, as frozen typed structs. Floor 1. They change only by a new version.

The class name is the type in the log; `schema_version` counts from 1. Times inside events are microseconds since the
Unix epoch, UTC; the time at which an event was recorded stands in its envelope.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

# Bounds that SQLite's integers can hold, so that no event stops a view. Microseconds: until the year 148,000.
Microseconds = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

type_names: dict[str, type["Event"]] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A fact. Its fields are JSON values; unknown fields are refused, so that no data is dropped silently."""

    schema_version: ClassVar[int] = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        type_names[cls.__name__] = cls


ModelStatus = Literal["training", "validation", "production", "archived"]


class ModelRegistered(Event, frozen=True, kw_only=True):
    """A model version entered the registry. Stream model-<model_id>."""

    model_id: str
    model_type: str
    model_version: str
    status: ModelStatus
    description: str = ""
    metrics: dict[str, float] = {}
    parameters: dict[str, Any] = {}
    tags: dict[str, str] = {}


class ModelStatusChanged(Event, frozen=True, kw_only=True):
    """A model version moved to another status. Stream model-<model_id>."""

    model_id: str
    model_version: str
    old_status: ModelStatus
    new_status: ModelStatus
    reason: str = ""


class MetricRecorded(Event, frozen=True, kw_only=True):
    """One point of a metric. Stream metric-<metric>. at: microseconds since the Unix epoch."""

    metric: str
    value: float
    at: Microseconds
    labels: dict[str, str] = {}


class RecipesImported(Event, frozen=True, kw_only=True):
    """A source of recipes was read to its end. Stream catalogue-<source>."""

    source: str
    added: Count
    changed: Count
    unchanged: Count
    skipped: Count


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A recipe as its source gives it. language: es | en. minutes and servings: None where the source is silent."""

    recipe_id: str
    name: str
    language: str
    ingredients: list[str]
    steps: list[str]
    description: str = ""
    minutes: Count | None = None
    servings: Count | None = None
    course: str = ""
    cuisine: str = ""
    tags: list[str] = []
    credit: str = ""


class RecipeStored(Event, frozen=True, kw_only=True):
    """A recipe entered the catalogue, or replaced the one of the same id. Stream catalogue-<source>.

    content_hash: the first 32 hex digits of the SHA-256 of the recipe's JSON; equal content is not stored twice.
    """

    source: str
    recipe: Recipe
    content_hash: str


class RecommendationServed(Event, frozen=True, kw_only=True):
    """A request was answered. Stream recommendation-<request_id>. latency_ms: stage → milliseconds, with `total`."""

    request_id: str
    query: str
    model_id: str
    model_version: str
    recipe_ids: list[str]
    scores: list[float]
    latency_ms: dict[str, float]
    language: str = ""
    degraded: list[str] = []


class RecommendationFailed(Event, frozen=True, kw_only=True):
    """A request could not be answered. Stream recommendation-<request_id>. error: the problem's code."""

    request_id: str
    query: str
    error: str
    latency_ms: dict[str, float]


class RecipeRated(Event, frozen=True, kw_only=True):
    """A user rated a recipe from 0 to 5. Stream feedback-<recipe_id>. A user's later rating replaces the earlier."""

    recipe_id: str
    rating: float
    user: str = ""


class RetrainChecked(Event, frozen=True, kw_only=True):
    """The conditions for retraining were looked at. Stream retrain_check-<model_id>. reasons: condition → sentence."""

    model_id: str
    needed: bool
    reasons: dict[str, str] = {}


class RetrainJobCreated(Event, frozen=True, kw_only=True):
    """A retraining was asked for. Stream retrain_job-<job_id>."""

    job_id: str
    model_id: str
    reasons: dict[str, str] = {}


class RetrainJobStarted(Event, frozen=True, kw_only=True):
    """A worker began the job. Stream retrain_job-<job_id>."""

    job_id: str
    worker: str


class RetrainJobCompleted(Event, frozen=True, kw_only=True):
    """The job made a model version. Stream retrain_job-<job_id>."""

    job_id: str
    new_version: str
    metrics: dict[str, float] = {}


class RetrainJobFailed(Event, frozen=True, kw_only=True):
    """The job ended without a model version. Stream retrain_job-<job_id>."""

    job_id: str
    error: str


class RecipeTranslated(Event, frozen=True, kw_only=True):
    """A recipe's text was translated. Stream translation-<text_hash>.

    text_hash: of the text that was translated, so that equal texts share one translation. translator: the model.
    """

    text_hash: str
    source_language: str
    target_language: str
    translator: str
    name: str
    ingredients: list[str]
    steps: list[str]
    description: str = ""
