"""Which of several media types a client asks for (RFC 9110, 12.5.1). Floor 3; pure, imports nothing of ours."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_QUALITY: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


class MediaRange(NamedTuple):
    """A media type or a range of them, such as text/*. parameters: without its quality, from 0 to 1."""

    media_type: str
    parameters: dict[str, str]
    quality: float


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Return the offered media type that `accept` wants most: of equals the first, and the first if it wants none.

    >>> preferred("text/plain; version=0.0.4, */*; q=0.1", ["application/json", "text/plain; version=0.0.4"])
    'text/plain; version=0.0.4'
    """
    ranges = [media_range(text) for text in accept.split(",") if text.strip()]
    return max(offered, key=lambda media_type: quality(media_range(media_type), ranges))


def media_range(text: str) -> MediaRange:
    """Read one media range; one of unreadable quality is not wanted."""
    media_type, *parameters = (part.strip().lower() for part in text.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    found = {name.strip(): value.strip(' "') for name, _, value in pairs}
    weight = found.pop("q", "1")
    return MediaRange(media_type, found, float(weight) if _QUALITY.fullmatch(weight) else 0.0)


def quality(offered: MediaRange, ranges: Sequence[MediaRange]) -> float:
    """Return how much the offered type is wanted: what the most specific range says that it falls into."""
    fitting = [each for each in ranges if fits(offered, each)]
    return max(fitting, key=lambda each: (specificity(each), each.quality)).quality if fitting else 0.0


def fits(offered: MediaRange, wanted: MediaRange) -> bool:
    """Whether the type is the range's; the parameters that it has must be the wanted ones."""
    kind = offered.media_type.partition("/")[0]
    return wanted.media_type in ("*/*", f"{kind}/*", offered.media_type) and all(
        offered.parameters.get(name, value) == value for name, value in wanted.parameters.items()
    )


def specificity(wanted: MediaRange) -> tuple[bool, bool, int]:
    return wanted.media_type != "*/*", not wanted.media_type.endswith("/*"), len(wanted.parameters)
