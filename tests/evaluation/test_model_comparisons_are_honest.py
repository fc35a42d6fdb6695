"""Intervals and paired tests: scipy's p-values, never 0, repeatable, and right as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm, permutation_test

from recsys.evaluation.evaluator import ModelEvaluator

evaluator = ModelEvaluator()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-8, 8), min_size=2, max_size=9))
def test_few_queries_have_the_exact_p_value(eighths: list[int]) -> None:
    """All assignments of signs are tried, as scipy does; queries that do not differ change nothing."""
    differences = np.array(eighths) / 8
    expected = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    found = evaluator.compare_models(differences, np.zeros(len(differences)))
    assert found.is_exact
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_sampled_p_values_approach_the_exact_one() -> None:
    """Twelve differences tried in full, and by fewer random draws than that: within five standard errors."""
    differences = np.random.default_rng(2).normal(0.3, 0.6, 12)
    exact = evaluator.compare_models(differences, np.zeros(12)).p_value
    sampled = evaluator.compare_models(differences, np.zeros(12), samples=4000)
    assert not sampled.is_exact
    assert sampled.p_value == pytest.approx(exact, abs=5 * (exact * (1 - exact) / 4000) ** 0.5)


def test_a_p_value_is_never_zero() -> None:
    """A difference larger than all that were drawn has at least 1 / (samples + 1)."""
    found = evaluator.compare_models(np.full(500, 0.9), np.full(500, 0.1), samples=999)
    assert found.p_value == 1 / 1000
    assert found.is_significant
    assert found.difference.low == pytest.approx(0.8)


def test_many_queries_are_compared() -> None:
    """Of 20,000 queries the p-value is near that of the normal approximation, which holds for so many."""
    differences = np.random.default_rng(3).normal(0.01, 1, 20_000)
    z_score = differences.mean() / differences.std() * len(differences) ** 0.5
    found = evaluator.compare_models(differences, np.zeros(len(differences)), samples=2000)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(z_score)), abs=0.05)


def test_equal_models_do_not_differ() -> None:
    """The same values on every query: p is 1 and the interval has no width."""
    found = evaluator.compare_models([0.2, 0.7], [0.2, 0.7])
    assert (found.p_value, found.difference.low, found.difference.high) == (1, 0, 0)
    assert not found.is_significant


def test_a_seed_gives_one_answer() -> None:
    """The same seed repeats, another draws other signs, and swapping the models changes only the sign."""
    first, second = np.random.default_rng(4).random((2, 200))
    found = evaluator.compare_models(first, second, seed=7)
    assert found == evaluator.compare_models(first, second, seed=7)
    assert found.p_value != evaluator.compare_models(first, second, seed=8).p_value
    swapped = evaluator.compare_models(second, first, seed=7)
    assert (swapped.p_value, swapped.difference.mean) == (found.p_value, -found.difference.mean)


def test_alike_models_are_rarely_told_apart() -> None:
    """Of 400 pairs of models that differ by chance alone, about 5 % are called significant."""
    random = np.random.default_rng(6)
    pairs = random.random((400, 2, 30))
    called = sum(evaluator.compare_models(*pair, samples=300).is_significant for pair in pairs)
    assert 6 <= called <= 36  # 20 ± 3.7 standard deviations


def test_an_interval_is_that_of_scipy() -> None:
    """Percentiles of bootstrapped means lie where scipy's do, but for the draws."""
    values = np.random.default_rng(8).beta(2, 5, 300)
    expected = bootstrap((values,), np.mean, method="percentile", n_resamples=2000, rng=1).confidence_interval
    found = evaluator.calculate_interval(values)
    width = expected.high - expected.low
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=width / 20)
