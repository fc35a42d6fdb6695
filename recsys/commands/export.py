"""run.py export: the events as JSON, one a line. Floor 3."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final

import apsw
import msgspec

from events.errors import EventStoreError
from events.event import RecordedEvent
from events.reading import LogReader
from recsys.commands.outcome import DONE, Unavailable, existing_log, show
from recsys.config import Settings
from recsys.times import iso

PAGE_EVENTS: Final = 1000
encode = msgspec.json.Encoder().encode


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the events to the file or to standard output."""
    events = read_log(existing_log(settings.data_dir), after=arguments.after)
    envelope = FORMATS[arguments.format]
    try:
        with output(arguments.output) as file:
            count = sum(1 for event in events if file.write(encode(envelope(event)) + b"\n"))
    except BrokenPipeError:  # whoever read, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        raise Unavailable(
            f"the events cannot be written to {arguments.output or 'standard output'}: {error}"
        ) from error
    if arguments.output:
        show({"events": count}, f"{count} events written to {arguments.output}", as_json=arguments.json)
    return DONE


def output(path: str | None) -> AbstractContextManager[BinaryIO]:
    return Path(path).open("wb") if path else nullcontext(sys.stdout.buffer)


def read_log(path: Path, *, after: int) -> Iterator[RecordedEvent]:
    """Yield the events above position `after`, page by page, beside a running service. Raises EventStoreError."""
    with closing(LogReader(path)) as reader:
        while page := read_page(reader, path, after=after):
            yield from page
            after = page[-1].position


def read_page(reader: LogReader, path: Path, *, after: int) -> list[RecordedEvent]:
    try:
        return reader.read_all(after, PAGE_EVENTS, (), 0)
    except apsw.Error as error:
        raise EventStoreError(f"{path} cannot be read: {error}") from error


def ndjson(event: RecordedEvent) -> dict[str, Any]:
    """Return the event with its envelope; `data` is in the present schema of its type."""
    return {
        "position": event.position,
        "event_id": event.event_id,
        "stream": event.stream,
        "stream_version": event.stream_version,
        "type": event.type,
        "schema_version": type(event.data).schema_version,
        "recorded_at": iso(event.recorded_at),
        "metadata": event.metadata,
        "data": event.data,
    }


def cloudevent(event: RecordedEvent) -> dict[str, Any]:
    """Return the event as a CloudEvents 1.0 JSON object; `sequence` is that extension's: ordered as text."""
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": "/recipe-recommender",
        "type": f"recipe-recommender.{event.type}.v{type(event.data).schema_version}",
        "subject": event.stream,
        "time": iso(event.recorded_at),
        "datacontenttype": "application/json",
        "sequence": f"{event.position:020}",
        "partitionkey": event.stream,
        "actor": event.metadata.actor,
        **{
            name: value
            for name, value in (
                ("correlationid", event.metadata.correlation_id),
                ("causationid", event.metadata.causation_id),
                ("traceparent", event.metadata.traceparent),
            )
            if value
        },
        "data": event.data,
    }


FORMATS: Final[dict[str, Callable[[RecordedEvent], dict[str, Any]]]] = {"ndjson": ndjson, "cloudevents": cloudevent}
