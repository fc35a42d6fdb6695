"""The errors of the event log. Floor 1: everything may import this, it imports nothing of ours."""


class EventStoreError(Exception):
    """The event store could not do what was asked."""

    retryable = False


class WrongExpectedVersion(EventStoreError):
    """The stream is at another version than the caller expected."""

    def __init__(self, stream: str, *, expected: int, found: int) -> None:
        super().__init__(
            f"expected version {expected} of stream {stream}, found {found}: read the stream again and decide anew"
        )
        self.stream = stream
        self.expected = expected
        self.found = found


class IdempotencyKeyReused(EventStoreError):
    """The idempotency key was used before, for other content."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"idempotency key {key!r} was used before for other content: use a fresh key for a new request"
        )
        self.key = key


class UnknownEventType(EventStoreError):
    """The log holds an event that this release does not know."""

    def __init__(self, type_name: str, schema_version: int, *, position: int) -> None:
        super().__init__(
            f"event {position} is of type {type_name} with schema version {schema_version}, which this release does "
            "not know: run the release that wrote it, or a later one"
        )
        self.position = position


class UndecodableEvent(EventStoreError):
    """An event's stored bytes do not fit its type."""

    def __init__(self, type_name: str, *, position: int, reason: str) -> None:
        super().__init__(
            f"event {position} of type {type_name} cannot be decoded: {reason}; check it with run.py verify"
        )
        self.position = position


class LogTampered(EventStoreError):
    """The hash chain is broken."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"the log is not what was written: first bad position {position}: {reason}")
        self.position = position
        self.reason = reason


class StoreOverloaded(EventStoreError):
    """The queue of appends is full; nothing was written, try again later."""

    retryable = True


class StoreFull(EventStoreError):
    """The disk is full; nothing was written. Reads go on, and appends resume when there is space."""

    retryable = True


class StoreUnavailable(EventStoreError):
    """No process could write the log in time; retry with the same key."""

    retryable = True


class StoreClosed(EventStoreError):
    """The event store is closed."""
