"""A stored profile gives the verdicts of the data that it was made of."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.drift.profile import ReferenceProfile
from recsys.drift.verdicts import check_drift
from recsys.errors import InvalidInput


def table(rows: int, *, seed: int, shift: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    words = random.choice(["pollo", "con", "arroz", "y", "tomate", "sal"], (rows, 5))
    return pd.DataFrame(
        {
            "normal": random.normal(shift, 1, rows),
            "price": random.lognormal(3 + shift, 1.5, rows),
            "kind": random.choice(list("abc"), rows, p=[0.5 - shift, 0.3, 0.2 + shift]),
            "text": [" ".join(row) for row in words],
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s"),
            "gaps": np.where(random.random(rows) < 0.1 + shift, np.nan, 1.0),
        }
    )


def stored(data: Any) -> ReferenceProfile:
    return ReferenceProfile.from_json(ReferenceProfile.of(data).to_json())


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_up_to_a_thousand_rows_nothing_is_lost(shift: float) -> None:
    """The answer from the stored profile of a small table is the answer from the table."""
    before, after = table(1000, seed=0), table(800, seed=1, shift=shift)
    assert check_drift(stored(before), after) == check_drift(before, after)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_beyond_them_the_error_is_stated(shift: float) -> None:
    """Distances from the profile of a large table lie as close to the table's own as the answer says."""
    before, after = table(30_000, seed=0), table(20_000, seed=1, shift=shift)
    whole, kept = check_drift(before, after), check_drift(stored(before), after)
    assert kept["columns_with_drift"] == whole["columns_with_drift"]
    for name in ("normal", "price", "at"):
        error = kept["columns"][name]["error"]
        assert error["ks"] <= 0.001
        for measure, bound in (("effect", error["effect"]), ("statistic", error["ks"])):
            assert kept["columns"][name]["parts"][first_part(name)][measure] == pytest.approx(
                whole["columns"][name]["parts"][first_part(name)][measure], abs=bound + 1e-12
            )


def first_part(name: str) -> str:
    return "instant" if name == "at" else "value"


def test_a_profile_stays_small() -> None:
    """A column takes no more than 30 kB, whatever its rows or categories."""
    random = np.random.default_rng(0)
    columns = {
        "number": random.normal(size=200_000),
        "code": [f"code{n}" for n in random.integers(50_000, size=200_000)],
    }
    assert len(ReferenceProfile.of(columns).to_json()) < 60_000


def test_categories_beyond_a_thousand_are_compared_alike() -> None:
    """With more categories than are kept, the data and their profile still say the same."""
    random = np.random.default_rng(0)
    before, after = ({"x": [f"c{n}" for n in random.zipf(1.3, 20_000) % 4000]} for _ in range(2))
    assert check_drift(stored(before), after) == check_drift(before, after)
    assert not check_drift(before, after)["drift_detected"]


@pytest.mark.parametrize("text", ["", "[]", '{"columns": {"x": 3}}', '{"columns": {"x": {"kind": "numeric"}}}'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    """A text that is no profile is answered with what to give instead."""
    with pytest.raises(InvalidInput, match="profile cannot be read"):
        ReferenceProfile.from_json(text)
