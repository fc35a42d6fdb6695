"""Wrong input of every measure is a ValueError that names the argument, what was found and the mend."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from recsys.errors import InvalidInput
from recsys.evaluation.evaluator import ModelEvaluator

it: Any = ModelEvaluator()  # so that the type checker lets wrong arguments pass

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "lengths": (partial(it.calculate_ndcg, [1, 2], [1]), r"y_pred: found shape \(1, 1\), where y_true has \(1, 2\)"),
    "nan": (partial(it.calculate_mrr, [1, 0], [0.5, np.nan]), r"y_pred: found nan at \[0, 1\]; .*mask="),
    "infinity": (partial(it.calculate_ranking_metrics, [np.inf], [1]), r"y_true: found inf at \[0, 0\]"),
    "empty": (partial(it.calculate_ranking_metrics, [], []), "y_true: found nothing; give at least one"),
    "text": (partial(it.calculate_ndcg, ["a"], [1]), "y_true: found dtype <U1; give numbers"),
    "ragged": (partial(it.calculate_ndcg, [[1], [1, 2]], [[1], [1, 2]]), "y_true: found rows of different lengths"),
    "three axes": (partial(it.calculate_map, np.ones((1, 1, 1)), [1]), r"y_true: found shape \(1, 1, 1\)"),
    "negative grade": (partial(it.calculate_ndcg, [-1, 2], [1, 2]), r"y_true: found the grade -1.0"),
    "huge grade": (partial(it.calculate_ndcg, [2000, 2], [1, 2]), "y_true: found the grade 2000.0.*linear"),
    "k": (partial(it.calculate_ndcg, [1], [1], 0), "k: found 0; give a whole number from 1 on"),
    "k in part": (partial(it.calculate_hit_at_k, [1], [1], 1.5), "k: found 1.5"),
    "gain": (partial(it.calculate_ndcg, [1], [1], gain="log"), "gain: found 'log'; give one of exp, linear"),
    "ties": (partial(it.calculate_ndcg, [1], [1], ties="first"), "ties: found 'first'"),
    "mask's numbers": (partial(it.calculate_ndcg, [1], [1], mask=[1]), "mask: found dtype int64.*astype"),
    "mask's shape": (partial(it.calculate_ndcg, [1], [1], mask=[True, True]), "mask: found shape"),
    "mask of nothing": (partial(it.calculate_ranking_metrics, [1], [1], mask=[False]), "mask: found no document"),
    "relevance": (partial(it.calculate_mrr, [1], [1], relevant_from=0), "relevant_from: found 0"),
    "labels' kinds": (partial(it.calculate_classification_metrics, [1], ["1"]), "y_pred: found dtype <U1, where"),
    "labels' length": (partial(it.calculate_classification_metrics, [1, 0], [1]), "y_pred: found shape"),
    "labels' axes": (partial(it.calculate_classification_metrics, [[1]], [[1]]), "y_true: found shape"),
    "labels of nan": (partial(it.calculate_classification_metrics, [np.nan], [1]), "y_true: found nan"),
    "classes": (partial(it.calculate_classification_metrics, [0, 1, 2], [0, 1, 2], "binary"), "average: found"),
    "average": (partial(it.calculate_classification_metrics, [0, 1], [0, 1], "samples"), "average: found 'samples'"),
    "positive": (
        partial(it.calculate_classification_metrics, ["a", "b"], ["a", "b"], positive_label="c"),
        "positive_label: found 'c', but the labels 'a', 'b'",
    ),
    "total": (partial(it.calculate_retrieval_metrics, [1, 2], [2, 3], total=2), "total: found 2.* from 3 on"),
    "one id": (partial(it.calculate_retrieval_metrics, "abc", ["a"]), "relevant: found 'abc'; give a list"),
    "flags and ids": (partial(it.calculate_retrieval_metrics, np.array([True]), ["a"]), "retrieved: found dtype"),
    "unknown recipe": (partial(it.calculate_coverage, [["x"]], ["a"]), "lists: found 'x', which catalogue lacks"),
    "no catalogue": (partial(it.calculate_coverage, [], []), "catalogue: found nothing"),
    "flat list": (partial(it.calculate_coverage, ["ab"], ["a"]), "lists: found 'ab'; give a list of ids for each"),
    "one vector": (partial(it.calculate_diversity, [[1, 2]]), r"vectors: found shape \(1, 2\)"),
    "zero vector": (partial(it.calculate_diversity, [[1, 2], [0, 0]]), "vectors: found one of length 0"),
    "uncounted": (partial(it.calculate_novelty, [["a"]], {"b": 1}), "lists: found 'a', which interactions lacks"),
    "negative count": (partial(it.calculate_novelty, [["a"]], {"a": -1}), "interactions: found -1"),
    "nothing new": (partial(it.calculate_novelty, [[]], {"a": 1}), "lists: found no recommendation"),
    "no queries": (partial(it.calculate_interval, []), "values: found nothing"),
    "two axes": (partial(it.calculate_interval, [[1.0]]), "values: found shape"),
    "queries": (partial(it.compare_models, [1, 2], [1]), "second: found shape"),
    "samples": (partial(it.compare_models, [1], [1], samples=0), "samples: found 0"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_named(call: Callable[[], object], message: str) -> None:
    """The error says what to change, as a ValueError for Python and as wrong input for the service."""
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert isinstance(caught.value, InvalidInput)
    assert caught.value.field and caught.value.found and caught.value.fix
