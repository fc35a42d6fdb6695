"""Raises and resolves alerts: a rule's stream is read, it is decided against the present, and appended. Floor 3."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import aiosqlite

from events.catalog import (
    AlertRaised,
    AlertResolved,
    AlertRuleRemoved,
    AlertRuleSet,
    DegradationCondition,
    Event,
)
from events.errors import WrongExpectedVersion
from events.event import Metadata, RecordedEvent
from events.store import EventStore
from projections.alerts import stored_rules
from projections.metrics import RESOLUTIONS, SECOND, floor_to, means, window
from projections.registry import production_version
from recsys.errors import AlertRuleNotFound, InvalidInput
from recsys.logging import get_logger
from recsys.monitoring.alert_rules import (
    PARTS,
    AlertRule,
    Judgement,
    Measured,
    bucket_seconds,
    default_rules,
    judge,
    needs_means,
    part_seconds,
    rule_of,
    rule_set,
    rules_in_force,
)
from recsys.monitoring.leading import while_leading
from recsys.monitoring.webhooks import deliver_forever
from recsys.registry import Decided, repeated
from recsys.services import Services

ACTOR: Final = "alerts"
LOOK_SECONDS: Final = 5.0
GAP_SECONDS_MAX: Final = 60  # between two looks: what lies between longer ones is not known to have held
CONFLICT_RETRIES_MAX: Final = 5
RULES_MAX: Final = 200  # each is looked at every five seconds, in 0.3 to 1.5 ms

logger = get_logger("monitoring.alerts")


@dataclass(slots=True)
class AlertStream:
    """A rule's stream as it stands. definition: as it was last set; open: its alert, if one is."""

    definition: AlertRule | None = None
    is_removed: bool = False
    open: AlertRaised | None = None
    alerts_raised: int = 0
    stream_version: int = 0
    position: int = 0

    def follow(self, events: Iterable[RecordedEvent]) -> None:
        """Take up the next events of the stream."""
        for event in events:
            self.apply(event.data)
            self.stream_version, self.position = event.stream_version, event.position

    def apply(self, event: Event) -> None:
        match event:
            case AlertRuleSet():
                self.definition, self.is_removed = rule_of(event), False
            case AlertRuleRemoved():
                self.definition, self.is_removed = None, True
            case AlertRaised():
                self.open, self.alerts_raised = event, self.alerts_raised + 1
            case AlertResolved():
                self.open = None
            case _:
                pass

    def has(self, rule: AlertRule) -> bool:
        """Whether the rule is in force as it is given: as it was last set, or as the settings say."""
        return not self.is_removed and self.definition in (None, rule)


class Watch(NamedTuple):
    """Since when a condition is met, or clear, and when that was last looked at; microseconds since the epoch."""

    met_since: int | None = None
    clear_since: int | None = None
    seen_at: int | None = None


def watched(watch: Watch, judgement: Judgement, *, now: int) -> Watch:
    """Return the watch after another look. What was not measured, or not looked at for long, counts from anew."""
    if watch.seen_at is None or now - watch.seen_at > GAP_SECONDS_MAX * SECOND:
        watch = Watch()
    match judgement.verdict:
        case "met":
            return Watch(met_since=now if watch.met_since is None else watch.met_since, seen_at=now)
        case "not_met":
            return Watch(clear_since=now if watch.clear_since is None else watch.clear_since, seen_at=now)
        case "not_measured":
            return Watch(seen_at=now)


def decide(rule: AlertRule, stream: AlertStream, judgement: Judgement, watch: Watch, *, now: int) -> list[Event]:
    """Return what follows from the present: an alert raised, one resolved, or nothing."""
    if stream.open is None and has_lasted(watch.met_since, rule.for_seconds, now=now):
        return [raised(rule, stream, judgement, since=watch.met_since or now)]
    if stream.open is not None and has_lasted(watch.clear_since, rule.clear_seconds, now=now):
        return [resolved(stream.open, value=judgement.value, explanation=judgement.explanation)]
    return []


def has_lasted(since: int | None, seconds: int, *, now: int) -> bool:
    return since is not None and now - since >= seconds * SECOND


def raised(rule: AlertRule, stream: AlertStream, judgement: Judgement, *, since: int) -> AlertRaised:
    return AlertRaised(
        alert_id=f"{rule.name}-{stream.alerts_raised + 1}",
        rule=rule.name,
        metric=rule.metric,
        severity=rule.severity,
        since=since,
        value=judgement.value,
        threshold=judgement.threshold,
        explanation=judgement.explanation,
    )


def resolved(alert: AlertRaised, *, value: float | None, explanation: str) -> AlertResolved:
    return AlertResolved(alert_id=alert.alert_id, rule=alert.rule, value=value, explanation=explanation)


def decide_set(stream: AlertStream, rule: AlertRule) -> list[Event]:
    """Return the events that set the rule; none where it was set as it is."""
    return [] if stream.definition == rule else [rule_set(rule)]


def decide_removal(stream: AlertStream, name: str, *, is_default: bool) -> list[Event]:
    """Return the events that remove the rule, and resolve its alert. Raises AlertRuleNotFound."""
    if stream.is_removed or (stream.definition is None and not is_default):
        raise AlertRuleNotFound(name)
    removed = AlertRuleRemoved(rule=name)
    if stream.open is None:
        return [removed]
    return [resolved(stream.open, value=None, explanation="its rule was removed"), removed]


async def set_rule(
    services: Services, rule: AlertRule, *, metadata: Metadata, key: str | None, fingerprint: str
) -> Decided:
    """Make or replace a rule. Raises InvalidInput if there are too many, and what the store raises."""
    check_condition(rule)
    async with services.views.reader() as db:
        names = {known.rule.name for known in rules_in_force(await stored_rules(db), services.settings)}
    if rule.name not in names and len(names) >= RULES_MAX:
        raise InvalidInput(f"there are {len(names)} rules, as many as may be", field="name", fix="remove one first")
    return await carry_out(
        services.store, rule.name, lambda stream: decide_set(stream, rule), metadata, key, fingerprint
    )


async def remove_rule(
    services: Services, name: str, *, metadata: Metadata, key: str | None, fingerprint: str
) -> Decided:
    """Remove a rule, one of the settings' own, too. Raises AlertRuleNotFound, and what the store raises."""
    is_default = any(rule.name == name for rule in default_rules(services.settings))
    return await carry_out(
        services.store,
        name,
        lambda stream: decide_removal(stream, name, is_default=is_default),
        metadata,
        key,
        fingerprint,
    )


def check_condition(rule: AlertRule) -> None:
    """Raise InvalidInput if the window is too short for its course to be looked at."""
    least = PARTS * RESOLUTIONS[0] // SECOND
    if needs_means(rule.condition) and rule.window_seconds < least:
        raise InvalidInput(
            f"the window is too short for {PARTS} parts",
            field="window_seconds",
            found=str(rule.window_seconds),
            fix=f"give {least} or more",
        )


async def carry_out(
    store: EventStore,
    name: str,
    decide_on: Callable[[AlertStream], list[Event]],
    metadata: Metadata,
    key: str | None,
    fingerprint: str,
) -> Decided:
    """Decide against the rule's stream and append; anew, where another process was faster."""
    if key is not None and (first := await store.find_key(key, fingerprint=fingerprint)):
        return await repeated(store, first)
    stream = AlertStream()
    for retries_left in reversed(range(CONFLICT_RETRIES_MAX + 1)):
        await catch_up(store, name, stream)
        events = decide_on(stream)
        if not events:
            break
        try:
            appended = await store.append(
                stream_of(name),
                events,
                metadata=metadata,
                expected_version=stream.stream_version,
                key=key,
                fingerprint=fingerprint,
            )
        except WrongExpectedVersion:
            if not retries_left:
                raise
            continue
        return await repeated(store, appended) if appended.is_repeat else Decided(events, appended.position)
    return Decided([], stream.position)


async def catch_up(store: EventStore, name: str, stream: AlertStream) -> None:
    """Have `stream` follow the rule's stream to its end."""
    while events := await store.read_stream(stream_of(name), after=stream.stream_version):
        stream.follow(events)


def stream_of(name: str) -> str:
    return f"alert-{name}"


async def run_alerts(services: Services) -> None:
    """Evaluate the rules and deliver the alerts until cancelled; not at all if monitoring is turned off."""
    if not services.settings.monitoring_enabled:
        return
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Evaluator(services).run(), name="alert rules")
        tasks.create_task(deliver_forever(services), name="webhooks")


@dataclass(slots=True)
class Evaluator:
    """Looks at all rules again and again, in the process that leads the projections."""

    services: Services
    _watches: dict[AlertRule, Watch] = field(default_factory=dict)
    _streams: dict[str, AlertStream] = field(default_factory=dict)

    async def run(self) -> None:
        """Look every few seconds until cancelled, or the store is closed."""
        await while_leading(self.services, self.look, pause_seconds=LOOK_SECONDS, logger=logger)

    async def look(self) -> None:
        """Judge every rule once, and record what follows."""
        now = self.services.clock()
        async with self.services.views.reader() as db:
            rules = [of.rule for of in rules_in_force(await stored_rules(db), self.services.settings)]
        self._streams = {rule.name: self._streams.get(rule.name, AlertStream()) for rule in rules}
        judgements = {rule: await self._judgement(rule, now=now) for rule in rules}
        self._watches = {
            rule: watched(self._watches.get(rule, Watch()), judgement, now=now)
            for rule, judgement in judgements.items()
        }
        for rule, judgement in judgements.items():
            await self._settle(rule, judgement, now=now)

    async def _judgement(self, rule: AlertRule, *, now: int) -> Judgement:
        async with self.services.views.reader() as db:  # one a rule: readers are few, and requests wait for them
            return judge(rule, await measure(db, rule, now=now))

    async def _settle(self, rule: AlertRule, judgement: Judgement, *, now: int) -> None:
        """Append what follows from the judgement, unless the stream moves on: then the next look decides anew."""
        stream = self._streams[rule.name]
        await catch_up(self.services.store, rule.name, stream)
        if not stream.has(rule):
            return
        events = decide(rule, stream, judgement, self._watches[rule], now=now)
        if not events:
            return
        try:
            await self.services.store.append(
                stream_of(rule.name),
                events,
                metadata=Metadata(actor=ACTOR),
                expected_version=stream.stream_version,
            )
        except WrongExpectedVersion:
            return
        tell(rule, events)


def tell(rule: AlertRule, events: Iterable[Event]) -> None:
    """Log what became of the rule's alert."""
    for event in events:
        match event:
            case AlertRaised():
                logger.warning("alert %s (%s): %s", event.alert_id, rule.severity, event.explanation)
            case AlertResolved():
                logger.info("alert %s is resolved: %s", event.alert_id, event.explanation)


async def measure(db: aiosqlite.Connection, rule: AlertRule, *, now: int) -> Measured:
    """Return what the rule's condition is to be judged by."""
    if needs_means(rule.condition):
        end = floor_to(now, bucket_seconds(rule.window_seconds) * SECOND)  # only of buckets that are over
        seconds = part_seconds(rule.window_seconds)
        return Measured(stats=None, means=await means(db, rule.metric, end=end, part_seconds=seconds, parts=PARTS))
    stats = await window(db, rule.metric, now=now, window_seconds=rule.window_seconds)
    return Measured(stats=stats, registered=await registered_value(db, rule))


async def registered_value(db: aiosqlite.Connection, rule: AlertRule) -> float | None:
    """Return the metric that the condition's model in production was registered with, if it names one that was."""
    if not isinstance(rule.condition, DegradationCondition) or not rule.condition.model_id:
        return None
    version = await production_version(db, rule.condition.model_id)
    return None if version is None else version.metrics.get(rule.metric)
