"""The ids that models, metrics, jobs, recipes, reports and alerts may have. Floor 3; imports nothing of ours."""

from typing import Annotated

from msgspec import Meta

# `$` also matches before a last line feed; the look-ahead closes that door, in JavaScript's dialect as well.
IDENTIFIER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$(?!\n)"


def shape(example: str, *, characters_max: int = 128, description: str | None = None) -> Meta:
    """Return what an id may look like."""
    return Meta(
        min_length=1,
        max_length=characters_max,
        pattern=IDENTIFIER_PATTERN,
        description=description,
        examples=[example],
    )


Identifier = Annotated[
    str, shape("hybrid_ranker", description="Letters, digits, and _ . : - after the first character.")
]
JobId = Annotated[str, shape("hybrid_ranker_1704045600.0", characters_max=160)]  # a model's id and the time
AlertId = Annotated[str, shape("error_rate-1", characters_max=160)]  # a rule's name and a number
ReportId = Annotated[str, shape("20261123T105500-3f1c0a9be2d4")]
