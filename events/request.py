"""An append in the form in which it is queued, sent between processes and written: checked and encoded. Floor 1."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from events.catalog import Event
from events.codec import encode, list_decoder
from events.event import ANY, Metadata, NewEvent, StreamAppend

EVENTS_PER_APPEND_MAX: Final = 10_000
STREAM_NAME: Final = re.compile(r"[a-z][a-z_]*-[!-~]{1,200}")  # category-id, visible ASCII
KEY_CHARACTERS_MAX: Final = 300


class EncodedRun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Events of one stream and type. data: their JSON array. expected_version counts for a stream's first run only."""

    stream: str
    expected_version: int
    type: str
    schema_version: int
    count: int
    event_id: str | None
    data: str


class AppendRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One atomic append. metadata: JSON. key: the idempotency key, None if the caller gave none."""

    runs: list[EncodedRun]
    metadata: str
    key: str | None
    fingerprint: str


def encode_append(
    appends: Sequence[StreamAppend], metadata: Metadata, key: str | None, fingerprint: str
) -> AppendRequest:
    """Return the request to append `appends`. Raises ValueError if one could not be read back as it was given."""
    runs: list[EncodedRun] = []
    for append in appends:
        if STREAM_NAME.fullmatch(append.stream) is None:
            raise ValueError(f"stream {append.stream!r} is not category-id: lower-case letters, '-', visible ASCII")
        runs.extend(encode_runs(append))
    if not runs:
        raise ValueError("an append needs at least one event")
    if sum(run.count for run in runs) > EVENTS_PER_APPEND_MAX:
        raise ValueError(f"an append takes at most {EVENTS_PER_APPEND_MAX} events: split it")
    if key is not None and not 0 < len(key) <= KEY_CHARACTERS_MAX:
        raise ValueError(f"an idempotency key has 1 to {KEY_CHARACTERS_MAX} characters, found {len(key)}")
    if key is not None:
        metadata = msgspec.structs.replace(metadata, idempotency_key=key)
    return AppendRequest(runs, encode(metadata).decode(), key, fingerprint)


def encode_runs(append: StreamAppend) -> list[EncodedRun]:
    """Return the events as the longest runs of one type; an event whose id the caller gave is a run of its own."""
    runs: list[EncodedRun] = []
    expected_version = append.expected_version
    same: list[Event] = []
    for item in append.events:
        if isinstance(item, NewEvent):
            if same:
                runs.append(encode_run(append.stream, expected_version, same))
                expected_version, same = ANY, []
            runs.append(encode_run(append.stream, expected_version, [item.data], event_id=str(item.event_id)))
            expected_version = ANY
            continue
        if same and type(item) is not type(same[0]):
            runs.append(encode_run(append.stream, expected_version, same))
            expected_version, same = ANY, []
        same.append(item)
    if same:
        runs.append(encode_run(append.stream, expected_version, same))
    return runs


def encode_run(stream: str, expected_version: int, events: list[Event], *, event_id: str | None = None) -> EncodedRun:
    """Return the run of `events`, all of one type.

    It is read back before it is written: an event that cannot be decoded (NaN becomes null in JSON, a float is no int)
    would stop every projection for ever, so it is refused here.
    """
    event_type = type(events[0])
    data = encode(events)
    try:
        list_decoder(event_type).decode(data)
    except msgspec.ValidationError as error:
        raise ValueError(f"{event_type.__name__} would not be read back: {error}") from error
    return EncodedRun(
        stream, expected_version, event_type.__name__, event_type.schema_version, len(events), event_id, data.decode()
    )


def content_fingerprint(runs: Sequence[EncodedRun]) -> str:
    """Return 32 hex digits that differ when streams, types or data do."""
    text = "\n".join(f"{run.stream}\n{run.type}\n{run.data}" for run in runs)
    return sha256(text.encode()).hexdigest()[:32]
