"""What predicted classes are worth: accuracy, precision, recall, f1_score. Floor 3; pure numpy."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from recsys.evaluation.arguments import InvalidArgument, labels, require_one_of, require_same_shape
from recsys.evaluation.ranking import ratio
from recsys.recommender.arrays import BoolArray, DoubleArray

Average = Literal["binary", "macro", "micro", "weighted"]
Label = str | int | float | bool

TEXT_KIND = "U"


def classification(
    y_true: ArrayLike, y_pred: ArrayLike, average: Average | None = None, positive_label: Label | None = None
) -> dict[str, float]:
    """Return accuracy, precision, recall and f1_score, each in [0, 1]; what has nothing to divide by is 0.

    y_true, y_pred: (n,) labels, numbers or text. average: "binary" measures the positive label alone; "macro" is the
    mean over classes, "weighted" that by how often each is true, "micro" pools them. None: binary if a positive label
    is given or all labels are 0 and 1, else macro. positive_label: None: 1. Raises InvalidArgument.
    """
    truth, predicted = labels(y_true, "y_true"), labels(y_pred, "y_pred")
    require_same_shape("y_pred", predicted, "y_true", truth)
    if (truth.dtype.kind == TEXT_KIND) != (predicted.dtype.kind == TEXT_KIND):
        found = f"found dtype {predicted.dtype}, where y_true has {truth.dtype}"
        raise InvalidArgument("y_pred", found, "give both as text or both as numbers")
    classes, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    true, guessed = codes[: len(truth)], codes[len(truth) :]
    tp, of_truth, of_guess = (
        np.bincount(chosen, minlength=len(classes)).astype(np.float64)
        for chosen in (true[true == guessed], true, guessed)
    )
    if average is None:
        average = "binary" if positive_label is not None or all(label in (0, 1) for label in classes) else "macro"
    chosen = is_positive(classes.tolist(), positive_label) if average == "binary" else np.ones(len(classes), np.bool_)
    return {
        "accuracy": float(tp.sum() / len(truth)),
        **averaged(tp[chosen], of_truth[chosen], of_guess[chosen], average),
    }


def is_positive(classes: list[Label], positive_label: Label | None) -> BoolArray:
    """Return which of the classes is the positive one; none, where only the other occurs. Raises InvalidArgument."""
    shown = ", ".join(map(repr, classes[:10]))
    if len(classes) > 2:
        fix = "give average='macro', 'micro' or 'weighted' to measure all of them"
        raise InvalidArgument("average", f"found 'binary', but {len(classes)} classes ({shown})", fix)
    label = 1 if positive_label is None else positive_label
    if len(classes) == 2 and label not in classes:
        raise InvalidArgument("positive_label", f"found {label!r}, but the labels {shown}", "name one of these")
    return np.array([label == other for other in classes], dtype=np.bool_)


def averaged(tp: DoubleArray, of_truth: DoubleArray, of_guess: DoubleArray, average: Average) -> dict[str, float]:
    """Return precision, recall and f1_score over classes. Each (classes,): true positives, and how often a class is
    true and predicted. Raises InvalidArgument.
    """
    require_one_of("average", average, ("binary", "macro", "micro", "weighted"))
    if average in ("binary", "micro"):
        tp, of_truth, of_guess = (counts.sum(keepdims=True) for counts in (tp, of_truth, of_guess))
    weights = of_truth if average == "weighted" else np.ones(len(tp))
    by_class = {
        "precision": ratio(tp, of_guess),
        "recall": ratio(tp, of_truth),
        "f1_score": ratio(2 * tp, of_truth + of_guess),
    }
    return {name: float(values @ weights / weights.sum()) for name, values in by_class.items()}
