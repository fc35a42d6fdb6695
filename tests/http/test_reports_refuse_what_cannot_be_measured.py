"""What cannot be measured is a problem that names the field, before anything is recorded."""

from typing import Any

import pytest

from recsys.reports import CELLS_MAX, DOCUMENTS_MAX, MEASURED_MAX
from tests.http.harness import Api

VERSION = {"model_id": "hybrid_ranker", "version": "1.0.0"}
RANKING = {**VERSION, "task": "ranking"}
CLASSES = {**VERSION, "task": "classification"}
RETRIEVAL = {**VERSION, "task": "retrieval"}
LONG_AND_MANY = [[1] * DOCUMENTS_MAX] + [[1]] * (CELLS_MAX // DOCUMENTS_MAX)

REFUSED_EVALUATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no task": ({**VERSION, "y_true": [1], "y_pred": [1]}, "task"),
    "an unknown task": ({**RANKING, "task": "regression", "y_true": [1], "y_pred": [1]}, "task"),
    "a field of another task": ({**CLASSES, "y_true": [1], "y_pred": [1], "k": 3}, "k"),
    "no values": ({**RANKING, "y_true": [], "y_pred": []}, "y_true"),
    "no documents": ({**RANKING, "y_true": [[]], "y_pred": [[]]}, "y_true[0]"),
    "text for numbers": ({**RANKING, "y_true": ["1"], "y_pred": [1]}, "y_true[0]"),
    "null": ({**RANKING, "y_true": [None], "y_pred": [1]}, "y_true[0]"),
    "huge numbers": ({**RANKING, "y_true": [1], "y_pred": [1e200]}, "y_pred[0]"),
    "huge grades": ({**RANKING, "y_true": [1e99], "y_pred": [1]}, "y_true"),
    "negative grades": ({**RANKING, "y_true": [-1], "y_pred": [1]}, "y_true"),
    "lists beside numbers": ({**RANKING, "y_true": [[1], 1], "y_pred": [[1], [1]]}, "y_true"),
    "other queries": ({**RANKING, "y_true": [[1], [1]], "y_pred": [[1]]}, "y_pred"),
    "other documents": ({**RANKING, "y_true": [[1], [1]], "y_pred": [[1], [1, 2]]}, "y_pred[1]"),
    "a rival's queries": (
        {**RANKING, "y_true": [1], "y_pred": [1], "compare_with": {"b": [1, 2]}},
        "compare_with.b[0]",
    ),
    "too many cells": ({**RANKING, "y_true": LONG_AND_MANY, "y_pred": LONG_AND_MANY}, "y_true"),
    "too many rows": ({**CLASSES, "y_true": [1] * (MEASURED_MAX + 1), "y_pred": [1]}, "y_true"),
    "k of 0": ({**RANKING, "y_true": [1], "y_pred": [1], "k": 0}, "k"),
    "texts beside numbers": ({**CLASSES, "y_true": ["a", 1], "y_pred": ["a", "a"]}, "y_true"),
    "other rows": ({**CLASSES, "y_true": [1, 0], "y_pred": [1]}, "y_pred"),
    "integers that nothing holds": ({**CLASSES, "y_true": [2**64], "y_pred": [1]}, "y_true"),
    "long labels": ({**CLASSES, "y_true": ["a" * 101], "y_pred": ["a"]}, "y_true[0]"),
    "no such label": ({**CLASSES, "y_true": ["a", "b"], "y_pred": ["a", "a"], "positive_label": "c"}, "positive_label"),
    "too small a total": ({**RETRIEVAL, "y_true": ["a"], "y_pred": ["b"], "total": 1}, "total"),
    "flags for ids": ({**RETRIEVAL, "y_true": [True], "y_pred": [1]}, "y_true[0]"),
}
REFUSED_CHECKS: dict[str, tuple[dict[str, Any], str]] = {
    "no baseline": ({"current": {"a": [1]}}, "baseline"),
    "two baselines": ({"current": {"a": [1]}, "baseline": {"a": [1]}, "profile_of": "r"}, "profile_of"),
    "no columns": ({"current": {}, "baseline": {"a": [1]}}, "current"),
    "ragged columns": ({"current": {"a": [1], "b": [1, 2]}, "baseline": {"a": [1]}}, "current.b"),
    "a column that is no list": ({"current": {"a": 1}, "baseline": {"a": [1]}}, "current[...]"),
    "lists in a column": ({"current": {"a": [[1]]}, "baseline": {"a": [1]}}, "current[...][0]"),
    "a threshold of 0": ({"current": {"a": [1]}, "baseline": {"a": [1]}, "threshold": 0}, "threshold"),
    "a model without version": ({"current": {"a": [1]}, "baseline": {"a": [1]}, "model_id": "m"}, "version"),
    "a version without model": ({"current": {"a": [1]}, "baseline": {"a": [1]}, "version": "1.0.0"}, "model_id"),
}


@pytest.mark.parametrize("name", REFUSED_EVALUATIONS)
async def test_evaluations_are_refused_by_field(api: Api, name: str) -> None:
    """The problem names the field, and the log holds the registration alone."""
    await api.register("1.0.0")
    body, field = REFUSED_EVALUATIONS[name]
    refused = await api.post("/evaluate", body)
    assert (refused.status, refused.json["code"], refused.json["field"]) == (422, "invalid_input", field)
    assert refused.json["fix"]
    assert await api.services.store.head() == 1


@pytest.mark.parametrize("name", REFUSED_CHECKS)
async def test_checks_of_drift_are_refused_by_field(api: Api, name: str) -> None:
    """The problem names the field, and nothing is recorded."""
    body, field = REFUSED_CHECKS[name]
    refused = await api.post("/drift", body)
    assert (refused.status, refused.json["code"], refused.json["field"]) == (422, "invalid_input", field)
    assert await api.services.store.head() == 0


async def test_a_model_or_version_must_be_registered(api: Api) -> None:
    """A report belongs to a version that there is."""
    body = {**RANKING, "y_true": [1], "y_pred": [1]}
    no_model = await api.post("/evaluate", body)
    await api.register("2.0.0")
    no_version = await api.post("/evaluate", body)
    no_version_of_data = await api.post("/drift", {**VERSION, "baseline": {"a": [1]}, "current": {"a": [1]}})
    assert [reply.status for reply in (no_model, no_version, no_version_of_data)] == [404] * 3
    assert (no_model.json["code"], no_version.json["code"]) == ("model_not_found", "model_version_not_found")


async def test_an_unknown_report_is_not_found(api: Api) -> None:
    """Neither at its address, nor as the keeper of a profile."""
    shown = await api.get("/reports/none")
    named = await api.post("/drift", {"profile_of": "none", "current": {"a": [1]}})
    assert (shown.status, shown.json["field"]) == (404, "report_id")
    assert (named.status, named.json["field"]) == (404, "profile_of")


async def test_a_report_without_profile_is_no_baseline(api: Api) -> None:
    """The problem says how to get one that has."""
    report = await api.post("/drift", {"baseline": {"a": [1]}, "current": {"a": [1]}})
    refused = await api.post("/drift", {"profile_of": report.json["report_id"], "current": {"a": [1]}})
    assert (refused.status, refused.json["field"]) == (422, "profile_of")
    assert "keep_profile" in refused.json["fix"]


async def test_a_profile_has_no_rows_to_tell_apart(api: Api) -> None:
    """A multivariate check needs the baseline itself, and says so."""
    kept = await api.post("/drift", {"baseline": {"a": [1]}, "current": {"a": [1]}, "keep_profile": True})
    body = {"profile_of": kept.json["report_id"], "current": {"a": [1]}, "multivariate": True}
    refused = await api.post("/drift", body)
    assert (refused.status, refused.json["field"]) == (422, "multivariate")
