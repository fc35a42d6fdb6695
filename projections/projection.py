"""What a view is: a named set of tables, folded from the log. Floor 2: imports events only."""

import sqlite3
from collections.abc import Sequence
from typing import Protocol

from events.catalog import Event
from events.event import RecordedEvent


class Projection(Protocol):
    """A view. Its module owns the tables and holds the queries on them, too."""

    name: str
    schema_version: int
    """Raise it with every change of the tables or of apply(): views built by another version are built anew."""
    tables: tuple[str, ...]
    """The tables that it owns; no other projection touches them."""
    event_types: frozenset[type[Event]]
    """The types that it follows from; events of others are not handed to it."""

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Bring the tables from before `events` to after them; True if any row changed.

        The rows follow from the events alone: no clock, no randomness, nothing remembered, no I/O but the connection.
        However the log is cut into batches, the rows end up the same, bit for bit. Runs inside the caller's
        transaction and leaves it open.
        """
        ...
