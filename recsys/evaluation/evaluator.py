"""The evaluator of the guide: every measure of a model by one call. Floor 3; numpy only."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recsys.evaluation import regression
from recsys.evaluation.arguments import InvalidArgument, judged_scores, vector
from recsys.evaluation.bootstrap import SEED, Interval, interval
from recsys.evaluation.classification import Average, Label, classification
from recsys.evaluation.ranking import Gain, Ties, rankings_of
from recsys.evaluation.recommended import Lists, coverage, diversity, novelty
from recsys.evaluation.retrieved import Measures, retrieval
from recsys.evaluation.significance import SAMPLES, PairedTest, paired_test
from recsys.recommender.arrays import BoolArray, DoubleArray

MEASURED_RANK = 10


class ModelEvaluator:
    """Measures models; holds nothing, so that one serves all threads.

    y_true and y_pred are (documents,) for one query, or (queries, documents): true grades, and predicted scores, higher
    is better. Queries of different lengths are filled up to one; mask, of the same shape, is True where a document is.
    A measure of rankings is the mean over queries; `measure_queries` gives each query's own. Wrong input raises
    InvalidArgument, a ValueError that names the argument, what was found and the mend.
    """

    def calculate_ranking_metrics(
        self, y_true: ArrayLike, y_pred: ArrayLike, *, mask: ArrayLike | None = None
    ) -> dict[str, float]:
        """Return mse, mae, rmse (each >= 0) and r2_score (at most 1) of the scores as predictions of the grades.

        All documents of all queries count alike. r2_score of a constant truth: 1 if it is met exactly, else 0.
        """
        truth, predicted = judged_scores(y_true, y_pred, mask)
        is_present = np.isfinite(predicted)
        if not is_present.any():
            raise InvalidArgument("mask", "found no document", "set it True where there is one")
        return regression.errors(truth[is_present], predicted[is_present])

    def calculate_ndcg(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int | None = None,
        gain: Gain = "exp",
        ties: Ties = "average",
        *,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the normalised discounted cumulative gain of the first k ranks (None: all), in [0, 1].

        Where nothing is relevant it is 0; k may exceed the documents. gain: of a grade, "exp" 2^grade - 1, "linear" the
        grade; negative grades are refused. ties: see `recsys.evaluation.ranking`.
        """
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.ndcg(k, gain=gain) for part in rankings)

    def calculate_mrr(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int | None = None,
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the mean reciprocal rank of the first relevant document, in [0, 1]; 0 where none is in the first k.

        relevant_from: the least grade that is relevant. Of equal scores the mean over their orders is taken.
        """
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.reciprocal_rank(k, relevant_from=relevant_from) for part in rankings)

    def calculate_precision_at_k(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int,
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the share of the first k ranks that is relevant, in [0, 1]; ranks without a document are not."""
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.precision(k, relevant_from=relevant_from) for part in rankings)

    def calculate_recall_at_k(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int,
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the share of the relevant documents that the first k ranks hold, in [0, 1]; 0 where there is none."""
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.recall(k, relevant_from=relevant_from) for part in rankings)

    def calculate_hit_at_k(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int,
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the share of queries with a relevant document in the first k ranks, in [0, 1]."""
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.hit(k, relevant_from=relevant_from) for part in rankings)

    def calculate_map(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> float:
        """Return the mean average precision, in [0, 1]; a query without relevant documents counts as 0."""
        rankings = rankings_of(y_true, y_pred, mask=mask, ties=ties)
        return mean(part.average_precision(relevant_from=relevant_from) for part in rankings)

    def measure_queries(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        k: int = MEASURED_RANK,
        gain: Gain = "exp",
        ties: Ties = "average",
        *,
        relevant_from: float = 1,
        mask: ArrayLike | None = None,
    ) -> dict[str, DoubleArray]:
        """Return each query's ndcg@k, precision@k, recall@k, hit@k, mrr and map, each (queries,) in [0, 1].

        They are what `calculate_interval` and `compare_models` take.
        """
        parts = [
            {
                f"ndcg@{k}": part.ndcg(k, gain=gain),
                f"precision@{k}": part.precision(k, relevant_from=relevant_from),
                f"recall@{k}": part.recall(k, relevant_from=relevant_from),
                f"hit@{k}": part.hit(k, relevant_from=relevant_from),
                "mrr": part.reciprocal_rank(relevant_from=relevant_from),
                "map": part.average_precision(relevant_from=relevant_from),
            }
            for part in rankings_of(y_true, y_pred, mask=mask, ties=ties)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def calculate_interval(self, values: ArrayLike) -> Interval:
        """Return the mean of a measure, (queries,), and the interval that holds 95 % of its bootstrapped means."""
        return interval(vector(values, "values"))

    def compare_models(
        self, first: ArrayLike, second: ArrayLike, *, samples: int = SAMPLES, seed: int = SEED
    ) -> PairedTest:
        """Return by how much the first model is better than the second, and whether by more than chance.

        first, second: (queries,) one measure of each model on the same queries. See `recsys.evaluation.significance`.
        """
        return paired_test(first, second, samples=samples, seed=seed)

    def calculate_classification_metrics(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        average: Average | None = None,
        positive_label: Label | None = None,
    ) -> dict[str, float]:
        """Return accuracy, precision, recall and f1_score, in [0, 1]. See `recsys.evaluation.classification`."""
        return classification(y_true, y_pred, average, positive_label)

    def calculate_retrieval_metrics(
        self,
        relevant: Collection[Hashable] | BoolArray,
        retrieved: Collection[Hashable] | BoolArray,
        total: int | None = None,
    ) -> Measures:
        """Return precision, recall, f1_score, specificity, tp, fp, tn and fn. See `recsys.evaluation.retrieved`."""
        return retrieval(relevant, retrieved, total)

    def calculate_coverage(self, lists: Lists, catalogue: Collection[Hashable]) -> float:
        """Return the share of the catalogue's ids that at least one list recommends, in [0, 1]."""
        return coverage(lists, catalogue)

    def calculate_diversity(self, vectors: ArrayLike) -> float:
        """Return the mean of 1 - cosine over the pairs of a list, in [0, 2]; (lists, recommendations, dimensions)."""
        return diversity(vectors)

    def calculate_novelty(self, lists: Lists, interactions: Mapping[Any, int]) -> float:
        """Return the mean information of what is recommended, in bits, >= 0. interactions: id → how often used."""
        return novelty(lists, interactions)


def mean(parts: Iterable[DoubleArray]) -> float:
    """Return the mean over the queries of all parts."""
    return float(np.concatenate(list(parts)).mean())
