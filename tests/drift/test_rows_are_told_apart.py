"""A classifier finds drift that no column shows alone, and says the same each time."""

import numpy as np
import pandas as pd
import pytest

from recsys.drift.profile import ReferenceProfile
from recsys.drift.verdicts import check_drift
from recsys.errors import InvalidInput


def pairs(correlation: float, *, seed: int, rows: int = 1500) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x, noise = random.normal(size=(2, rows))
    y = correlation * x + np.sqrt(1 - correlation**2) * noise
    return pd.DataFrame({"x": x, "y": y, "kind": random.choice(list("ab"), rows), "gone": [None] * rows})


def test_columns_that_no_longer_move_together_are_drift() -> None:
    """Each column alone is as it was, and still the rows are told apart; so may start a retraining."""
    found = check_drift(pairs(0.8, seed=0), pairs(-0.8, seed=1), multivariate=True)
    assert found["columns_with_drift"] == []
    assert found["multivariate"]["auc"] > 0.8
    assert found["drift_detected"] and found["can_start_retraining"]


def test_rows_of_one_origin_are_not_told_apart() -> None:
    """Two draws of the same are guessed as by a coin, twice with the same answer."""
    first, again = (check_drift(pairs(0.8, seed=4), pairs(0.8, seed=5), multivariate=True) for _ in range(2))
    assert abs(first["multivariate"]["auc"] - 0.5) < 0.05
    assert not first["drift_detected"]
    assert first == again


def test_few_rows_are_not_judged() -> None:
    """Nine rows train nothing: the answer says so."""
    found = check_drift(pairs(0, seed=0, rows=9), pairs(0, seed=0, rows=900), multivariate=True)["multivariate"]
    assert (found["drift"], found["confidence"]) == (False, "insufficient_data")


def test_a_profile_has_no_rows_to_train_on() -> None:
    """Asked of a profile, the classifier is refused with the mend."""
    with pytest.raises(InvalidInput, match="keeps no rows"):
        check_drift(ReferenceProfile.of(pairs(0, seed=0)), pairs(0, seed=1), multivariate=True)
