"""Reading a column of a frame into what is compared of it. Floor 3; pandas only inside the functions.

A column has parts: how many values are missing or infinite, and by its kind its values, its texts' lengths, words and
languages, or its instants with their hours and weekdays.
"""

from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from recsys.drift.counts import Counts
from recsys.drift.numeric import Numbers
from recsys.errors import InvalidInput
from recsys.recommender.arrays import DoubleArray
from recsys.recommender.text import spanish_votes, words

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["numeric", "categorical", "boolean", "text", "datetime", "empty"]

FINITE_MAX = 1e145  # the squares of a hundred million larger ones overflow: they count as infinite
TEXTS_READ = 10_000  # of a column, drawn at random, the same at each reading
SEED = 4
SAMPLE = 1000
KIND_OF_OBJECTS: dict[str, Kind] = {
    "boolean": "boolean",
    "date": "datetime",
    "datetime": "datetime",
    "datetime64": "datetime",
    "decimal": "numeric",
    "floating": "numeric",
    "integer": "numeric",
    "mixed-integer-float": "numeric",
}


class Column(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A column's kind and parts; its first part is the one that speaks for it."""

    kind: Kind
    rows: int
    parts: dict[str, Numbers | Counts]

    def bounded(self) -> "Column":
        """Return it as a profile keeps it."""
        return msgspec.structs.replace(self, parts={name: part.bounded() for name, part in self.parts.items()})


def read_column(series: "pd.Series", kind: Kind | None = None) -> Column:
    """Return the column, read as the kind or as what it is."""
    kind = kind or kind_of(series)
    if kind == "numeric":
        return numeric_column(series)
    present = series.dropna()
    missing = len(series) - len(present)
    parts: dict[str, Numbers | Counts] = {}
    if kind == "text":
        parts = text_parts(present)
    elif kind == "datetime":
        parts = datetime_parts(present)
    elif kind != "empty":
        names = present.map(str) if present.dtype == object else present  # lists cannot be counted
        parts = {"value": Counts(total=len(present), counts=named(names.value_counts()))}
    parts["missing"] = Counts(total=len(series), counts=nonzero(present=len(present), missing=missing))
    return Column(kind=kind, rows=len(series), parts=parts)


def kind_of(series: "pd.Series") -> Kind:
    """Return what the values are. Raises InvalidInput for complex numbers."""
    from pandas import CategoricalDtype, PeriodDtype
    from pandas.api import types

    dtype = series.dtype
    if not (series.iloc[:SAMPLE].notna().any() or series.notna().any()):  # the first nearly always tell
        return "empty"
    if types.is_complex_dtype(dtype):
        name = str(series.name)
        raise InvalidInput(
            f"column {name} holds complex numbers", field=name, found=str(dtype), fix="give its parts as two columns"
        )
    if isinstance(dtype, CategoricalDtype):
        return "categorical"
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, PeriodDtype):
        return "datetime"
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return "numeric"
    present = series.dropna()
    return KIND_OF_OBJECTS.get(types.infer_dtype(present)) or ("text" if is_prose(present) else "categorical")


def is_prose(present: "pd.Series") -> bool:
    """Whether the strings are texts: of four words and more, or of two if they hardly repeat."""
    sample = [str(value) for value in present.iloc[:SAMPLE]]
    length = sum(len(text.split()) for text in sample) / len(sample)
    return length >= 4 or (length >= 2 and len(set(sample)) > len(sample) / 2)


def numeric_column(series: "pd.Series") -> Column:
    ordered = as_doubles(series)
    ordered.sort()  # infinities to the ends and NaN last: one sort tells all
    low = int(np.searchsorted(ordered, -FINITE_MAX, "left"))
    high = int(np.searchsorted(ordered, FINITE_MAX, "right"))
    known = int(np.searchsorted(ordered, np.nan, "left"))
    presence = nonzero(present=high - low, missing=len(ordered) - known, infinite=low + known - high)
    parts: dict[str, Numbers | Counts] = {
        "value": Numbers.of(ordered[low:high]),
        "missing": Counts(total=len(ordered), counts=presence),
    }
    return Column(kind="numeric", rows=len(ordered), parts=parts)


def as_doubles(series: "pd.Series") -> DoubleArray:
    """Return the numbers as a new array, missing ones NaN, durations in seconds."""
    import pandas as pd

    if pd.api.types.is_timedelta64_dtype(series.dtype):
        series = series.dt.total_seconds()
    if isinstance(series.dtype, np.dtype) and series.dtype != object:
        return np.array(series, dtype=np.float64)
    return np.array(pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan))


def text_parts(present: "pd.Series") -> dict[str, Numbers | Counts]:
    texts = [str(text) for text in sampled(present)]
    lengths = np.sort(np.array([len(text) for text in texts], dtype=np.float64))
    holding = Counter(word for text in texts for word in set(words(text)))
    languages = Counter(language_of(text) for text in texts)
    return {
        "length": Numbers.of(lengths),
        "vocabulary": Counts(total=len(texts), counts=dict(holding)),
        "language": Counts(total=len(texts), counts=dict(languages)),
    }


def sampled(present: "pd.Series") -> "pd.Series":
    if len(present) <= TEXTS_READ:
        return present
    return present.iloc[np.sort(np.random.default_rng(SEED).choice(len(present), TEXTS_READ, replace=False))]


def language_of(text: str) -> str:
    votes = spanish_votes(text)
    return "es" if votes > 0 else "en" if votes < 0 else "unknown"


def datetime_parts(present: "pd.Series") -> dict[str, Numbers | Counts]:
    """Return the instants in seconds since the epoch, and their hours and weekdays, all in UTC."""
    import pandas as pd

    if isinstance(present.dtype, pd.PeriodDtype):
        present = present.dt.to_timestamp()
    moments = pd.to_datetime(present, utc=True)
    seconds = moments.dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return {
        "instant": Numbers.of(np.sort(seconds)),
        "hour": Counts(total=len(moments), counts=named(moments.dt.hour.value_counts())),
        "weekday": Counts(total=len(moments), counts=named(moments.dt.day_name().value_counts())),
    }


def named(counted: "pd.Series") -> dict[str, int]:
    """Return the counts by the text of their values; categories that no row holds are left out."""
    counts: Counter[str] = Counter()
    for value, count in counted.items():
        counts[str(value)] += int(count)
    return nonzero(**counts)


def nonzero(**counts: int) -> dict[str, int]:
    return {name: int(count) for name, count in counts.items() if count}
