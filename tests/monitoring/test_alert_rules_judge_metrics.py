"""An alert rule's condition is met, not met, or not measured, and says by what values."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalog import (
    AbsenceCondition,
    AlertCondition,
    AnomalyCondition,
    AnomalyMethod,
    DegradationCondition,
    ThresholdCondition,
)
from projections.alerts import StoredRule
from projections.metrics import WindowStats
from recsys.config import Settings
from recsys.monitoring.alert_rules import PARTS, AlertRule, Judgement, Measured, judge, rule_set, rules_in_force

STATS = WindowStats(10, 0.9, 0.1, 0.5, 9.0, 0.9, 6.0, 8.0)
STEADY = [10.0, 12.0, 11.0, 13.0, 12.0] * 6


def judged(condition: AlertCondition, **measured: Any) -> Judgement:
    rule = AlertRule(name="r", metric="m", condition=condition)
    return judge(rule, Measured(**{"stats": STATS, **measured}))


@pytest.mark.parametrize(
    ("statistic", "direction", "threshold", "verdict"),
    [
        ("p95", "above", 5.0, "met"),
        ("p95", "above", 6.0, "not_met"),
        ("mean", "below", 0.95, "met"),
        ("count", "below", 10, "not_met"),
    ],
)
def test_a_threshold_is_met_beyond_it(statistic: Any, direction: Any, threshold: float, verdict: str) -> None:
    """Any statistic of the window, in either direction; the threshold itself is still allowed."""
    condition = ThresholdCondition(statistic=statistic, direction=direction, threshold=threshold)
    assert judged(condition).verdict == verdict


def test_the_judgement_tells_its_values() -> None:
    """The sentence names statistic, metric, window, threshold and value."""
    found = judged(ThresholdCondition(statistic="p95", threshold=5))
    assert (found.value, found.threshold) == (6.0, 5.0)
    assert found.explanation == "p95 of m over 300 s is above 5: 6"


@pytest.mark.parametrize(
    "condition", [ThresholdCondition(statistic="p95", threshold=5), AnomalyCondition(), DegradationCondition()]
)
def test_without_points_nothing_is_judged(condition: AlertCondition) -> None:
    """Silence is neither good nor bad to any condition but absence."""
    assert judged(condition, stats=None, means=[None] * PARTS).verdict == "not_measured"


def test_absence_is_met_by_silence_alone() -> None:
    """A window without points meets it, one with any does not."""
    assert judged(AbsenceCondition(), stats=None).verdict == "met"
    assert judged(AbsenceCondition()).verdict == "not_met"


@pytest.mark.parametrize(
    ("side", "last", "verdict"),
    [("both", 30.0, "met"), ("low", 30.0, "not_met"), ("low", -10.0, "met"), ("both", 12.0, "not_met")],
)
def test_an_anomaly_is_met_by_the_last_part(side: Any, last: float, verdict: str) -> None:
    """What counts is the last part among the others; an earlier outlier is over."""
    means = [100.0, *STEADY[:-2], last]
    assert judged(AnomalyCondition(side=side), means=means).verdict == verdict


@pytest.mark.parametrize("means", [[*STEADY[:-1], None], [None] * 25 + [1.0, 2.0, 1.0, 2.0, 99.0]])
def test_an_anomaly_needs_points_to_stand_out_from(means: list[float | None]) -> None:
    """A last part without points, or too few other parts, is not judged."""
    assert judged(AnomalyCondition(), means=means).verdict == "not_measured"


@pytest.mark.parametrize(
    ("condition", "registered", "verdict"),
    [
        (DegradationCondition(baseline=1.0), None, "met"),
        (DegradationCondition(baseline=0.92), None, "not_met"),
        (DegradationCondition(baseline=0.5, is_higher_better=False), None, "met"),
        (DegradationCondition(model_id="m"), 1.0, "met"),
        (DegradationCondition(model_id="m"), None, "not_measured"),
        (DegradationCondition(baseline=0.9, model_id="m"), 1.0, "not_met"),
    ],
)
def test_a_degradation_is_held_against_its_baseline(
    condition: DegradationCondition, registered: float | None, verdict: str
) -> None:
    """The rule's own baseline goes before the model's; the live mean is 0.9, and 5 % are allowed."""
    assert judged(condition, registered=registered).verdict == verdict


def test_a_slow_decline_is_met_without_a_baseline() -> None:
    """The best earlier part is the baseline, so that 1 % at a time adds up."""
    assert judged(DegradationCondition(), means=[1 - i / 100 for i in range(PARTS)]).verdict == "met"
    assert judged(DegradationCondition(), means=[1.0] * PARTS).verdict == "not_met"


def test_a_fall_from_nothing_can_still_be_written() -> None:
    """Against a baseline of 0 the fall is infinite; the event holds a number that JSON has."""
    found = judged(DegradationCondition(baseline=0.0, is_higher_better=False))
    assert (found.verdict, found.value) == ("met", 1e100)


def test_the_settings_make_the_first_rules() -> None:
    """Latency, errors and accuracy have a rule from the start, by the settings' thresholds."""
    settings = Settings(alert_threshold_latency=250, alert_threshold_accuracy_drop=0.1)
    rules = {of.rule.name: of.rule.condition for of in rules_in_force([], settings)}
    assert list(rules) == ["accuracy_drop", "api_latency", "error_rate"]
    assert rules["api_latency"] == ThresholdCondition(statistic="p95", threshold=250)
    assert rules["accuracy_drop"] == DegradationCondition(drop_max=0.1, model_id="hybrid_ranker")


def test_what_was_set_goes_before_the_settings() -> None:
    """A rule of the settings can be replaced and removed; others are added."""
    own = AlertRule(name="api_latency", metric="m", condition=AbsenceCondition())
    stored = [StoredRule("api_latency", rule_set(own), 7), StoredRule("error_rate", None, 8)]
    found = rules_in_force(stored, Settings())
    assert [(of.rule.name, of.source, of.set_at) for of in found] == [
        ("accuracy_drop", "settings", None),
        ("api_latency", "api", 7),
    ]
    assert found[1].rule == own


MEANS = st.floats(-1e100, 1e100)
CONDITIONS: list[AlertCondition] = [
    *(AnomalyCondition(method=method) for method in get_args(AnomalyMethod)),
    DegradationCondition(),
    DegradationCondition(is_higher_better=False),
]


@given(st.sampled_from(CONDITIONS), st.lists(st.none() | MEANS, min_size=PARTS, max_size=PARTS))
def test_whatever_was_measured_is_judged(condition: AlertCondition, means: list[float | None]) -> None:
    """No values make a rule fail, and JSON can hold what is found: a rule cannot stop the service."""
    found = judged(condition, means=means)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Judgement) == found
