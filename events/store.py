"""The event store's port: what every log can do, and the only thing that the floors above know of it. Floor 1."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from events.catalog import Event
from events.event import ANY, Appended, Metadata, NewEvent, RecordedEvent, StreamAppend


class EventStore(Protocol):
    """An append-only log of events in streams, with one global order. Positions count from 1, without gaps."""

    async def append(
        self,
        stream: str,
        events: Sequence[Event | NewEvent],
        *,
        metadata: Metadata,
        expected_version: int = ANY,
        key: str | None = None,
        fingerprint: str = "",
    ) -> Appended:
        """Append to one stream and return when it is on disk; see `append_all`."""
        ...

    async def append_all(
        self, appends: Sequence[StreamAppend], *, metadata: Metadata, key: str | None = None, fingerprint: str = ""
    ) -> Appended:
        """Append to several streams in one atomic unit and return when all of it is on disk.

        key: an idempotency key; a repeat returns the first answer, whatever the expected versions say.
        fingerprint: what a repeat must equal, such as a hash of the request; empty: a hash of the events themselves.
        Raises WrongExpectedVersion, IdempotencyKeyReused, StoreOverloaded, StoreFull, StoreUnavailable, StoreClosed.
        """
        ...

    async def find_key(self, key: str, *, fingerprint: str) -> Appended | None:
        """Return what the append with `key` did; None if there was none. Raises IdempotencyKeyReused."""
        ...

    async def find_event(self, event_id: str) -> RecordedEvent | None:
        """Return the event of that id, or None."""
        ...

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[RecordedEvent]:
        """Return at most `limit` events of one stream whose stream version is above `after`, in order."""
        ...

    async def read_all(
        self, after: int = 0, limit: int = 1000, *, types: Sequence[str] = (), scan_max: int = 100_000
    ) -> list[RecordedEvent]:
        """Return at most `limit` events whose position is above `after`, in order; of `types` only, if any are named.

        With `types`, at most `scan_max` positions are looked through.
        """
        ...

    async def stream_version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 if it has none."""
        ...

    async def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        ...

    async def position_at(self, recorded_at: int) -> int:
        """Return the position of the last event recorded at or before that time (microseconds); 0 if there is none."""
        ...

    def subscribe(self, after: int = 0, *, batch_events_max: int = 1000) -> AsyncIterator[list[RecordedEvent]]:
        """Yield all events above `after` in batches: first those that are there, then new ones as they are appended."""
        ...

    async def close(self) -> None:
        """Finish the accepted appends and let go of the files."""
        ...
