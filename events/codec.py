"""Event ↔ JSON, and the upcasters of past schemas. Floor 1; used by the stores."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from events.catalog import Event, type_names
from events.errors import UndecodableEvent, UnknownEventType
from events.event import Metadata

encode = msgspec.json.Encoder().encode
decode_metadata = msgspec.json.Decoder(Metadata).decode

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
# (type, the schema version it reads) → the fields in the next schema version.
upcasters: dict[tuple[str, int], Upcaster] = {}


def upcaster(type_name: str, schema_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register a function that turns the fields of `schema_version` into those of the next one."""

    def register(function: Upcaster) -> Upcaster:
        upcasters[type_name, schema_version] = function
        return function

    return register


@cache
def list_decoder(event_type: type[Event]) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[event_type])  # type: ignore[valid-type]  # the type is a value here


def decode_run(type_name: str, schema_version: int, data: bytes, *, position: int) -> list[Event]:
    """Return the events of one run's JSON array, in the present schema.

    position: of the run's first event, for the messages. Raises UnknownEventType, UndecodableEvent.
    """
    event_type = type_names.get(type_name)
    if event_type is None or schema_version > event_type.schema_version:
        raise UnknownEventType(type_name, schema_version, position=position)
    try:
        if schema_version == event_type.schema_version:
            return list_decoder(event_type).decode(data)
        return [
            msgspec.convert(upcast(type_name, schema_version, fields), event_type)
            for fields in msgspec.json.decode(data)
        ]
    except Exception as error:  # whatever an upcaster raises, too
        raise UndecodableEvent(type_name, position=position, reason=f"{type(error).__name__}: {error}") from error


def upcast(type_name: str, schema_version: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Return `fields` in the present schema of the type."""
    for version in range(schema_version, type_names[type_name].schema_version):
        fields = upcasters[type_name, version](fields)
    return fields
