"""Reports hold what was added, as JSON, as an event's content, and as a page that needs nothing else."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from recsys.errors import InvalidInput
from recsys.evaluation.evaluator import ModelEvaluator
from recsys.evaluation.report import EvaluationReport, evaluation_reported

AT = datetime(2024, 12, 30, 15, 30, tzinfo=UTC)
DRIFT = {
    "drift_detected": np.True_,
    "threshold": 0.1,
    "columns": {"price": {"drift": True, "effect": np.float64(0.61)}, "<script>": {"drift": False, "effect": 0.0}},
    "lost_columns": [],
}


def report() -> EvaluationReport:
    evaluator = ModelEvaluator()
    values = np.linspace(0.2, 0.9, 40)
    found = EvaluationReport("hybrid_ranker", "1.0.1", created_at=AT)
    found.add_metrics({"mse": np.float64(2.5), "ndcg@10": evaluator.calculate_interval(values), "tp": 3, "tn": None})
    found.add_validation("data_drift", DRIFT)
    found.add_comparison("1.0.0", {"ndcg@10": evaluator.compare_models(values, values - 0.1)})
    return found


def test_what_is_saved_is_what_was_added(tmp_path: Path) -> None:
    """The file holds to_dict() as strict JSON, with numpy's values as numbers; saving again leaves the same files."""
    saved = report()
    path = saved.save(tmp_path / "new" / "folder")
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == saved.to_dict()
    assert saved.to_dict()["validations"]["data_drift"]["columns"]["price"] == {"drift": True, "effect": 0.61}
    assert saved.to_dict()["comparisons"]["1.0.0"]["ndcg@10"]["is_significant"] is True
    assert saved.save(path.parent) == path
    assert {file.suffix for file in path.parent.iterdir()} == {".json", ".html"}


def test_the_page_is_well_formed_and_alone(tmp_path: Path) -> None:
    """Its markup closes, it plots metrics, drift and the comparison, shows no script, and names no other address."""
    path = report().save(tmp_path).with_suffix(".html")
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]|https?:", text)
    body = text[text.index("<body>") : text.index("</html>")]
    assert len(list(ElementTree.fromstring(body).iter("svg"))) == 3


def test_reports_are_kept_in_the_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder they go to reports/ in DATA_DIR, under model, version and time."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    path = report().save()
    assert path.parent == tmp_path / "reports"
    assert re.fullmatch(r"hybrid_ranker-1\.0\.1-20241230T153000-[0-9a-f]{12}\.json", path.name)


def test_the_event_says_what_the_report_says() -> None:
    """Its content is the report's, with the time in microseconds, and changes no more when the report does."""
    written = report()
    content = evaluation_reported(written)
    assert content | {"created_at": "2024-12-30T15:30:00.000000Z"} == written.to_dict()
    assert content["created_at"] == 1_735_572_600_000_000
    written.add_metrics({"late": 1})
    assert "late" not in content["metrics"]


def test_what_is_not_finite_is_kept_in_words_or_refused() -> None:
    """A validation may find NaN and says so in text; a metric of NaN is no metric."""
    found = EvaluationReport("m", "1.0.0")
    found.add_validation("output", {"range": [float("nan"), -np.inf], "shape": (3,), "seen": {1}})
    assert found.to_dict()["validations"]["output"] == {"range": ["NaN", "-Infinity"], "shape": [3], "seen": [1]}
    with pytest.raises(ValueError, match=r"metrics\['mse'\]: found nan; give a finite number"):
        found.add_metrics({"mse": float("nan")})


def test_an_empty_report_can_be_read() -> None:
    """A report to which nothing was added has a page without sections."""
    assert "<section>" not in EvaluationReport("m", "1.0.0").to_html()


@pytest.mark.parametrize(("model_id", "version"), [("../m", "1.0.0"), ("", "1.0.0"), ("m", "1"), ("m", "1.0.0/..")])
def test_a_report_is_of_a_model_version(model_id: str, version: str) -> None:
    """Ids and versions that the registry would not take, and that would leave the folder, are refused."""
    with pytest.raises(InvalidInput):
        EvaluationReport(model_id, version)


def test_a_naive_time_is_refused() -> None:
    """A time without a zone is a guess."""
    with pytest.raises(ValueError, match=r"created_at: found 2024-12-30 .* without a time zone"):
        EvaluationReport("m", "1.0.0", created_at=AT.replace(tzinfo=None))


def test_what_json_cannot_hold_is_refused() -> None:
    """An object that has no place in JSON is named with its validation."""
    with pytest.raises(ValueError, match="output: found <object"):
        EvaluationReport("m", "1.0.0").add_validation("output", object())
