"""Ranking: from the features of a request's candidates to one score each. Floor 3; pure functions of arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Final, Protocol, Self

import numpy as np

from recsys.recommender.arrays import DoubleArray, FloatArray
from recsys.recommender.errors import UnservableModel

RATING_MAX = 5.0
# Shrinking a recipe's mean by 20 ratings predicted later ratings best (RMSE 0.701 against 0.708 unshrunk).
PRIOR_RATINGS = 20.0
NEUTRAL_POPULARITY = 0.5


@dataclass(frozen=True, kw_only=True)
class Features:
    """What is known of each candidate of one request; each is (k,).

    relevance: words and meaning, fused, of any range; the others are in [0, 1]. words, meaning: the best candidate's is
    1. share: of the request that the recipe has. name: how much the request and the recipe's name have in common.
    popularity: as `popularity` gives it. time_fit: 1 within the time asked for, 0 beyond, 0.5 if unknown or not asked.
    language_fit: 1 in the request's language, less in the other the surer it is, but where that alone has the dish.
    technique_fit: 0 if it speaks of an oven that was not wanted, else 1. pantry: how well the foods at hand serve, 0 if
    none were named.
    """

    relevance: FloatArray
    words: FloatArray
    meaning: FloatArray
    share: FloatArray
    name: FloatArray
    popularity: FloatArray
    time_fit: FloatArray
    language_fit: FloatArray
    technique_fit: FloatArray
    pantry: FloatArray

    def of(self, candidate: int) -> dict[str, float]:
        """Return one candidate's features by name."""
        return {name: round(float(values[candidate]), 4) for name, values in vars(self).items()}


class Ranker(Protocol):
    """A model version that scores the candidates of one request. diversity: what a duplicate of a better one loses."""

    @property
    def model_id(self) -> str: ...
    @property
    def model_version(self) -> str: ...
    @property
    def diversity(self) -> float: ...

    def scores(self, features: Features) -> FloatArray:
        """Return the candidates' scores, (k,), in [0, 1], higher is better."""
        ...


@dataclass(frozen=True, kw_only=True)
class HybridRanker:
    """alpha · relevance + (1 - alpha) · popularity; the relevance is normalised per query, so alpha is its weight."""

    model_id: str = "hybrid_ranker"
    model_version: str = "1.0.0"
    alpha: float = 0.7
    diversity: float = 0.0

    @classmethod
    def of(cls, model_id: str, model_version: str, parameters: Mapping[str, Any]) -> Self:
        """Return the version with that `alpha`; other parameters are notes. Raises UnservableModel."""
        alpha = weight_of("alpha", parameters.get("alpha", cls.alpha))
        if alpha > 1:
            raise UnservableModel(f"alpha is {alpha}, allowed is 0 to 1")
        return cls(model_id=model_id, model_version=model_version, alpha=alpha)

    def scores(self, features: Features) -> FloatArray:
        return self.alpha * min_max(features.relevance) + (1 - self.alpha) * features.popularity


@dataclass(frozen=True, kw_only=True)
class LinearRanker:
    """A weighted mean of the features. The weights did best on the judged requests that are for tuning."""

    model_id: str = "hybrid_ranker"
    model_version: str = "1.1.0"
    words: float = 0.4
    meaning: float = 0.1
    share: float = 0.3
    name: float = 0.25
    time_fit: float = 0.95
    language_fit: float = 0.12
    technique_fit: float = 0.3
    popularity: float = 0.1
    diversity: float = 0.05

    @classmethod
    def of(cls, model_id: str, model_version: str, parameters: Mapping[str, Any]) -> Self:
        """Return the version with these weights, and 0 for those left out. Raises UnservableModel."""
        known = [field.name for field in fields(cls) if field.type in (float, "float")]
        unknown = sorted(set(parameters) - set(known))
        if unknown:
            raise UnservableModel(f"no feature is called {unknown[0]!r}; there are {', '.join(known)}")
        given = {name: weight_of(name, parameters.get(name, 0.0)) for name in known}
        ranker = cls(model_id=model_id, model_version=model_version, **given)
        if not any(ranker.weights().values()):
            raise UnservableModel("all weights are 0")
        return ranker

    def scores(self, features: Features) -> FloatArray:
        scores = np.zeros_like(features.relevance)
        for name, weight in self.weights().items():
            scores += np.float32(weight) * getattr(features, name)
        return scores * np.float32(1 / sum(self.weights().values()))

    def weights(self) -> dict[str, float]:
        """Return the weight of each feature by its name."""
        return {name: weight for name, weight in self.parameters().items() if name != "diversity"}

    def parameters(self) -> dict[str, float]:
        """Return the weights and the diversity by name, as the registry records them."""
        return {name: value for name, value in vars(self).items() if isinstance(value, float)}


MODEL_TYPES: Final[Mapping[str, Callable[[str, str, Mapping[str, Any]], Ranker]]] = {
    "hybrid": HybridRanker.of,
    "linear": LinearRanker.of,
}


def ranker_of(model_id: str, model_version: str, *, model_type: str, parameters: Mapping[str, Any]) -> Ranker:
    """Return the ranker that a version of the registry describes. Raises UnservableModel, which says what is amiss."""
    make = MODEL_TYPES.get(model_type)
    if make is None:
        raise UnservableModel(f"its type is {model_type!r}; this release serves {', '.join(MODEL_TYPES)}")
    return make(model_id, model_version, parameters)


def weight_of(name: str, value: object) -> float:
    """Return a parameter as a weight. Raises UnservableModel if it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0:
        return float(value)
    raise UnservableModel(f"{name} is {value!r}, allowed is a number from 0 on")


def popularity(counts: DoubleArray, sums: DoubleArray) -> FloatArray:
    """Return the Bayesian average of each recipe's ratings, in [0, 1]; equal for all while there are none.

    Twenty ratings at the mean of all are added to a recipe's own, so that one enthusiast lifts it little and an unrated
    one stands in the middle. counts: (n,) ratings a recipe. sums: (n,) their sums, each rating in [0, 5].
    """
    total = float(counts.sum())
    mean = float(sums.sum()) / total if total else RATING_MAX * NEUTRAL_POPULARITY
    average = (PRIOR_RATINGS * mean + sums) / (PRIOR_RATINGS + counts)
    return (average / RATING_MAX).astype(np.float32)


def min_max(values: FloatArray) -> FloatArray:
    """Return the values scaled to [0, 1]; all 1 if they are equal."""
    if not values.size:
        return values
    lowest, highest = values.min(), values.max()
    return (values - lowest) / (highest - lowest) if highest > lowest else np.ones_like(values)
