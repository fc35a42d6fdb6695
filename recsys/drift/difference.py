"""How far one part of a column has moved, and how sure that is. Floor 3; pure."""

from typing import Any

import msgspec

SUFFICIENT_ROWS = 10  # with fewer on a side no test could find anything but the grossest change


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a column, such as its values or how many are missing, in two sets of data.

    effect: what the threshold is compared with, >= 0. statistic, p_value: of the test, the p-value before Holm.
    count: values on the smaller side. is_tested: False where there is nothing to compare.
    """

    effect: float = 0.0
    statistic: float = 0.0
    p_value: float = 1.0
    count: int = 0
    is_tested: bool = False
    details: dict[str, Any] = {}

    @property
    def is_sufficient(self) -> bool:
        """Whether both sides have the values that a test needs."""
        return self.count >= SUFFICIENT_ROWS

    @property
    def confidence(self) -> str:
        return "sufficient" if self.is_sufficient else "insufficient_data"


def holm(p_values: list[float]) -> list[float]:
    """Return the p-values adjusted for being many, in their order. Source: Holm 1979, Scand. J. Statist. 6."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
