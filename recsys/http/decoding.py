"""Bytes and query strings into typed requests, and what is wrong with them into words. Floor 3."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec
import msgspec.inspect

from recsys.errors import InvalidInput
from recsys.http.errors import MalformedRequest

T = TypeVar("T")
FOUND_CHARACTERS_MAX = 100
JSON_FIX = "send JSON as RFC 8259 has it: UTF-8, double quotes, no trailing commas, no NaN or Infinity"
# How msgspec ends its messages: "Expected `int`, got `str` - at `$.n`".
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_NAMED = re.compile(r"^Object (?P<kind>missing required|contains unknown) field `(?P<name>[^`]*)`")


def json_decoder(body_type: Any) -> Callable[[bytes], Any]:
    """Return a function from JSON to `body_type`. It raises MalformedRequest and InvalidInput."""
    return partial(explained, msgspec.json.Decoder(body_type))


def explained(decoder: msgspec.json.Decoder[T], body: bytes, *, place: str = "body") -> T:
    """Return the decoded body, the errors translated; place: what `body` is. Raises MalformedRequest, InvalidInput."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        place = "" if place == "body" else place
        raise invalid_value(str(error), untyped(body), decoder.type, place=place) from error
    except msgspec.DecodeError as error:
        raise MalformedRequest(f"{place} is not JSON: {error}", field=place, fix=JSON_FIX) from error
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise MalformedRequest(f"{place} is not UTF-8: {reason}", field=place, fix=JSON_FIX) from error
    except RecursionError as error:
        raise MalformedRequest(f"{place} is nested too deeply", field=place, fix="nest less") from error


def untyped(body: bytes) -> Any:
    """Return what the JSON holds, for the message; nothing where only the typed decoder could read so far."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def converted(value: Any, wanted: Any, *, place: str = "", strict: bool = False) -> Any:
    """Return `value` as the type `wanted`; from text, too, unless `strict`. Raises InvalidInput."""
    try:
        return msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError as error:
        raise invalid_value(str(error), value, wanted, place=place) from error


def invalid_value(message: str, value: Any, wanted: Any, *, place: str = "") -> InvalidInput:
    """Return the error that says in which field of `value` what was found; message: of msgspec, about type `wanted`."""
    match = _PLACE.search(message)
    path = match["path"] if match else ""
    reason = message[: match.start()] if match else message
    found, fix = find(value, path), reason.replace("Expected", "give", 1).partition(", got")[0]
    if named := _NAMED.match(reason):
        path = f"{path}.{named['name']}".removeprefix(".")
        is_missing = named["kind"] == "missing required"
        found = None if is_missing else find(value, path)
        fix = "add the field" if is_missing else "remove the field, or correct its name"
    elif allowed := choices(wanted, path):
        fix = f"give {', '.join(allowed)}"
    name = ".".join(filter(None, (place, path))) or "body"
    return InvalidInput(f"{name}: {reason}", field=name, found="nothing" if found is None else shown(found), fix=fix)


def choices(wanted: Any, path: str) -> list[str]:
    """Return the closed set of values that a type allows at `path`; empty where it is not closed."""
    kinds = alternatives(msgspec.inspect.type_info(wanted))
    for name in filter(None, path.split(".")):
        kinds = [kind for of in kinds if isinstance(of, msgspec.inspect.StructType) for kind in field_kinds(of, name)]
    return [str(value) for kind in kinds if isinstance(kind, msgspec.inspect.LiteralType) for value in kind.values]


def field_kinds(of: msgspec.inspect.StructType, name: str) -> Sequence[msgspec.inspect.Type]:
    """Return what the struct's field of that name may be; its tag is a field with one value."""
    if name == of.tag_field:
        return [msgspec.inspect.LiteralType((of.tag,))]
    return [kind for field in of.fields if field.encode_name == name for kind in alternatives(field.type)]


def alternatives(info: msgspec.inspect.Type) -> Sequence[msgspec.inspect.Type]:
    return info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)


def find(value: Any, path: str) -> Any:
    """Return what stands at `path` such as `labels.host`, as far as it leads by name."""
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            break
        value = value[name]
    return value


def shown(value: Any) -> str:
    """Return the start of a value as JSON."""
    try:
        text = msgspec.json.encode(value).decode()
    except (msgspec.MsgspecError, OverflowError, RecursionError, ValueError):
        text = f"a {type(value).__name__} that JSON cannot carry"
    return text if len(text) <= FOUND_CHARACTERS_MAX else text[:FOUND_CHARACTERS_MAX] + "…"
