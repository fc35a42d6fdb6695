"""Series of numbers, checked before anything is computed from them. Floor 3; numpy alone."""

import numpy as np
from numpy.typing import ArrayLike

from recsys.errors import InvalidInput
from recsys.recommender.arrays import DoubleArray


def checked_series(values: ArrayLike, *, at_least: int, field: str = "values") -> DoubleArray:
    """Return the values as an (n,) array of finite doubles. Raises InvalidInput."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufb" and array.size:
        raise InvalidInput(f"{field} are not numbers", field=field, found=str(array.dtype), fix="give numbers alone")
    if array.ndim != 1:
        raise InvalidInput(
            f"{field} are not one series", field=field, found=f"shape {array.shape}", fix="give one dimension"
        )
    if len(array) < at_least:
        raise InvalidInput(
            f"{field} are too few", field=field, found=f"{len(array)} values", fix=f"give {at_least} or more"
        )
    series = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(series))
    if len(bad):
        raise InvalidInput(
            f"{field}[{bad[0]}] is not finite",
            field=field,
            found=f"{series[bad[0]]} and {len(bad) - 1} more" if len(bad) > 1 else str(series[bad[0]]),
            fix="leave out or fill what is missing",
        )
    return series
