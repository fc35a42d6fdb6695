"""Keeps the views up to date with the log: catches up, then follows live, in one process at a time. Floor 2."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final

from events.errors import EventStoreError, StoreClosed, UndecodableEvent, UnknownEventType
from events.event import RecordedEvent
from events.store import EventStore
from projections.errors import ProjectionFailed, ProjectionLag, ViewsUnavailable, ViewsUnusable
from projections.rebuild import adopt
from projections.threads import in_thread
from projections.views import Views
from projections.writer import ViewsWriter, is_damage

logger = logging.getLogger("mlops.projections")

BATCH_EVENTS_MAX: Final = 4_000  # larger ones replay by a quarter faster, but hold the requests up in bursts
GATHER_SECONDS: Final = 0.01  # between batches while nobody waits: many small transactions cost the requests their CPU
BEHIND_EVENTS: Final = 30_000  # views further behind than this catch up without a pause
POLL_WAITED_SECONDS: Final = 0.02  # a follower's looks at the checkpoints while somebody waits for a position
POLL_SECONDS: Final = 0.25  # and otherwise
TEND_SECONDS: Final = 1.0  # between looks for a rebuilt file, or for a deleted one
RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 5.0


class Runner:
    """Projects the log of `store` into `views`, or follows the process that does, ready to take its place."""

    def __init__(self, store: EventStore, views: Views) -> None:
        self.store = store
        self.views = views
        self.is_projecting = False
        self._lasting_failure: Exception | None = None  # the log holds what this release cannot apply
        self._stopped_at = 0  # the position at which it failed
        self._passing_failure: str | None = None  # of a try that is made again
        self._retry_seconds = RETRY_SECONDS_MIN
        self._head = 0
        self._is_checked = False  # the views found at start may be of another log
        self._whole_at = 0  # where the log ended when they were found, or their building anew began
        self._waiters = 0
        self._wanted = asyncio.Event()  # set while somebody waits for a position
        self._advanced = asyncio.Event()  # set, and replaced, whenever the position moves
        self._tended_at = 0.0

    @property
    def failure(self) -> str | None:
        """Why the views do not move on; None while all is well."""
        return str(self._lasting_failure) if self._has_failed else self._passing_failure

    @property
    def _has_failed(self) -> bool:
        """Whether the views stand where this process failed: another one may have brought them on."""
        return self._lasting_failure is not None and self.views.position <= self._stopped_at

    @property
    def lag(self) -> int:
        """How many events the views are behind the log, as far as is known."""
        return max(0, self._head - self.views.position)

    async def wait_until(self, position: int, *, timeout: float) -> None:  # noqa: ASYNC109  # one bound a call
        """Return when the views have reached `position`. Raises ProjectionLag after `timeout` seconds or a failure."""
        if self._has_reached(position):
            return
        self._waiters += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(timeout):
                while not self._has_reached(position):
                    if self._has_failed:
                        raise ProjectionLag(wanted=position, position=self.views.position, reason=self.failure)
                    await self._advanced.wait()
        except TimeoutError as error:
            raise ProjectionLag(wanted=position, position=self.views.position, reason=self.failure) from error
        finally:
            self._waiters -= 1
            if not self._waiters:
                self._wanted.clear()

    @property
    def is_readable(self) -> bool:
        """Whether the views hold all that the log held when they were opened, or had to be built anew.

        Views that cannot move on at present are as good as they get, unless they are empty.
        """
        is_stuck = self._is_checked and self.failure is not None and self.views.position > 0
        return is_stuck or self._has_reached(self._whole_at)

    async def wait_until_readable(self, *, timeout: float) -> None:  # noqa: ASYNC109  # one bound a call
        """Return when the views are readable. Raises ProjectionLag after `timeout` seconds or a failure."""
        while not self.is_readable:
            await self.wait_until(self._whole_at, timeout=timeout)

    def _has_reached(self, position: int) -> bool:
        return self._is_checked and self.views.position >= position

    async def run(self) -> None:
        """Keep the views up to date until cancelled, or until the store is closed.

        What this process cannot apply stops its projecting, with `failure` set; reading goes on, and another process
        that can may take over.
        """
        while True:
            try:
                await self._follow()
                self.is_projecting = True
                return await self._project()
            except StoreClosed:
                return None
            except (ProjectionFailed, UnknownEventType, UndecodableEvent) as error:
                await self._give_up(error)
            except (ViewsUnusable, ViewsUnavailable, EventStoreError, sqlite3.Error, OSError) as error:
                await self._recover(error)
            finally:
                self.is_projecting = False

    # Projecting

    async def _project(self) -> None:
        """Apply the log's events until the store is closed. This process holds the lock."""
        await self._check_log()
        self._found(self._head)
        async with aclosing(self._batches()) as batches:
            async for events in batches:
                began = asyncio.get_running_loop().time()
                if events:
                    await self._apply(events)
                else:
                    self._passing_failure = None
                await self._tend()
                if self.lag < BEHIND_EVENTS:  # while nobody waits, at least half of the time belongs to the requests
                    await self._until_wanted(max(GATHER_SECONDS, asyncio.get_running_loop().time() - began))

    async def _check_log(self) -> None:
        """Raise ViewsUnusable if the views were not built from this log as it is now."""
        writer = self._writer()
        self._head = await self.store.head()
        if writer.position > self._head:
            raise ViewsUnusable(
                f"views.db has seen the log up to position {writer.position}, but the log ends at {self._head}: "
                "its tail was lost, or it is another log; check it with run.py verify"
            )
        if writer.position:
            [event] = await self.store.read_all(writer.position - 1, 1)
            if event.hash != writer.log_hash:
                raise ViewsUnusable(
                    f"views.db was built from another log: at position {writer.position} the hash is not the one "
                    "that it has seen; check the log with run.py verify"
                )

    async def _batches(self) -> AsyncGenerator[list[RecordedEvent], None]:
        """Yield the batches after the views' position, and an empty one in every second without."""
        subscription = self.store.subscribe(self.views.position, batch_events_max=BATCH_EVENTS_MAX)
        following: asyncio.Future[list[RecordedEvent] | None] | None = None
        try:
            while True:
                following = following or asyncio.ensure_future(anext(subscription, None))
                if not (await asyncio.wait((following,), timeout=TEND_SECONDS))[0]:
                    yield []
                    continue
                events, following = following.result(), None
                if events is None:
                    return
                yield events
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait((following,))

    async def _apply(self, events: list[RecordedEvent]) -> None:
        self._head = await self.store.head()
        await in_thread(apply_and_drop, self._writer(), events)
        self._moved()

    async def _tend(self) -> None:
        """Once a second: take over a rebuilt file; raise ViewsUnusable if the live one was deleted or is damaged."""
        now = asyncio.get_running_loop().time()
        if now - self._tended_at < TEND_SECONDS:
            return
        self._tended_at = now
        if not await in_thread(self.views.look_at_file):
            raise ViewsUnusable("views.db was deleted or replaced while it was in use")
        if self.views.damage is not None:
            raise ViewsUnusable(f"views.db is damaged: {self.views.damage}")
        await adopt(self.store, self.views)

    # Following

    async def _follow(self) -> None:
        """Return when this process writes the views; until then watch how far another one brings them."""
        while self._has_failed or not await self.views.try_lead():
            before = self.views.position
            await in_thread(self.views.look_at_file)
            await self.views.checkpoint()
            self._head = await self.store.head()
            if not self._is_checked or self.views.position < before:
                self._found(self._head)
            self._passing_failure = None
            self._wake()
            await self._poll_pause()

    async def _poll_pause(self) -> None:
        await asyncio.sleep(POLL_WAITED_SECONDS)
        if not self._waiters:
            await self._until_wanted(POLL_SECONDS - POLL_WAITED_SECONDS)

    async def _until_wanted(self, seconds: float) -> None:
        """Sleep, but no longer than until somebody waits for a position."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()

    # When it goes wrong

    async def _give_up(self, error: Exception) -> None:
        """Let another process try: one of a later release may know what to do."""
        logger.error("the projections stopped: %s", error)
        self._lasting_failure = error
        await self.views.release()
        self._stopped_at = self.views.position
        self._wake()

    async def _recover(self, error: Exception) -> None:
        """Build damaged views anew, then wait a little before the next try."""
        if isinstance(error, ViewsUnusable) or (is_damage(error) and self.views.writer is not None):
            logger.warning("the views are built anew: %s", error)
            self._is_checked = False
            try:
                await self.views.start_over(str(error))
            except (sqlite3.Error, OSError) as reason:
                error = reason
            else:
                self._moved()
                return
        self._passing_failure = f"the views cannot be brought up to date, and it is tried again: {error}"
        logger.warning("%s", self._passing_failure)
        await asyncio.sleep(self._retry_seconds)
        self._retry_seconds = min(2 * self._retry_seconds, RETRY_SECONDS_MAX)

    def _found(self, head: int) -> None:
        """Note that the views belong to this log, and are whole once they reach `head`."""
        self._is_checked = True
        self._whole_at = head
        self._wake()

    def _writer(self) -> ViewsWriter:
        assert self.views.writer is not None
        return self.views.writer

    def _moved(self) -> None:
        self.views.note(self._writer().checkpoints)
        self._passing_failure = None
        self._retry_seconds = RETRY_SECONDS_MIN
        self._wake()

    def _wake(self) -> None:
        """Have those who wait for a position look again."""
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()


def apply_and_drop(writer: ViewsWriter, events: list[RecordedEvent]) -> None:
    """Apply the events and empty the list: to free thousands of them in the event loop would hold up the requests."""
    writer.apply(events)
    events.clear()
