"""The envelopes: an event to append, and an event as the log holds it. Floor 1."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from events.catalog import Event

ANY: Final = -1  # append whatever the stream's version is
NO_STREAM: Final = 0  # append only if the stream is empty


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who did it and what led to it. correlation_id: the request; causation_id: the event that led to this one.

    Set by the store: idempotency_key and fingerprint, to the append's key and what a repeat of it must equal;
    append_id, where the process that appended is not the one that wrote.
    """

    actor: str
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""
    idempotency_key: str = ""
    fingerprint: str = ""
    append_id: str = ""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event with an id of the caller's making; appending the same id again changes nothing."""

    data: Event
    event_id: UUID


class StreamAppend(msgspec.Struct, frozen=True, gc=False):
    """What one atomic append adds to one stream. expected_version: ANY, NO_STREAM or the version last read."""

    stream: str
    events: Sequence[Event | NewEvent]
    expected_version: int = ANY


class Appended(msgspec.Struct, frozen=True, gc=False):
    """What an append did. position: of its last event; stream_version: of its last stream after it.

    is_repeat: the key or the event id was there before; the first answer is returned and nothing was written.
    """

    first_position: int
    position: int
    stream_version: int
    is_repeat: bool = False


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive events of one append, stream and type, stored as one row. The envelope that its events share.

    position and stream_version: of the run's last event. recorded_at: microseconds since the Unix epoch, UTC.
    hash: 32 bytes, the chain's value after this run.
    """

    position: int
    stream: str
    stream_version: int
    type: str
    schema_version: int
    recorded_at: int
    given_event_id: str | None
    id_salt: int
    metadata: Metadata
    hash: bytes


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as the log holds it: its own position, stream version and data; the rest stands in its run."""

    position: int
    stream_version: int
    data: Event
    run: Run

    @property
    def stream(self) -> str:
        return self.run.stream

    @property
    def type(self) -> str:
        return self.run.type

    @property
    def schema_version(self) -> int:
        """The version that the event was written in; `data` is always of the present one."""
        return self.run.schema_version

    @property
    def recorded_at(self) -> int:
        """Microseconds since the Unix epoch, UTC; never falls from one position to the next."""
        return self.run.recorded_at

    @property
    def metadata(self) -> Metadata:
        return self.run.metadata

    @property
    def hash(self) -> bytes:
        """The chain's value after the event's run, 32 bytes."""
        return self.run.hash

    @property
    def event_id(self) -> str:
        """The id that the caller gave, else the one that follows from time, log and position."""
        return self.run.given_event_id or event_id_at(self.position, self.run.recorded_at, self.run.id_salt)


def event_id_at(position: int, recorded_at: int, id_salt: int) -> str:
    """Return the UUIDv7 of the event at `position`, as text.

    RFC 9562: 48 bits of milliseconds, 12 of their fraction (method 3), 14 bits that differ from log to log, and the
    position in the last 48: unique, time-ordered, and found again without an index.

    >>> event_id_at(258, 1_700_000_000_000_000, 0x2ABC)
    '018bcfe5-6800-7000-aabc-000000000102'
    """
    milliseconds, microseconds = divmod(recorded_at, 1000)
    fraction = microseconds * 4096 // 1000
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-7{fraction:03x}-{0x8000 | id_salt:04x}-{position:012x}"
