"""The event loop behind the synchronous API: opened by the first call, closed when the process ends. Floor 3.

Nothing heavy is imported here, so that `import mlops` is quick; recsys.api.session is, at the first call.
"""

import concurrent.futures.thread  # noqa: F401  # registers its own end, which must come after ours
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recsys.config import Settings, load_settings
from recsys.errors import RecsysError

if TYPE_CHECKING:
    from recsys.api.session import Session

T = TypeVar("T")


class Runtime:
    """Runs coroutines for callers that have no event loop, or are called by one themselves.

    Any thread may call. The log is closed before a fork, as SQLite demands, and each side opens it anew when it calls.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # held while the log is opened or closed, and during a fork
        self._settings: Settings | None = None
        self._session: Session | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read at the first use from where the server reads them. Raises InvalidSetting."""
        with self._lock:
            if self._settings is None:
                self._settings = load_settings(os.environ, Path(".env"))
            return self._settings

    def call(self, ask: "Callable[[Session], Awaitable[T]]") -> T:
        """Return what `ask` comes to, opening the log if need be. An error carries its mend as a note."""
        with self._lock:
            asked = self.session().submit(ask)
        try:
            return asked.result()
        except RecsysError as error:
            if error.fix:
                error.add_note(error.fix)
            raise

    def session(self) -> "Session":
        """Return the open session. Raises Unavailable, EventStoreError or ViewsUnavailable if it cannot be opened."""
        if (session := self._session) is not None and session.is_alive:
            return session
        with self._lock:
            if self._session is None or not self._session.is_alive:
                from recsys.api.session import Session  # only now: it brings the log, the views and numpy

                self._session = Session(self.settings)
            return self._session

    def close(self) -> None:
        """Finish what was asked, write the points that wait and close the log.

        The next call opens it again, with the settings as they are then.
        """
        with self._lock:
            session, self._session, self._settings = self._session, None, None
            if session is not None:
                session.close()

    def before_fork(self) -> None:
        self._lock.acquire()
        settings = self._settings
        self.close()
        self._settings = settings

    def after_fork(self) -> None:
        self._lock.release()


runtime = Runtime()
os.register_at_fork(before=runtime.before_fork, after_in_parent=runtime.after_fork, after_in_child=runtime.after_fork)
# atexit would be too late: to close the log takes its reading threads, and the interpreter ends those before.
threading._register_atexit(runtime.close)  # type: ignore[attr-defined]  # as concurrent.futures does it
