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
    """A user rated a recipe from 0 to 5; FeedbackGiven has since taken its place. Stream feedback-<recipe_id>."""

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


AlertSeverity = Literal["info", "warning", "critical"]
AlertStatistic = Literal["count", "mean", "std", "min", "max", "p50", "p95", "p99"]
AnomalyMethod = Literal["mad", "zscore", "iqr", "gesd", "hampel"]
AlertNotice = Literal["raised", "resolved"]


class AlertConditionBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What all conditions of alert rules share: `kind` tells them apart, and unknown fields are refused."""


class ThresholdCondition(AlertConditionBase, frozen=True, kw_only=True, tag="threshold"):
    """Met while the window's statistic lies beyond `threshold` in that direction."""

    statistic: AlertStatistic
    direction: Literal["above", "below"] = "above"
    threshold: Annotated[float, msgspec.Meta(ge=-1e100, le=1e100)]


class AbsenceCondition(AlertConditionBase, frozen=True, kw_only=True, tag="absence"):
    """Met while the window holds no point."""


class AnomalyCondition(AlertConditionBase, frozen=True, kw_only=True, tag="anomaly"):
    """Met while the mean of the window's last part stands out among those of the others, by so many deviations."""

    method: AnomalyMethod = "mad"
    side: Literal["both", "high", "low"] = "both"
    threshold: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 3.5


class DegradationCondition(AlertConditionBase, frozen=True, kw_only=True, tag="degradation"):
    """Met while the window is worse than its baseline by more than `drop_max` of it; 0.05 is 5 %.

    baseline: that value; without it the one that the version of `model_id` in production was registered with; without
    a model, the best part of the window itself.
    """

    drop_max: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 0.05
    is_higher_better: bool = True
    baseline: Annotated[float, msgspec.Meta(ge=-1e100, le=1e100)] | None = None
    model_id: str = ""


AlertCondition = ThresholdCondition | AbsenceCondition | AnomalyCondition | DegradationCondition


class AlertRuleSet(Event, frozen=True, kw_only=True):
    """An alert rule was made or replaced. Stream alert-<rule>, as are the next three."""

    rule: str
    metric: str
    condition: AlertCondition
    window_seconds: Count
    for_seconds: Count
    clear_seconds: Count
    severity: AlertSeverity


class AlertRuleRemoved(Event, frozen=True, kw_only=True):
    """An alert rule holds no more, be it one of the settings' own."""

    rule: str


class AlertRaised(Event, frozen=True, kw_only=True):
    """A rule's condition held for long enough. since: when it was first met. value: None where nothing was measured."""

    alert_id: str
    rule: str
    metric: str
    severity: AlertSeverity
    since: Microseconds
    value: float | None
    threshold: float
    explanation: str


class AlertResolved(Event, frozen=True, kw_only=True):
    """The condition was clear for long enough, or its rule was removed."""

    alert_id: str
    rule: str
    value: float | None
    explanation: str


class AlertDelivered(Event, frozen=True, kw_only=True):
    """A receiver took the notice of an alert. Stream alert_delivery-<alert_id>. attempt: counted from 1.

    receiver: its host and a digest of its address, which may hold a secret.
    """

    alert_id: str
    notice: AlertNotice
    receiver: str
    attempt: Count
    http_status: Count


class AlertDeliveryFailed(Event, frozen=True, kw_only=True):
    """A receiver did not take the notice. Stream alert_delivery-<alert_id>. is_final: it is not tried again."""

    alert_id: str
    notice: AlertNotice
    receiver: str
    attempt: Count
    error: str
    is_final: bool


class FeedbackGiven(Event, frozen=True, kw_only=True):
    """A user judged a recipe, or did something with it. Stream feedback-<recipe_id>.

    About an answer (request_id), a request in words (query), or the recipe by itself. user: "" if anonymous.
    rating: 0 to 5. relevance: to the request. click to hide: done, or taken back. None: nothing was said of it.
    at: when, if not when it was recorded. A user's later opinion replaces the earlier.
    """

    recipe_id: str
    request_id: str = ""
    query: str = ""
    user: str = ""
    rating: float | None = None
    relevance: Literal[0, 1] | None = None
    click: bool | None = None
    cook: bool | None = None
    save: bool | None = None
    hide: bool | None = None
    at: Microseconds | None = None


class EvaluationReported(Event, frozen=True, kw_only=True):
    """A model version was evaluated, or data were checked for drift. Stream report-<report_id>.

    model_id and model_version: "" where data were checked for no model's sake. metrics: numbers, null, or a mean with
    the ends of its interval. validations: a check's result by its name. comparisons: the other model → measure → test.
    profile: of the reference data, where it was to be kept: `recsys.drift.profile.ReferenceProfile` as JSON.
    """

    report_id: str
    created_at: Microseconds
    model_id: str = ""
    model_version: str = ""
    metrics: dict[str, Any] = {}
    validations: dict[str, Any] = {}
    comparisons: dict[str, dict[str, Any]] = {}
    profile: dict[str, Any] = {}
