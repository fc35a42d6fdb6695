"""The conditions under which a model is to be trained again: a pure policy. Floor 3; imports nothing of ours."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

Verdict = Literal["met", "not_met", "not_measured"]
DAY_US: Final = 86_400 * 1_000_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When to retrain. accuracy_drop_max: relative to the accuracy at promotion, 0.05 is 5 %."""

    interval_days: float
    samples_min: int
    accuracy_drop_max: float


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model. Times in microseconds since the epoch; None: not known.

    samples_new: ratings since the last completed training. accuracy_baseline: of the version in production, as it was
    registered. accuracy_live: as measured in production lately.
    """

    now: int
    deployed_at: int | None
    samples_new: int
    accuracy_baseline: float | None
    accuracy_live: float | None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition, looked at. value and threshold: in the unit that the explanation names."""

    name: Literal["time_interval", "new_data", "performance_degradation"]
    verdict: Verdict
    value: float | None
    threshold: float
    explanation: str


def conditions(facts: Facts, policy: Policy) -> list[Condition]:
    """Return every condition with what was found, met or not."""
    return [time_interval(facts, policy), new_data(facts, policy), performance_degradation(facts, policy)]


def reasons(looked_at: Iterable[Condition]) -> dict[str, str]:
    """Return the conditions that are met, each with its sentence; any of them is enough to retrain."""
    return {condition.name: condition.explanation for condition in looked_at if condition.verdict == "met"}


def time_interval(facts: Facts, policy: Policy) -> Condition:
    if facts.deployed_at is None:
        return Condition(
            name="time_interval",
            verdict="not_measured",
            value=None,
            threshold=policy.interval_days,
            explanation="No version is in production",
        )
    days = (facts.now - facts.deployed_at) / DAY_US
    return Condition(
        name="time_interval",
        verdict="met" if days >= policy.interval_days else "not_met",
        value=round(days, 3),
        threshold=policy.interval_days,
        explanation=f"Deployed {int(days)} day{'' if int(days) == 1 else 's'} ago",
    )


def new_data(facts: Facts, policy: Policy) -> Condition:
    return Condition(
        name="new_data",
        verdict="met" if facts.samples_new >= policy.samples_min else "not_met",
        value=facts.samples_new,
        threshold=policy.samples_min,
        explanation=f"{facts.samples_new} new samples since the last training",
    )


def performance_degradation(facts: Facts, policy: Policy) -> Condition:
    baseline, live = facts.accuracy_baseline, facts.accuracy_live
    if baseline is None or live is None or baseline <= 0:
        return Condition(
            name="performance_degradation",
            verdict="not_measured",
            value=None,
            threshold=policy.accuracy_drop_max,
            explanation="Accuracy needs both a registered baseline above 0 and live measurements",
        )
    drop = (baseline - live) / baseline
    return Condition(
        name="performance_degradation",
        verdict="met" if drop > policy.accuracy_drop_max else "not_met",
        value=round(drop, 6),
        threshold=policy.accuracy_drop_max,
        explanation=f"Accuracy fell by {drop:.1%}, from {baseline:.3f} to {live:.3f}"
        if drop > 0
        else f"Accuracy held: {live:.3f}, at promotion {baseline:.3f}",
    )
