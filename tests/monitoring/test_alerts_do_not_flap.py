"""An alert is raised after its condition held, resolved after it was clear, and once for all that lies between."""

from collections.abc import Iterable

import pytest

from events.catalog import AlertRaised, AlertResolved, Event, ThresholdCondition
from recsys.errors import AlertRuleNotFound
from recsys.monitoring.alert_rules import AlertRule, Judgement, Verdict
from recsys.monitoring.alerts import AlertStream, Watch, decide, decide_removal, decide_set, watched

STEP = 5  # seconds between two looks
SECOND = 1_000_000
START = 1_790_000_000 * SECOND
RULE = AlertRule(
    name="slow",
    metric="m",
    condition=ThresholdCondition(statistic="p95", threshold=1),
    for_seconds=10,
    clear_seconds=20,
)


def judgement(verdict: Verdict) -> Judgement:
    return Judgement(verdict=verdict, value=2.0, threshold=1.0, explanation="why")


def simulated(verdicts: Iterable[Verdict], rule: AlertRule = RULE, step: int = STEP) -> list[tuple[int, Event]]:
    """Return what is decided in the course of the verdicts: seconds since the first of them, and the event."""
    stream, watch = AlertStream(), Watch()
    decided = []
    for number, verdict in enumerate(verdicts):
        now = START + number * step * SECOND
        watch = watched(watch, judgement(verdict), now=now)
        for event in decide(rule, stream, judgement(verdict), watch, now=now):
            stream.apply(event)
            decided.append((number * step, event))
    return decided


def course(letters: str) -> list[Verdict]:
    verdicts: dict[str, Verdict] = {"m": "met", "n": "not_met", ".": "not_measured"}
    return [verdicts[letter] for letter in letters]


def told(letters: str) -> list[tuple[int, str]]:
    return [(seconds, type(event).__name__) for seconds, event in simulated(course(letters))]


def test_an_alert_waits_for_the_condition_to_hold() -> None:
    """Ten seconds on end raise it, twenty clear ones resolve it."""
    assert told("nmmmmnnnnnnn") == [(15, "AlertRaised"), (45, "AlertResolved")]


@pytest.mark.parametrize("letters", ["mmnmmnmmn", "m", "mnmnmnmn", "", "nnnn"])
def test_a_short_excursion_raises_nothing(letters: str) -> None:
    """Each clear look begins the wait anew."""
    assert told(letters) == []


def test_a_flapping_metric_makes_one_alert() -> None:
    """Ten minutes of to and fro after the beginning are one alert, resolved when it is over."""
    assert told("mmm" + "nnm" * 40 + "nnnnnn") == [(10, "AlertRaised"), (635, "AlertResolved")]


def test_silence_neither_raises_nor_resolves() -> None:
    """While nothing is measured the alert stays as it is, and both waits begin anew."""
    assert told("mm..mm..") == []
    assert told("mmm" + "." * 50 + "nnn.nnnnn") == [(10, "AlertRaised"), (305, "AlertResolved")]


def test_what_was_not_seen_did_not_hold() -> None:
    """Two looks an hour apart do not show that the condition was met in between."""
    assert simulated(course("mm"), step=3600) == []


def test_without_a_wait_the_first_look_decides() -> None:
    """for_seconds and clear_seconds of 0 act at once."""
    rule = AlertRule(name="r", metric="m", condition=RULE.condition, for_seconds=0, clear_seconds=0)
    assert [seconds for seconds, _ in simulated(course("mnmn"), rule)] == [0, 5, 10, 15]


def test_alerts_of_a_rule_are_counted() -> None:
    """The second alert has an id of its own, and says since when its condition was met."""
    raised = [event for _, event in simulated(course("mmm" + "n" * 6 + "mmm")) if isinstance(event, AlertRaised)]
    assert [event.alert_id for event in raised] == ["slow-1", "slow-2"]
    assert [event.since for event in raised] == [START, START + 45 * SECOND]


def test_removing_a_rule_resolves_its_alert() -> None:
    """Nothing stays open that nobody looks at."""
    ((_, raised),) = simulated(course("mmm"))
    stream = AlertStream()
    for event in [*decide_set(stream, RULE), raised]:
        stream.apply(event)
    resolution, removed = decide_removal(stream, "slow", is_default=False)
    assert isinstance(resolution, AlertResolved) and resolution.alert_id == "slow-1"
    stream.apply(removed)
    with pytest.raises(AlertRuleNotFound):
        decide_removal(stream, "slow", is_default=True)


def test_setting_a_rule_again_changes_nothing() -> None:
    """Equal content is no event; other content, or setting it after its removal, is one."""
    stream = AlertStream()
    for event in decide_set(stream, RULE):
        stream.apply(event)
    assert decide_set(stream, RULE) == []
    for event in decide_removal(stream, "slow", is_default=False):
        stream.apply(event)
    assert len(decide_set(stream, RULE)) == 1
