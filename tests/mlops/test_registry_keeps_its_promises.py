"""What `model_registry` does where the guide is silent."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops import ModelMetadata, model_registry, retraining_orchestrator
from recsys.errors import InvalidInput, InvalidTransition, ModelNotFound, ModelVersionExists, ModelVersionNotFound


def metadata(version: str = "1.0.0", **fields: Any) -> ModelMetadata:
    return ModelMetadata(
        **{"model_id": "ranker", "model_type": "hybrid", "version": version, "status": "validation", **fields}
    )


def test_the_same_content_again_changes_nothing() -> None:
    """Registering a version twice leaves one step in its history."""
    first = model_registry.register_model(metadata(metrics={"accuracy": 0.9}))
    assert model_registry.register_model(metadata(metrics={"accuracy": 0.9})) == first
    assert len(model_registry.get_version_history("ranker")) == 1


def test_other_content_is_refused_with_the_next_free_version() -> None:
    """A version never changes; the error names the version to register instead, and a traceback shows it."""
    model_registry.register_model(metadata("1.0.0"))
    model_registry.register_model(metadata("1.0.1"))
    with pytest.raises(ModelVersionExists) as refused:
        model_registry.register_model(metadata("1.0.0", description="another"))
    assert (refused.value.fix, refused.value.__notes__) == ("the next free version is 1.0.2", [refused.value.fix])


def test_unknown_versions_are_false_and_forbidden_moves_raise() -> None:
    """update_model_status tells what there is not from what may not be."""
    model_registry.register_model(metadata(status="training"))
    assert not model_registry.update_model_status("ranker", "9.9.9", "validation")
    assert not model_registry.update_model_status("nobody", "1.0.0", "validation")
    with pytest.raises(InvalidTransition):
        model_registry.update_model_status("ranker", "1.0.0", "production")
    with pytest.raises(InvalidInput):
        model_registry.update_model_status("ranker", "1.0.0", "retired")  # type: ignore[arg-type]  # that is the test


def test_nothing_is_matched_by_prefix() -> None:
    """A name is that name alone."""
    model_registry.register_model(metadata(model_id="ranker_v2"))
    assert not model_registry.list_models(model_id="ranker")
    assert not model_registry.get_version_history("ranker")
    assert model_registry.get_production_model("ranker") is None
    with pytest.raises(ModelNotFound):
        retraining_orchestrator.create_retrain_job("ranker")


def test_promotion_archives_the_former_version() -> None:
    """One version is in production; promoting another, by either name for it, archives it."""
    for version in ("1.0.0", "1.0.1"):
        model_registry.register_model(metadata(version))
        retraining_orchestrator.promote_to_production("ranker", version, approval_required=False)
    assert [model.status for model in model_registry.list_models()] == ["archived", "production"]
    with pytest.raises(ModelVersionNotFound):
        retraining_orchestrator.promote_to_production("ranker", "3.0.0")
    with pytest.raises(InvalidInput):
        retraining_orchestrator.promote_to_production("ranker", "1.0.0", approval_required=True)


def test_the_mirror_equals_the_view(folder: Path) -> None:
    """models/registry.json holds what list_models answers, also after many threads have registered at once."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: model_registry.register_model(metadata(f"1.0.{number}")), range(24)))
    mirror = json.loads((folder / "models" / "registry.json").read_bytes())
    assert mirror == {"count": 24, "models": msgspec.to_builtins(model_registry.list_models())}


def test_a_mirror_that_cannot_be_written_costs_nothing(folder: Path) -> None:
    """Where models/ cannot be a folder, the registry works all the same."""
    (folder / "models").write_text("in the way")
    assert model_registry.register_model(metadata()).status == "validation"


def test_frames_have_their_columns() -> None:
    """The frame has a row a version, its columns also where there is none, and a notebook shows it as a table."""
    assert list(model_registry.frame())[:3] == ["model_key", "model_id", "version"]
    model_registry.register_model(metadata())
    frame = model_registry.frame()
    assert (len(frame), str(frame["registered_at"].dtype)) == (1, "datetime64[us, UTC]")
    assert "ranker" in model_registry._repr_html_() and "<table" in retraining_orchestrator._repr_html_()


def test_a_model_has_one_open_job() -> None:
    """Eight threads that ask for a job get the same one; training is said not to be there."""
    model_registry.register_model(metadata())
    with ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(retraining_orchestrator.create_retrain_job, ["ranker"] * 8))
    assert retraining_orchestrator.list_jobs() == [jobs[0]] and {job.job_id for job in jobs} == {jobs[0].job_id}
    assert retraining_orchestrator.get_job_status("ranker_1") is None
    with pytest.raises(AttributeError, match="not trained here yet"):
        _ = retraining_orchestrator.execute_retrain
