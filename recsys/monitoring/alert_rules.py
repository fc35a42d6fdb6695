"""What an alert rule says of a metric, judged against what was measured: pure decisions. Floor 3; numpy alone."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from events.catalog import (
    AbsenceCondition,
    AlertCondition,
    AlertRuleSet,
    AlertSeverity,
    AnomalyCondition,
    DegradationCondition,
    ThresholdCondition,
)
from projections.alerts import StoredRule
from projections.metrics import KEPT, RESOLUTIONS, SECOND, WindowStats
from recsys.config import Settings
from recsys.identifiers import Identifier
from recsys.monitoring.anomalies import AnomalyDetector
from recsys.monitoring.health import ERROR_RATE_MAX

Verdict = Literal["met", "not_met", "not_measured"]
Source = Literal["settings", "api"]

DAY_SECONDS: Final = 86_400
PARTS: Final = 30  # of a window, where its course counts: of normal values, 0.4 % stand out by chance
PARTS_MIN: Final = 10  # measured ones; of fewer, the deviation is too uncertain
RECENT_PARTS: Final = 3  # held against the best three others in a row
MODEL_ID: Final = "hybrid_ranker"  # the recommender's own


class AlertRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When somebody is to be told of a metric.

    The alert is raised when the condition was met for `for_seconds` on end, and resolved when it was clear for
    `clear_seconds`: in between, a metric that goes to and fro makes one alert. A window without points (other than for
    an absence) neither raises nor resolves. Conditions on the course of a metric look at the means of 30 parts.
    """

    name: Identifier
    metric: Identifier
    condition: AlertCondition
    window_seconds: Annotated[int, Meta(ge=RESOLUTIONS[0] // SECOND, le=366 * DAY_SECONDS)] = 300
    for_seconds: Annotated[int, Meta(ge=0, le=30 * DAY_SECONDS)] = 60
    clear_seconds: Annotated[int, Meta(ge=0, le=30 * DAY_SECONDS)] = 300
    severity: AlertSeverity = "warning"


class RuleInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and where it comes from. set_at: microseconds since the epoch; None for a rule of the settings."""

    rule: AlertRule
    source: Source
    set_at: int | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule's metric did. stats: None where the window holds no point.

    means: of the window's parts, the oldest first, None for a part without points; only for conditions on the course.
    registered: the value that the rule's model was registered with.
    """

    stats: WindowStats | None
    means: Sequence[float | None] = ()
    registered: float | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a rule's condition is met at present. value: as far as measured, in the unit of `threshold`."""

    verdict: Verdict
    value: float | None
    threshold: float
    explanation: str


def default_rules(settings: Settings) -> list[AlertRule]:
    """Return the rules that hold from the start, by the settings' thresholds."""
    return [
        AlertRule(
            name="api_latency",
            metric="api_latency_ms",
            condition=ThresholdCondition(statistic="p95", threshold=settings.alert_threshold_latency),
        ),
        AlertRule(
            name="error_rate",
            metric="error_rate",
            condition=ThresholdCondition(statistic="mean", threshold=ERROR_RATE_MAX),
            severity="critical",
        ),
        AlertRule(
            name="accuracy_drop",
            metric="accuracy",
            condition=DegradationCondition(drop_max=settings.alert_threshold_accuracy_drop, model_id=MODEL_ID),
            window_seconds=DAY_SECONDS,
        ),
    ]


def rules_in_force(stored: Iterable[StoredRule], settings: Settings) -> list[RuleInForce]:
    """Return the settings' rules as they were replaced and removed since, and those that were added; by name."""
    rules = {rule.name: RuleInForce(rule=rule, source="settings") for rule in default_rules(settings)}
    for name, content, set_at in stored:
        if content is None:
            rules.pop(name, None)
        else:
            rules[name] = RuleInForce(rule=rule_of(content), source="api", set_at=set_at)
    return [rules[name] for name in sorted(rules)]


def rule_of(event: AlertRuleSet) -> AlertRule:
    return AlertRule(
        name=event.rule,
        metric=event.metric,
        condition=event.condition,
        window_seconds=event.window_seconds,
        for_seconds=event.for_seconds,
        clear_seconds=event.clear_seconds,
        severity=event.severity,
    )


def rule_set(rule: AlertRule) -> AlertRuleSet:
    return AlertRuleSet(
        rule=rule.name,
        metric=rule.metric,
        condition=rule.condition,
        window_seconds=rule.window_seconds,
        for_seconds=rule.for_seconds,
        clear_seconds=rule.clear_seconds,
        severity=rule.severity,
    )


def needs_means(condition: AlertCondition) -> bool:
    """Whether the condition is about the course of the metric within the window."""
    match condition:
        case AnomalyCondition():
            return True
        case DegradationCondition(baseline=baseline, model_id=model_id):
            return baseline is None and not model_id
    return False


def bucket_seconds(window_seconds: int) -> int:
    """Return the finest resolution in which the metrics view holds all of a window.

    >>> bucket_seconds(3600), bucket_seconds(7 * DAY_SECONDS), bucket_seconds(90 * DAY_SECONDS)
    (10, 60, 3600)
    """
    window = window_seconds * SECOND
    return next(finest for finest in RESOLUTIONS if window <= KEPT.get(finest, window)) // SECOND


def part_seconds(window_seconds: int) -> int:
    """Return the length of a window's parts: whole buckets.

    >>> part_seconds(300), part_seconds(3600), part_seconds(7 * DAY_SECONDS)
    (10, 120, 20160)
    """
    bucket = bucket_seconds(window_seconds)
    return window_seconds // PARTS // bucket * bucket


def judge(rule: AlertRule, measured: Measured) -> Judgement:
    """Return whether the rule's condition is met."""
    match rule.condition:
        case ThresholdCondition() as condition:
            return beyond_threshold(rule, condition, measured.stats)
        case AbsenceCondition():
            return absence(rule, measured.stats)
        case AnomalyCondition() as condition:
            return anomaly(rule, condition, measured.means)
        case DegradationCondition() as condition:
            return degradation(rule, condition, measured)


def beyond_threshold(rule: AlertRule, condition: ThresholdCondition, stats: WindowStats | None) -> Judgement:
    if stats is None:
        return not_measured(rule, condition.threshold)
    value = float(getattr(stats, condition.statistic))
    is_beyond = value > condition.threshold if condition.direction == "above" else value < condition.threshold
    relation = "is" if is_beyond else "is not"
    return Judgement(
        verdict="met" if is_beyond else "not_met",
        value=value,
        threshold=condition.threshold,
        explanation=f"{condition.statistic} of {rule.metric} over {rule.window_seconds} s {relation} "
        f"{condition.direction} {condition.threshold:g}: {value:g}",
    )


def absence(rule: AlertRule, stats: WindowStats | None) -> Judgement:
    count = 0 if stats is None else stats.count
    return Judgement(
        verdict="not_met" if count else "met",
        value=count,
        threshold=1,
        explanation=f"{rule.metric} has {count or 'no'} point{'' if count == 1 else 's'} in {rule.window_seconds} s",
    )


def anomaly(rule: AlertRule, condition: AnomalyCondition, means: Sequence[float | None]) -> Judgement:
    series = [mean for mean in means if mean is not None]
    if len(series) < PARTS_MIN or means[-1] is None:
        return not_measured(rule, condition.threshold)
    found = AnomalyDetector.detect_anomalies(series, condition.threshold, condition.method, side=condition.side)
    last = next((one for one in found["anomalies"] if one["index"] == len(series) - 1), None)
    seconds = part_seconds(rule.window_seconds)
    if last is None:
        explanation = f"{rule.metric} in the last {seconds} s is like before: mean {series[-1]:g}"
        return Judgement(verdict="not_met", value=None, threshold=condition.threshold, explanation=explanation)
    return Judgement(
        verdict="met",
        value=last["z_score"],
        threshold=condition.threshold,
        explanation=f"{rule.metric} in the last {seconds} s stands out: mean {series[-1]:g}, "
        f"{last['z_score']:.1f} deviations from what it was before",
    )


def degradation(rule: AlertRule, condition: DegradationCondition, measured: Measured) -> Judgement:
    baseline = condition.baseline if condition.baseline is not None else measured.registered
    if needs_means(condition):
        series, size = [mean for mean in measured.means if mean is not None], RECENT_PARTS
    else:
        series, size = [measured.stats.mean] if measured.stats and baseline is not None else [], 1
    found = AnomalyDetector.detect_performance_degradation(
        series, size, condition.drop_max, baseline=baseline, higher_is_better=condition.is_higher_better
    )
    if found.drop is None:
        return not_measured(rule, condition.drop_max)
    drop = max(-1e100, min(found.drop, 1e100))  # against a baseline of 0 it is infinite, which JSON cannot hold
    return Judgement(
        verdict="met" if found.degraded else "not_met",
        value=drop,
        threshold=condition.drop_max,
        explanation=f"{rule.metric} is worse than its baseline {found.baseline:g} by {drop:.1%}: {found.window:g}"
        if drop > 0
        else f"{rule.metric} is no worse than its baseline {found.baseline:g}: {found.window:g}",
    )


def not_measured(rule: AlertRule, threshold: float) -> Judgement:
    return Judgement(
        verdict="not_measured",
        value=None,
        threshold=threshold,
        explanation=f"{rule.metric} has too few points in {rule.window_seconds} s to tell",
    )
