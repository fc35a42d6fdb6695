"""The bounds of free-form JSON that comes from outside, so that every part of the service can hold it. Floor 3."""

from collections.abc import Iterator
from typing import Any

from recsys.errors import InvalidInput

DEPTH_MAX = 16
VALUES_MAX = 10_000
INTEGER_MAX = 2**53 - 1  # beyond it, JavaScript and every float lose digits


def check_json_bounds(value: Any, *, field: str) -> None:
    """Raise InvalidInput if a decoded JSON value is too deep, too large, or holds a number that others cannot read."""
    pending: list[tuple[str, Any, int]] = [(field, value, 1)]
    seen = 0
    while pending:
        path, item, depth = pending.pop()
        seen += 1
        if depth > DEPTH_MAX:
            raise InvalidInput(f"{field} is nested too deeply", field=field, fix=f"nest at most {DEPTH_MAX} levels")
        if seen > VALUES_MAX:
            raise InvalidInput(f"{field} holds too many values", field=field, fix=f"give at most {VALUES_MAX} values")
        if isinstance(item, int) and abs(item) > INTEGER_MAX:
            raise InvalidInput(
                f"{path} is too large for a JSON number",
                field=path,
                found=str(item)[:40] if item.bit_length() < 1000 else "an integer of over 300 digits",
                fix=f"stay within ±{INTEGER_MAX}, or send it as a string",
            )
        pending.extend((*child, depth + 1) for child in children(path, item))


def children(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        for key, child in item.items():
            yield f"{path}.{key[:40]}", child
    elif isinstance(item, list):
        for index, child in enumerate(item):
            yield f"{path}[{index}]", child
