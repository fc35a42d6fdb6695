"""When a model is to be trained again: given facts and a policy, then these verdicts."""

import msgspec
import pytest

from recsys.retraining.triggers import DAY_US, Facts, Policy, Verdict, conditions, reasons

POLICY = Policy(interval_days=7, samples_min=100, accuracy_drop_max=0.05)
NOW = 1_735_572_600_000_000
QUIET = Facts(now=NOW, deployed_at=NOW - DAY_US, samples_new=0, accuracy_baseline=None, accuracy_live=None)


@pytest.mark.parametrize(
    ("change", "name", "verdict", "value"),
    [
        ({"deployed_at": NOW - 10 * DAY_US}, "time_interval", "met", 10),
        ({"deployed_at": NOW - 7 * DAY_US}, "time_interval", "met", 7),
        ({"deployed_at": NOW - 7 * DAY_US + DAY_US // 100}, "time_interval", "not_met", 6.99),
        ({"deployed_at": None}, "time_interval", "not_measured", None),
        ({"samples_new": 100}, "new_data", "met", 100),
        ({"samples_new": 99}, "new_data", "not_met", 99),
        ({"accuracy_baseline": 0.92, "accuracy_live": 0.80}, "performance_degradation", "met", 0.130435),
        ({"accuracy_baseline": 0.92, "accuracy_live": 0.90}, "performance_degradation", "not_met", 0.021739),
        ({"accuracy_baseline": 0.92, "accuracy_live": 0.95}, "performance_degradation", "not_met", -0.032609),
        ({"accuracy_baseline": 0.92}, "performance_degradation", "not_measured", None),
        ({"accuracy_live": 0.92}, "performance_degradation", "not_measured", None),
        ({"accuracy_baseline": 0.0, "accuracy_live": 0.5}, "performance_degradation", "not_measured", None),
    ],
)
def test_each_condition_is_judged(change: dict[str, object], name: str, verdict: Verdict, value: float | None) -> None:
    """Every condition comes back with its value and verdict; only those that are met are reasons."""
    looked_at = conditions(msgspec.structs.replace(QUIET, **change), POLICY)
    condition = next(of for of in looked_at if of.name == name)
    assert (condition.verdict, condition.value) == (verdict, value)
    assert (name in reasons(looked_at)) is (verdict == "met")


def test_the_guides_sentence() -> None:
    """Ten days after deployment the reason reads as in the guide."""
    looked_at = conditions(msgspec.structs.replace(QUIET, deployed_at=NOW - 10 * DAY_US), POLICY)
    assert reasons(looked_at) == {"time_interval": "Deployed 10 days ago"}
