"""All names that the guide imports are there; none loads more than it needs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mlops
from projections.metrics import FAILED, NUM_RECIPES, SERVED, STAGE_SERIES

ROOT = Path(__file__).parents[2]
LIGHT = "config, get_logger, health_monitor, metrics_collector, model_registry, retraining_orchestrator, ModelMetadata"


@pytest.mark.parametrize("name", mlops.__all__)
def test_every_name_is_there(name: str) -> None:
    """Each name can be imported from mlops."""
    assert getattr(mlops, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    """What mlops tells type checkers and editors is what it has."""
    tree = ast.parse((ROOT / "mlops.py").read_text())
    (hidden,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    told = {
        alias.asname or alias.name for node in hidden.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert told - {"Settings"} | {"config"} == set(mlops.__all__) == set(mlops.PLACES) == set(dir(mlops))


def test_an_unknown_name_is_refused() -> None:
    """A misspelt name gives an AttributeError that lists those there are."""
    with pytest.raises(AttributeError, match="model_registry"):
        _ = mlops.model_registri  # type: ignore[attr-defined]  # that is the test


def test_names_load_nothing_heavy_and_open_nothing(folder: Path) -> None:
    """To import the API costs no numpy and no pandas, and makes no file."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from mlops import {LIGHT}; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True).split()
    assert not {"numpy", "pandas", "aiohttp", "apsw", "sqlite3"} & set(loaded)
    assert not list(folder.iterdir())


def test_the_names_of_metrics_are_those_measured() -> None:
    """METRICS_NAMES lists what the service measures of each request."""
    measured = [series for _, series in STAGE_SERIES] + [series for series, _ in (*SERVED, *FAILED)] + [NUM_RECIPES]
    assert {name for name, _ in measured} == set(mlops.METRICS_NAMES)
