"""The ids that models, metrics, jobs, recipes, reports and alerts may have. Floor 3; imports nothing of ours."""

from typing import Annotated

from msgspec import Meta

# `$` also matches before a last line feed; the look-ahead closes that door, in JavaScript's dialect as well.
IDENTIFIER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$(?!\n)"

Identifier = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=IDENTIFIER_PATTERN,
        description="Letters, digits, and _ . : - after the first character.",
        examples=["hybrid_ranker"],
    ),
]

JobId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=160,  # a model's id and the time
        pattern=IDENTIFIER_PATTERN,
        examples=["hybrid_ranker_1704045600.0"],
    ),
]

AlertId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=160,  # a rule's name and a number
        pattern=IDENTIFIER_PATTERN,
        examples=["error_rate-1"],
    ),
]

ReportId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=IDENTIFIER_PATTERN,
        examples=["20261123T105500-3f1c0a9be2d4"],
    ),
]
