"""Bodies that carry one item or thousands: a JSON object, an array of them, or lines of JSON. Floor 3."""

from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from recsys.errors import InvalidInput
from recsys.http.decoding import converted, explained, untyped
from recsys.http.routing import JSON

ITEMS_MAX: Final = 10_000  # what one append takes
NDJSON: Final = "application/x-ndjson"

Item = TypeVar("Item", bound=msgspec.Struct)


class BatchDecoder(Generic[Item]):
    """Decodes the items of one type. noun: what they are called in messages, in the plural."""

    def __init__(self, item_type: type[Item], *, noun: str) -> None:
        self._item_type = item_type
        self._noun = noun
        several = list[item_type]  # type: ignore[valid-type]  # the type is a value here
        self.body_type: Any = item_type | Annotated[several, Meta(min_length=1, max_length=ITEMS_MAX)]
        self._decoder: msgspec.json.Decoder[Item | list[Item]] = msgspec.json.Decoder(self.body_type)
        self._line_decoder = msgspec.json.Decoder(item_type)

    def decode(self, body: bytes, media_type: str) -> list[Item]:
        """Return the items. Raises MalformedRequest, and InvalidInput, which names the first wrong item."""
        if media_type != JSON:
            return self._decode_lines(body)
        try:
            items = explained(self._decoder, body)
        except InvalidInput:
            self._check_each(untyped(body))
            raise
        return items if isinstance(items, list) else [items]

    def _check_each(self, values: Any) -> None:
        """Raise the error of the first wrong item in an array, which names its index."""
        if isinstance(values, list):
            self._check_count(len(values))
            for index, value in enumerate(values):
                converted(value, self._item_type, place=f"[{index}]", strict=True)

    def _decode_lines(self, body: bytes) -> list[Item]:
        """Return the items of lines of JSON; blank lines are skipped."""
        lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        self._check_count(len(lines))
        return [explained(self._line_decoder, line, place=f"line {number}") for number, line in lines]

    def _check_count(self, count: int) -> None:
        if not 1 <= count <= ITEMS_MAX:
            raise InvalidInput(
                f"a request carries 1 to {ITEMS_MAX} {self._noun}",
                field="body",
                found=f"{count} {self._noun}",
                fix="send them in several requests" if count else "send at least one",
            )
