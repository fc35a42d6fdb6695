"""How many queries a second does nDCG@10 take, against trec_eval and scikit-learn in the same run?

python -m bench.ndcg

Each query has 100 documents with grades of 0 to 4. Scores are distinct, or in steps of a tenth, so that nearly all are
tied; scikit-learn averages ties as we do, trec_eval orders them. The dictionaries that pytrec_eval takes are built, and
its judgements read, before its clock starts. All agree to 1e-9, or the run fails.
What this cannot tell: queries of very different lengths, which we pad, and numbers that are not yet arrays.
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytrec_eval
from sklearn.metrics import ndcg_score

from bench.common import save, spread
from recsys.evaluation.evaluator import ModelEvaluator
from recsys.recommender.arrays import DoubleArray

QUERIES, PEER_QUERIES, DOCUMENTS, K = 50_000, 2_000, 100, 10
RUNS = 9
SEED = 4

evaluator = ModelEvaluator()


def main() -> None:
    random = np.random.default_rng(SEED)
    grades = random.integers(0, 5, (QUERIES, DOCUMENTS)).astype(np.float64)
    distinct = random.random((QUERIES, DOCUMENTS))
    tied = np.round(distinct, 1)
    few = slice(PEER_QUERIES)
    rates: dict[str, dict[str, float]] = {
        "ours": rate(lambda: evaluator.calculate_ndcg(grades, distinct, K), QUERIES),
        "ours, tied": rate(lambda: evaluator.calculate_ndcg(grades, tied, K), QUERIES),
        f"ours, {PEER_QUERIES} queries": rate(lambda: ours(grades[few], distinct[few]), PEER_QUERIES),
        "ours, one query a call": rate(lambda: [ours(grades[row], distinct[row]) for row in range(100)], 100),
        **peers(grades[few], distinct[few]),
    }
    ratios = {
        f"times {name}": round(rates[f"ours, {PEER_QUERIES} queries"]["median"] / rates[name]["median"], 1)
        for name in ("pytrec_eval", "scikit-learn", "scikit-learn, ties ignored")
    }
    ranx = "not compared, but installed" if find_spec("ranx") else "not compared: not installed here"
    versions = {name: version(name) for name in ("pytrec-eval-terrier", "scikit-learn")}
    save("ndcg", {"unit": "queries a second", **rates, **ratios, "ranx": ranx, "peers": versions})


def ours(grades: DoubleArray, scores: DoubleArray) -> float:
    return evaluator.calculate_ndcg(grades, scores, K, "linear")


def peers(grades: DoubleArray, scores: DoubleArray) -> dict[str, dict[str, float]]:
    """Return the rates of the others, having checked that they find what we find."""
    judged = pytrec_eval.RelevanceEvaluator(by_document(grades.astype(int)), {f"ndcg_cut.{K}"})
    run = by_document(scores)
    found = [query[f"ndcg_cut_{K}"] for query in judged.evaluate(run).values()]
    expected = evaluator.calculate_ndcg(grades, scores, K, "linear", "trec")
    assert abs(np.mean(found) - expected) < 1e-9
    assert abs(ndcg_score(grades, scores, k=K) - ours(grades, scores)) < 1e-9
    return {
        "pytrec_eval": rate(lambda: judged.evaluate(run), len(grades)),
        "scikit-learn": rate(lambda: ndcg_score(grades, scores, k=K), len(grades)),
        "scikit-learn, ties ignored": rate(lambda: ndcg_score(grades, scores, k=K, ignore_ties=True), len(grades)),
    }


def by_document(values: Any) -> dict[str, dict[str, Any]]:
    return {
        str(query): {f"{column:03}": value for column, value in enumerate(row)}
        for query, row in enumerate(values.tolist())
    }


def rate(measure: Callable[[], object], queries: int) -> dict[str, float]:
    """Return the queries a second of the runs after a warm-up."""
    measure()
    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        measure()
        rates.append(queries / (time.perf_counter() - start))
    return spread(rates, digits=0)


if __name__ == "__main__":
    main()
