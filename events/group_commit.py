"""Group commit: appends that arrive during one disk wait are written by the next transaction. Floor 1.

The event loop gathers batches and hands them to one thread, which runs LogWriter.commit. Two batches are under way at
most: while the thread writes one, the loop answers the one before and gathers the next.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Literal

from events.errors import EventStoreError, StoreOverloaded, StoreUnavailable
from events.request import AppendRequest
from events.writer import Batch as PreparedBatch
from events.writer import LogWriter, Outcome

BATCH_APPENDS_MAX: Final = 128  # two of them keep 256 producers and the disk busy at the same time
BATCH_EVENTS_MAX: Final = 20_000  # bounds how long the appends behind a large one wait
QUEUED_EVENTS_MAX: Final = 50_000  # a source's; past it an append is refused
# One that the disk works on and one behind it: LogWriter.prepare builds on at most one batch that is not committed.
BATCHES_UNDER_WAY_MAX: Final = 2

# Called in the event loop with a source's waiters, the outcome for each, and the log's head.
Deliver = Callable[[list[Any], list[Outcome], int], None]


class Source:
    """One producer's queue: this process, or another one that appends through it. Sources take turns.

    A waiter is whatever `deliver` knows how to answer.
    """

    def __init__(self, deliver: Deliver) -> None:
        self.deliver = deliver
        self.requests: deque[AppendRequest] = deque()
        self.waiters: deque[Any] = deque()
        self.queued_events = 0


class Batch:
    """Requests to commit together, and whose they are."""

    def __init__(self, appends_max: int) -> None:
        self.appends_max = appends_max
        self.requests: list[AppendRequest] = []
        self.shares: list[tuple[Source, list[Any]]] = []
        self.events = 0
        self.prepared: PreparedBatch  # set when it is complete

    @property
    def is_full(self) -> bool:
        return len(self.requests) >= self.appends_max or self.events >= BATCH_EVENTS_MAX

    def take(self, source: Source, appends_max: int) -> None:
        """Move up to `appends_max` requests from the source's queue into the batch."""
        taken: list[Any] = []
        while source.requests and len(taken) < appends_max and not self.is_full:
            request = source.requests.popleft()
            events = request.events
            source.queued_events -= events
            self.events += events
            self.requests.append(request)
            taken.append(source.waiters.popleft())
        self.shares.append((source, taken))


class GroupCommit:
    """Owns `writer` and its thread from construction to `close`. on_head: called with the head after each commit."""

    def __init__(self, writer: LogWriter, *, on_head: Callable[[int], None]) -> None:
        self._writer = writer
        self._on_head = on_head
        self._loop = asyncio.get_running_loop()
        self._turn: deque[Source] = deque()  # the sources that wait, each once
        self._batches: SimpleQueue[Batch | Literal["settled"] | None] = SimpleQueue()
        # From when answers are sent until what they bring on is queued: meanwhile the next ones are held back.
        self._is_answering = False
        self._is_holding_back = False
        self._under_way = 0
        self._last: PreparedBatch | None = None
        self._is_dispatch_due = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._work, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, source: Source, request: AppendRequest, waiter: Any) -> None:
        """Queue the append; `source.deliver` gets its outcome. Raises StoreOverloaded when the queue is full."""
        events = request.events
        if source.queued_events + events > QUEUED_EVENTS_MAX and source.requests:
            raise StoreOverloaded(f"{source.queued_events} events wait to be written: nothing was written, retry later")
        if not source.requests:
            self._turn.append(source)
        source.queued_events += events
        source.requests.append(request)
        source.waiters.append(waiter)
        if not self._is_dispatch_due and self._under_way < BATCHES_UNDER_WAY_MAX:
            # Not at once: all that this turn of the loop appends shall share the commit.
            self._is_dispatch_due = True
            self._idle.clear()
            self._loop.call_soon(self._dispatch)

    def forget(self, source: Source) -> None:
        """Drop what the source has queued and no batch has taken yet."""
        if source.requests:
            self._turn.remove(source)
            source.requests.clear()
            source.waiters.clear()
            source.queued_events = 0

    def _dispatch(self) -> None:
        self._is_dispatch_due = False
        while self._turn and self._under_way < BATCHES_UNDER_WAY_MAX:
            batch = self._gather()
            self._under_way += 1
            self._last = batch.prepared = self._writer.prepare(batch.requests, after=self._last)
            self._batches.put(batch)
        if not self._under_way:
            self._idle.set()

    def _gather(self) -> Batch:
        """Return the next batch, with an equal share for each source that waits.

        With nothing under way it takes half of what waits, and the next batch the rest: from then on the disk works on
        the one while the loop answers and gathers the other.
        """
        waiting = sum(len(source.requests) for source in self._turn)
        batch = Batch(min(BATCH_APPENDS_MAX, waiting if self._under_way else (waiting + 1) // 2))
        share = max(1, batch.appends_max // len(self._turn))
        while self._turn and not batch.is_full:
            source = self._turn.popleft()
            batch.take(source, share)
            if source.requests:
                self._turn.append(source)
        return batch

    def _work(self) -> None:
        """Commit batch after batch. The answers of one batch go out while the next one waits for the disk.

        Sent earlier, they would wake the producers while this thread inserts the next batch: both need the
        interpreter, which passes from thread to thread slowly. With no batch to come, an answer goes out at once.
        """
        answers: list[tuple[Batch, list[Outcome], int]] = []

        def send_answers() -> None:
            self._is_holding_back = False
            if answers:
                self._is_answering = True
                self._loop.call_soon_threadsafe(self._committed, *answers.pop())

        while (batch := self._batches.get()) is not None:
            if batch == "settled":
                if self._batches.empty():
                    send_answers()
                continue
            outcomes: list[Outcome]
            try:
                outcomes = self._writer.commit(batch.prepared, before_disk=send_answers)
            except EventStoreError as error:
                outcomes = [error] * len(batch.requests)
            except Exception as error:  # a fault of ours: those who wait must hear of it
                outcomes = [StoreUnavailable(f"the append failed: {error!r}")] * len(batch.requests)
                self._loop.call_soon_threadsafe(
                    self._loop.call_exception_handler, {"message": "a commit failed", "exception": error}
                )
            send_answers()  # those of the batch before, if the commit failed before the disk
            answers.append((batch, outcomes, self._writer.head[0]))
            if self._batches.empty():
                self._is_holding_back = True  # first this, then a look at _is_answering: _settle does it the other way
                if not self._is_answering:
                    send_answers()

    def _committed(self, batch: Batch, outcomes: list[Outcome], head: int) -> None:
        self._under_way -= 1
        self._dispatch()
        start = 0
        try:
            for source, waiters in batch.shares:
                source.deliver(waiters, outcomes[start : start + len(waiters)], head)
                start += len(waiters)
            self._on_head(head)
        finally:
            # In the next turn of the loop those who were answered append again; the turn after that dispatches it.
            self._loop.call_soon(self._loop.call_soon, self._settle)

    def _settle(self) -> None:
        """Say that the answers have brought on what they bring on, to a thread that holds back the next ones."""
        self._is_answering = False
        if self._is_holding_back:
            self._batches.put("settled")

    async def close(self) -> None:
        """Commit what is queued, then end the thread and close the writer's connection."""
        await self._idle.wait()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._writer.close)
