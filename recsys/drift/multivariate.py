"""Whether rows as wholes have drifted: can a classifier tell current ones from those of the baseline? Floor 3.

It finds what no column shows alone, such as two columns that no longer move together.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.drift.columns import as_doubles, kind_of
from recsys.drift.difference import SUFFICIENT_ROWS
from recsys.drift.profile import Frame, ReferenceProfile
from recsys.errors import InvalidInput
from recsys.recommender.arrays import DoubleArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

ROWS_MAX = 5000  # of a side, drawn at random: 1 to 2 s
FOLDS = 5
SEED = 5
AUC_MIN = 0.55  # what a mean that has moved by 0.18 standard deviations gives
SIGNIFICANCE = 0.01  # the folds share rows, which the p-value does not know: at 0.05 it gave 8 % false alarms
TREES = 50
LEAF_ROWS = 20


def domain_classifier(
    baseline: "pd.DataFrame | Mapping[str, Any] | ReferenceProfile", current: Frame, names: list[str]
) -> dict[str, Any]:
    """Return how well rows are told apart by the columns named, cross-validated: AUC, its p-value and the verdict.

    Raises InvalidInput if the baseline is a profile, which has no rows.
    """
    if isinstance(baseline, ReferenceProfile):
        raise InvalidInput(
            "a profile keeps no rows to train on", field="multivariate", fix="give the baseline itself, or False"
        )
    before, after = ([frame.columns[name] for name in names] for frame in (Frame(baseline), current))
    sizes = [min(map(len, columns), default=0) for columns in (before, after)]
    if not names or min(sizes) < SUFFICIENT_ROWS:
        return verdict(0.5, 1.0, confidence="insufficient_data")
    random = np.random.default_rng(SEED)
    drawn = [random.choice(size, min(size, ROWS_MAX), replace=False) for size in sizes]
    features = np.column_stack(
        [feature(one.iloc[drawn[0]], other.iloc[drawn[1]]) for one, other in zip(before, after, strict=True)]
    )
    is_current = np.repeat([False, True], [len(drawn[0]), len(drawn[1])])
    return verdict(*told_apart(features, is_current), confidence="sufficient")


def feature(before: "pd.Series", after: "pd.Series") -> DoubleArray:
    """Return both columns as one: numbers by their order, with missing ones last, other values by their frequency."""
    import pandas as pd

    if {kind_of(before), kind_of(after)} <= {"numeric", "boolean"}:
        numbers = np.concatenate([as_doubles(before), as_doubles(after)])
        return np.unique(numbers, return_inverse=True)[1].astype(np.float64)
    both = pd.concat([before, after]).astype(object)
    names = both.map(str).where(both.notna(), "")
    ranks = {name: float(rank) for rank, name in enumerate(names.value_counts().index)}
    return np.array([ranks[name] for name in names])


def told_apart(features: DoubleArray, is_current: Any) -> tuple[float, float]:
    """Return the area under the curve of rows each scored by trees that have not seen it, and its p-value."""
    from scipy.stats import mannwhitneyu
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    trees = ExtraTreesClassifier(TREES, min_samples_leaf=LEAF_ROWS, max_features=None, random_state=SEED)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    scores = cross_val_predict(trees, features, is_current, cv=folds, method="predict_proba")[:, 1]
    test = mannwhitneyu(scores[is_current], scores[~is_current], alternative="greater", method="asymptotic")
    return float(test.statistic / (is_current.sum() * (~is_current).sum())), float(test.pvalue)


def verdict(auc: float, p_value: float, *, confidence: str) -> dict[str, Any]:
    drift = auc >= AUC_MIN and p_value < SIGNIFICANCE
    return {
        "drift": drift,
        "auc": auc,
        "threshold": AUC_MIN,
        "p_value": p_value,
        "confidence": confidence,
        "can_start_retraining": drift,
    }
