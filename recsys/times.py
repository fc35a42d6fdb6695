"""Times at the boundary: microseconds since the Unix epoch inside, ISO 8601 in UTC outside. Floor 3."""

from datetime import UTC, datetime, timedelta
from typing import Final

from recsys.errors import InvalidInput

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def iso(at: int) -> str:
    """Return microseconds since the epoch as ISO 8601.

    >>> iso(1_735_572_600_000_000)
    '2024-12-30T15:30:00.000000Z'
    """
    return (EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str, *, field: str) -> int:
    """Return ISO 8601 text as microseconds since the epoch; without a zone it is taken as UTC. Raises InvalidInput.

    >>> from_iso("2024-12-30T16:30:00+01:00", field="since") == from_iso("2024-12-30T15:30:00", field="since")
    True
    """
    try:
        at = datetime.fromisoformat(text)
        aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return (aware - EPOCH) // MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{field} is not a time",
            field=field,
            found=text[:100],
            fix="write ISO 8601, such as 2024-12-30T15:30:00Z",
        ) from error
