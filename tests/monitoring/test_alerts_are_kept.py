"""The alerts view: the same rows however the log is cut, and for each receiver what it is still to be told."""

from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from events.catalog import (
    AbsenceCondition,
    AlertDelivered,
    AlertDeliveryFailed,
    AlertNotice,
    AlertRaised,
    AlertResolved,
    AlertRuleRemoved,
    AlertRuleSet,
    Event,
)
from projections.alerts import (
    AlertsProjection,
    DueNotice,
    deliveries_of,
    due_notices,
    get_alert,
    list_alerts,
    stored_rules,
)
from projections.writer import ViewsWriter
from tests.projections.harness import SECOND, START, recorded, rows


def rule_set(name: str = "r", window_seconds: int = 60) -> AlertRuleSet:
    return AlertRuleSet(
        rule=name,
        metric="m",
        condition=AbsenceCondition(),
        window_seconds=window_seconds,
        for_seconds=1,
        clear_seconds=1,
        severity="info",
    )


def raised(alert_id: str = "r-1") -> AlertRaised:
    return AlertRaised(
        alert_id=alert_id,
        rule=alert_id[:-2],
        metric="m",
        severity="info",
        since=START,
        value=None,
        threshold=1,
        explanation="!",
    )


def resolved(alert_id: str = "r-1") -> AlertResolved:
    return AlertResolved(alert_id=alert_id, rule=alert_id[:-2], value=1, explanation="fine")


def failed(notice: AlertNotice = "raised", *, receiver: str = "a", is_final: bool = False) -> AlertDeliveryFailed:
    return AlertDeliveryFailed(
        alert_id="r-1", notice=notice, receiver=receiver, attempt=1, error="503", is_final=is_final
    )


def delivered(notice: AlertNotice = "raised", *, receiver: str = "a") -> AlertDelivered:
    return AlertDelivered(alert_id="r-1", notice=notice, receiver=receiver, attempt=1, http_status=200)


WHOLE = [rule_set(), rule_set("s"), raised(), failed(), delivered(), raised("s-1"), rule_set(window_seconds=70)]
WHOLE += [AlertRuleRemoved(rule="s"), resolved(), failed("resolved", is_final=True)]


def written(path: Path, events: list[Event], batch: int = 100) -> Path:
    log = recorded(events)
    with closing(ViewsWriter.open(path, [AlertsProjection()])) as writer:
        for start in range(0, len(log), batch):
            writer.apply(log[start : start + batch])
    return path


async def due(path: Path, events: list[Event], *, since: int = START) -> list[DueNotice]:
    async with aiosqlite.connect(written(path / "views.db", events)) as db:
        return await due_notices(db, "a", since=since, limit=10)


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_any_split_gives_the_same_rows(tmp_path: Path, batch: int) -> None:
    """Event by event or all at once, the rows are the same."""
    once = rows(written(tmp_path / "once.db", WHOLE), [AlertsProjection()])
    assert rows(written(tmp_path / "parts.db", WHOLE, batch), [AlertsProjection()]) == once


async def test_all_is_read_back(tmp_path: Path) -> None:
    """Rules as they were last set, alerts with their end, deliveries in their order."""
    async with aiosqlite.connect(written(tmp_path / "views.db", WHOLE)) as db:
        rules = await stored_rules(db)
        alert, deliveries = await get_alert(db, "r-1"), await deliveries_of(db, "r-1")
        listed = [
            [of.alert_id for of in await list_alerts(db, status=of, limit=9)] for of in ("open", "resolved", None)
        ]
    assert [(of.name, of.content and of.content.window_seconds) for of in rules] == [("r", 70), ("s", None)]
    assert alert and (alert.status, alert.resolved_at, alert.resolution) == ("resolved", START + 8 * SECOND, "fine")
    assert [of.outcome for of in deliveries] == ["failed", "delivered", "given_up"]
    assert listed == [["s-1"], ["r-1"], ["s-1", "r-1"]]


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([raised()], [("r-1", "raised", 0)]),
        ([raised(), resolved()], [("r-1", "raised", 0)]),
        ([raised(), failed()], [("r-1", "raised", 1)]),
        ([raised(), failed(), failed()], [("r-1", "raised", 2)]),
        ([raised(), failed(receiver="b"), delivered(receiver="b")], [("r-1", "raised", 0)]),
        ([raised(), delivered()], []),
        ([raised(), failed(is_final=True)], []),
        ([raised(), delivered(), resolved()], [("r-1", "resolved", 0)]),
        ([raised(), failed(is_final=True), resolved(), failed("resolved")], [("r-1", "resolved", 1)]),
        ([raised(), raised("s-1")], [("r-1", "raised", 0), ("s-1", "raised", 0)]),
    ],
)
async def test_a_receiver_is_still_to_be_told(
    tmp_path: Path, events: list[Event], wanted: list[tuple[str, str, int]]
) -> None:
    """What it neither took nor was given up on, the beginning before the end, whatever others took."""
    assert [tuple(of[:3]) for of in await due(tmp_path, events)] == wanted


async def test_old_notices_are_no_news(tmp_path: Path) -> None:
    """A receiver that is added is not told of what is long over."""
    assert await due(tmp_path, [raised()], since=START + SECOND) == []
