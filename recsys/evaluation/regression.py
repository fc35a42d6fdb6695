"""How far predicted values are from the true ones: mse, mae, rmse, r2_score. Floor 3; pure numpy."""

import numpy as np

from recsys.recommender.arrays import DoubleArray


def errors(truth: DoubleArray, predicted: DoubleArray) -> dict[str, float]:
    """Return the mean squared and absolute errors, the root of the former, and the coefficient of determination.

    Both (n,), n >= 1, finite. r2_score: at most 1; where the truth is constant 1 if it is met exactly, else 0, as in
    scikit-learn.
    """
    differences = predicted - truth
    squared = float(np.mean(differences**2))
    variance = float(truth.var())
    explained = 1 - squared / variance if variance > 0 else float(squared == 0)
    return {"mse": squared, "mae": float(np.abs(differences).mean()), "rmse": squared**0.5, "r2_score": explained}
