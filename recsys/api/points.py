"""Metric points on their way to the log: those that arrive during a commit share the next one. Floor 3."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from events.event import Metadata
from events.store import EventStore
from recsys.http.decoding import converted
from recsys.http.metric_points import MetricPoint, appends_of
from recsys.identifiers import Identifier
from recsys.logging import monitoring_logger
from recsys.services import now_us

# By weight: a point weighs 1, and 1 more for each LABEL_CHARACTERS of its labels.
LABEL_CHARACTERS: Final = 100
BATCH_WEIGHT_MAX: Final = 5_000  # an append's, within the store's 8 MB; larger ones hold up those behind them
QUEUED_WEIGHT_MAX: Final = 100_000  # about 20 MB; who records more waits for room
GATHER_SECONDS: Final = 0.05  # points that nobody waits for; each by itself would cost its caller a switch of threads


class Batch:
    """Points for one append. recorded: done when they are on disk, or failed.

    is_awaited: by all who put them. is_urgent: somebody waits for it, or it is full.
    """

    def __init__(self) -> None:
        self.points: list[MetricPoint] = []
        self.weight = 0
        self.recorded: Future[None] = Future()
        self.is_awaited = True
        self.is_urgent = False

    @property
    def is_full(self) -> bool:
        return self.weight >= BATCH_WEIGHT_MAX


class Points:
    """The queue of one session. `record` is for any thread; the rest belongs to the session's loop."""

    def __init__(self, store: EventStore, metadata: Metadata) -> None:
        self._store = store
        self._metadata = metadata
        self._loop = asyncio.get_running_loop()
        self._known_names: set[str] = set()  # to match the pattern once a name, not once a point
        self._lock = threading.Lock()
        self._has_room = threading.Condition(self._lock)
        self._queue: deque[Batch] = deque()
        self._queued_weight = 0
        self._is_closed = False
        self._wanted = asyncio.Event()  # set when there is a batch
        self._urgent = asyncio.Event()  # set when one becomes urgent
        self._under_way: Batch | None = None
        self._failure: Exception | None = None  # of points that nobody waited for

    def record(
        self,
        name: str,
        value: Any,
        labels: Mapping[str, str] | None,
        timestamp: float | str | datetime | None,
        *,
        is_awaited: bool,
    ) -> Batch | None:
        """Queue a point, waiting for room if there is none, and return its batch; None if the session has ended.

        Raises InvalidInput.
        """
        if name not in self._known_names:
            self._known_names.add(converted(name, Identifier, place="metric", strict=True))
        values = {
            "metric": name,
            "value": value if type(value) is float else plain_number(value),
            "timestamp": time.time() if timestamp is None else seconds_or_text(timestamp),
            "labels": labels or {},
        }
        return self._put(converted(values, MetricPoint, strict=True), is_awaited=is_awaited)

    def _put(self, point: MetricPoint, *, is_awaited: bool) -> Batch | None:
        weight = 1 + label_characters(point) // LABEL_CHARACTERS
        with self._lock:
            while self._queued_weight >= QUEUED_WEIGHT_MAX and not self._is_closed:
                self._has_room.wait()
            if self._is_closed:
                return None
            batch = self._open_batch()
            batch.points.append(point)
            batch.is_awaited &= is_awaited
            batch.weight += weight
            self._queued_weight += weight
            if not batch.is_urgent and (is_awaited or batch.is_full):
                batch.is_urgent = True
                self._loop.call_soon_threadsafe(self._urgent.set)
            return batch

    def _open_batch(self) -> Batch:
        if not self._queue or self._queue[-1].is_full:
            self._queue.append(Batch())
            self._loop.call_soon_threadsafe(self._wanted.set)
        return self._queue[-1]

    async def run(self) -> None:
        """Append batch after batch until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._queue:
                await self._gather(self._queue[0])
                self._under_way = self._take()
                await self._record(self._under_way)
                self._under_way = None

    async def _gather(self, batch: Batch) -> None:
        """Return when the batch is to be written: when it is urgent, or GATHER_SECONDS have passed."""
        self._urgent.clear()
        if not batch.is_urgent:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._urgent.wait()

    def _take(self) -> Batch:
        with self._lock:
            batch = self._queue.popleft()
            self._queued_weight -= batch.weight
            self._has_room.notify_all()
            return batch

    async def _record(self, batch: Batch) -> None:
        try:
            await self._store.append_all(appends_of(batch.points, now=now_us()), metadata=self._metadata)
        except Exception as error:
            monitoring_logger.error("%d metric points were not recorded: %s", len(batch.points), error)
            if not batch.is_awaited:
                self._failure = error
            batch.recorded.set_exception(error)
        else:
            batch.recorded.set_result(None)

    async def flush(self) -> None:
        """Return when all points so far are on disk. Raises the error of those that nobody waited for, if any."""
        await self.settle()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def settle(self) -> None:
        """Return when all points so far are on disk, or refused."""
        with self._lock:
            last = self._queue[-1] if self._queue else self._under_way
            for batch in self._queue:
                batch.is_urgent = True
        self._urgent.set()
        if last is not None:
            with suppress(Exception):  # its own callers hear of it
                await asyncio.wrap_future(last.recorded)

    async def close(self) -> None:
        """Take no more points, and settle those that are queued."""
        self._refuse()
        await self.settle()

    def abandon(self, error: BaseException) -> None:
        """Have those who wait fail with `error`: the loop has ended before its time."""
        self._refuse()
        for batch in filter(None, (self._under_way, *self._queue)):
            if not batch.recorded.done():
                batch.recorded.set_exception(error)

    def _refuse(self) -> None:
        with self._lock:
            self._is_closed = True
            self._has_room.notify_all()


def label_characters(point: MetricPoint) -> int:
    return sum(len(name) + len(value) for name, value in point.labels.items()) if point.labels else 0


def plain_number(value: Any) -> Any:
    """Return the number that a numpy scalar holds; anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def seconds_or_text(timestamp: float | str | datetime) -> float | str:
    return timestamp.isoformat() if isinstance(timestamp, datetime) else timestamp
