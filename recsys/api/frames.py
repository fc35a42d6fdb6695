"""Tables for humans: structs as pandas frames, and as HTML for notebooks. Floor 3; imports pandas when asked."""

from collections.abc import Sequence
from typing import Any

import msgspec


def frame_of(rows: Sequence[msgspec.Struct], kind: type[msgspec.Struct], *, times: Sequence[str] = ()) -> Any:
    """Return a DataFrame with a column for each field of `kind`, also where there are no rows.

    times: the columns that hold ISO 8601; they become UTC datetimes.
    """
    import pandas as pd

    names = kind.__struct_fields__
    frame = pd.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=list(names))
    for name in times:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def html_of(frame: Any) -> str:
    return str(frame.to_html(max_rows=60, notebook=True, border=0))
