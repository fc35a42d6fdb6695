"""What is done again and again by one process: the one that leads the projections. Floor 3."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from events.errors import EventStoreError, StoreClosed
from projections.errors import ProjectionError
from recsys.logging import StructuredLogger
from recsys.services import Services


async def while_leading(
    services: Services, act: Callable[[], Awaitable[None]], *, pause_seconds: float, logger: StructuredLogger
) -> None:
    """Act, pause and act again until cancelled, or the store is closed; only while this process leads.

    Trouble with the log or the views is logged, and it is tried again after the pause.
    """
    while True:
        try:
            if services.runner.is_projecting and services.runner.is_readable:
                await act()
        except StoreClosed:
            return
        except (EventStoreError, ProjectionError, sqlite3.Error) as error:
            logger.warning("it is tried again: %s", error)
        await asyncio.sleep(pause_seconds)
