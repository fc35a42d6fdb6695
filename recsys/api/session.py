"""An open log with its views, in the thread that serves the synchronous API. Floor 3."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Any, Final, NoReturn, TypeVar

import aiosqlite
from msgspec.structs import replace

from events.event import Metadata
from events.sqlite import SqliteEventStore
from projections.runner import Runner
from projections.views import Views
from recsys.api.points import Points
from recsys.commands.all_views import all_views
from recsys.commands.surroundings import check_folder
from recsys.config import Settings
from recsys.errors import RecommenderUnavailable
from recsys.recommender.index import Outage
from recsys.recommender.options import Options
from recsys.registry import Registry
from recsys.services import Services
from recsys.turn import Turn

METADATA: Final = Metadata(actor="python")
VIEWS_SECONDS_MAX: Final = 60.0  # a caller waits so long for views that are built anew
T = TypeVar("T")


class NoRecommender:
    """Takes the recommender's place: recipes are the server's to recommend."""

    degraded: tuple[str, ...] = ()
    outages: tuple[Outage, ...] = ()
    unembedded = 0
    unindexed = 0

    async def recommend(self, query: str, n: int, *, options: Options) -> NoReturn:
        raise RecommenderUnavailable(f"{query!r} is to be asked of the server: POST /recommend, n {n}, {options}")

    async def similar(self, recipe_id: str, n: int) -> NoReturn:
        raise RecommenderUnavailable(f"ask the server: GET /recipes/{recipe_id}/similar?n={n}")


class Session:
    """Opens the log of `settings` in a thread of its own. Raises Unavailable, EventStoreError, ViewsUnavailable."""

    services: Services
    points: Points
    mirror_turn: Turn  # of whoever writes models/registry.json

    def __init__(self, settings: Settings) -> None:
        check_folder(settings.data_dir)
        # Absolute, as the caller may change the working directory.
        self.settings = replace(settings, data_dir=settings.data_dir.absolute())
        self._asked: set[asyncio.Task[Any]] = set()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="mlops", daemon=True)
        self._thread.start()
        self._ready.result()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, ask: "Callable[[Session], Awaitable[T]]") -> "Future[T]":
        """Run `ask` in the loop of the session; from any thread."""
        return asyncio.run_coroutine_threadsafe(self._answer(ask), self._loop)

    def close(self) -> None:
        """Finish what was submitted, write the points that wait and close the log. The caller submits no more."""
        if self.is_alive:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[aiosqlite.Connection]:
        """Lend a connection to views that have caught up. Raises ProjectionLag."""
        await self.catch_up()
        async with self.services.views.reader() as db:
            yield db

    async def catch_up(self) -> None:
        """Return when the views show all that any process had acknowledged before. Raises ProjectionLag."""
        await self.points.settle()
        await self.reach(await self.services.store.head())

    async def reach(self, position: int) -> None:
        """Return when the views show the log up to `position`. Raises ProjectionLag."""
        await self.services.runner.wait_until(position, timeout=VIEWS_SECONDS_MAX)

    async def _answer(self, ask: "Callable[[Session], Awaitable[T]]") -> T:
        task = asyncio.current_task()
        assert task is not None
        self._asked.add(task)
        try:
            return await ask(self)
        finally:
            self._asked.discard(task)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
                return
            self.points.abandon(error)
            raise  # a task died: threading shows the traceback, and the next call opens another session

    async def _live(self) -> None:
        """Log → views → services, until the end is set; then what was asked is finished."""
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        folder = self.settings.data_dir
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(await SqliteEventStore.open(folder / "log.db"))
            views = await Views.open(folder / "views.db", all_views())
            stack.push_async_callback(views.close)
            turn = stack.enter_context(closing(Turn(folder / "registry.turn")))
            self.mirror_turn = stack.enter_context(closing(Turn(folder / "mirror.turn")))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self.services = Services(
                store=store,
                views=views,
                runner=Runner(store, views),
                registry=Registry(store, turn),
                recommender=NoRecommender(),
                settings=self.settings,
            )
            self.points = Points(store, METADATA)
            projecting = tasks.create_task(self.services.runner.run(), name="projections")
            recording = tasks.create_task(self.points.run(), name="points")
            self._ready.set_result(None)
            await self._end.wait()
            if self._asked:
                await asyncio.wait(self._asked)
            await self.points.close()
            projecting.cancel()
            recording.cancel()
