"""An append in the form in which it is queued, sent between processes and written: checked and encoded. Floor 1."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final, cast
from uuid import UUID

import msgspec

from events.catalog import Event, type_names
from events.codec import decode_metadata, encode, list_decoder
from events.event import ANY, Metadata, NewEvent, StreamAppend

EVENTS_PER_APPEND_MAX: Final = 10_000
CHARACTERS_PER_APPEND_MAX: Final = 8 * 1024 * 1024
STREAM_NAME: Final = re.compile(r"[a-z][a-z_]*-[!-~]{1,200}")  # category-id, visible ASCII
KEY_CHARACTERS_MAX: Final = 300


class EncodedRun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Events of one stream and type. data: their JSON array. expected_version counts for a stream's first run only.

    event_id: of the run's one event, if the caller gave it; fingerprint: what a repeat of that id must equal.
    """

    stream: str
    expected_version: int
    type: str
    schema_version: int
    count: int
    data: str
    event_id: str | None = None
    fingerprint: str = ""


class AppendRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One atomic append. metadata: JSON. events: how many.

    keys: the rows of the table `keys` that it makes, as (key, fingerprint): first the idempotency key, if it has one,
    then one for each event id that the caller gave. fingerprint: what a repeat must equal.
    resent_as, resent_after: the append's id, if the writer died before it answered; it may stand above that position.
    """

    runs: list[EncodedRun]
    metadata: str
    events: int
    keys: list[tuple[str, str]] = []
    has_key: bool = False
    resent_as: str = ""
    resent_after: int = 0


def encode_append(
    appends: Sequence[StreamAppend], metadata: Metadata, key: str | None, fingerprint: str, append_id: str = ""
) -> AppendRequest:
    """Return the request to append `appends`. Raises ValueError if one could not be read back as it was given."""
    if append_id:
        metadata = msgspec.structs.replace(metadata, append_id=append_id)
    runs = [run for append in appends for run in encode_runs(append)]
    events = check_size(runs)
    if len(runs) == 1 and runs[0].event_id is None and key is None:  # nearly always
        return AppendRequest(runs, encode_metadata(metadata), events)
    keys = [(f"event:{run.event_id}", run.fingerprint) for run in runs if run.event_id is not None]
    if len(dict(keys)) < len(keys):
        raise ValueError("an event id stands twice in one append: give each event one of its own")
    if key is not None:
        if not 0 < len(key) <= KEY_CHARACTERS_MAX:
            raise ValueError(f"an idempotency key has 1 to {KEY_CHARACTERS_MAX} characters, found {len(key)}")
        fingerprint = fingerprint or content_fingerprint([f"{run.stream}\n{run.type}\n{run.data}" for run in runs])
        metadata = msgspec.structs.replace(metadata, idempotency_key=key, fingerprint=fingerprint)
        keys.insert(0, (f"key:{key}", fingerprint))
    return AppendRequest(runs, encode_metadata(metadata), events, keys, key is not None)


def check_size(runs: list[EncodedRun]) -> int:
    """Return how many events an append has. Raises ValueError if it is too large, or empty."""
    events = characters = 0
    for run in runs:
        events += run.count
        characters += len(run.data)
    if not 0 < events <= EVENTS_PER_APPEND_MAX:
        raise ValueError(f"an append takes 1 to {EVENTS_PER_APPEND_MAX} events, found {events}: split it")
    if characters > CHARACTERS_PER_APPEND_MAX:
        raise ValueError(f"an append takes at most {CHARACTERS_PER_APPEND_MAX} characters of JSON: split it")
    return events


def encode_metadata(metadata: Metadata) -> str:
    encoded = encode(metadata)
    try:
        decode_metadata(encoded)
    except msgspec.ValidationError as error:
        raise ValueError(f"the metadata would not be read back: {error}") from error
    return encoded.decode()


def encode_runs(append: StreamAppend) -> list[EncodedRun]:
    """Return the events as the longest runs of one type; an event whose id the caller gave is a run of its own."""
    stream, events, expected_version = append.stream, append.events, append.expected_version
    if STREAM_NAME.fullmatch(stream) is None:
        raise ValueError(f"stream {stream!r} is not category-id: lower-case letters, '-', visible ASCII")
    if len(events) == 1 and isinstance(events[0], Event):
        return [encode_run(stream, expected_version, [events[0]])]
    runs: list[EncodedRun] = []
    for event_type, same in groupby(events, type):
        if event_type is NewEvent:
            for item in cast(Iterable[NewEvent], same):
                runs.append(encode_run(stream, expected_version, [item.data], event_id=item.event_id))
                expected_version = ANY
        else:
            runs.append(encode_run(stream, expected_version, cast(list[Event], list(same))))
            expected_version = ANY
    return runs


def encode_run(stream: str, expected_version: int, events: list[Event], *, event_id: UUID | None = None) -> EncodedRun:
    """Return the run of `events`, all of one type.

    It is read back before it is written: an event that cannot be decoded (a float is no int), or comes back as another
    (NaN becomes null in JSON), would stop every projection for ever, or lie, so it is refused here.
    """
    event_type = type(events[0])
    name = event_type.__name__
    if type_names.get(name) is not event_type:
        raise ValueError(f"{name} is not an event type of the catalog")
    try:
        data = encode(events)
        read_back = list_decoder(event_type).decode(data)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise ValueError(f"{name} would not be read back: {error}") from error
    if read_back != events:
        raise ValueError(f"{name} would be read back as something else: JSON has no NaN, dates, bytes or tuples")
    text = data.decode()
    if event_id is None:
        return EncodedRun(stream, expected_version, name, event_type.schema_version, len(events), text)
    if not isinstance(event_id, UUID):
        raise ValueError(f"an event id is a UUID, found {event_id!r}")  # noqa: TRY004  # of one family with the others
    fingerprint = content_fingerprint([stream, name, text])
    return EncodedRun(stream, expected_version, name, event_type.schema_version, 1, text, str(event_id), fingerprint)


def content_fingerprint(parts: list[str]) -> str:
    """Return 32 hex digits that differ when a part does; no part ends or begins with a newline."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
