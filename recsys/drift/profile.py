"""What is kept of data to compare others with later, as a frame or as a bounded profile. Floor 3."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from recsys.drift.columns import Column, Kind, kind_of, read_column
from recsys.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd


class Reference(Protocol):
    """Columns that others are compared with."""

    def names(self) -> list[str]: ...

    def column(self, name: str) -> Column: ...


class Frame:
    """The columns of a DataFrame, or of a mapping of names to arrays; read one at a time, to hold one at a time."""

    def __init__(self, data: "pd.DataFrame | Mapping[str, Any]") -> None:
        self.columns = dict(columns_of(data))

    def names(self) -> list[str]:
        return list(self.columns)

    def column(self, name: str, kind: Kind | None = None) -> Column:
        """Return the column, read as the kind or as what it is."""
        return read_column(self.columns[name], kind)

    def kind(self, name: str) -> Kind:
        return kind_of(self.columns[name])

    def rows(self) -> int:
        """Return how many rows the longest column has."""
        return max(map(len, self.columns.values()), default=0)


class ReferenceProfile(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What drift is checked against when the data are gone: 20 kB of JSON a numeric column at most, whatever the rows.

    Up to 1,000 numbers or categories a column it gives what the data themselves would. Beyond, each numeric answer says
    in `error` how far the data's own distances can lie from those shown, and further categories count as one.
    """

    columns: dict[str, Column]

    @classmethod
    def of(cls, data: "pd.DataFrame | Mapping[str, Any]") -> "ReferenceProfile":
        """Return the profile of a DataFrame or of a mapping of column names to arrays."""
        frame = Frame(data)
        return cls(columns={name: frame.column(name).bounded() for name in frame.names()})

    @classmethod
    def from_json(cls, text: bytes | str) -> "ReferenceProfile":
        """Return the profile that `to_json` wrote. Raises InvalidInput."""
        try:
            return msgspec.json.decode(text, type=cls, dec_hook=lambda _, numbers: np.array(numbers, dtype=np.float64))
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"the profile cannot be read: {error}", field="baseline", fix="give what ReferenceProfile.to_json wrote"
            ) from error

    def to_json(self) -> bytes:
        """Return the profile as JSON."""
        return msgspec.json.encode(self, enc_hook=np.ndarray.tolist)

    def names(self) -> list[str]:
        return list(self.columns)

    def column(self, name: str) -> Column:
        return self.columns[name]


def columns_of(data: "pd.DataFrame | Mapping[str, Any]") -> Iterator[tuple[str, "pd.Series"]]:
    """Yield each column by its name as text. Raises InvalidInput if it is no frame, or if a name stands twice."""
    import pandas as pd

    if not isinstance(data, (pd.DataFrame, Mapping)):
        raise InvalidInput(
            f"drift is checked between tables, found {type(data).__name__}",
            field="data",
            found=type(data).__name__,
            fix="give a pandas DataFrame or a dict of column names to arrays",
        )
    seen: set[str] = set()
    for name, values in data.items():
        if str(name) in seen:
            raise InvalidInput(f"column {name} stands twice", field=str(name), fix="give each column its own name")
        seen.add(str(name))
        yield str(name), series_of(str(name), values)


def series_of(name: str, values: Any) -> "pd.Series":
    import pandas as pd

    if not isinstance(values, np.ndarray) or values.ndim == 1:
        return pd.Series(values)
    raise InvalidInput(
        f"column {name} has shape {values.shape}",
        field=name,
        found=str(values.shape),
        fix="give each column as a one-dimensional array",
    )
