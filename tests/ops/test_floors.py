"""The house stands as the README draws it: imports point down, names are ours, nothing heavy, no host named."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {"migrations": 0, "events": 1, "projections": 2, "recsys": 3, "run": 4, "mlops": 4}
HEAVY = {"mlflow", "pandas", "sklearn", "scipy", "qdrant_client"}
# Spelt in parts, so that this file names none either.
REGISTRY_HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]


def modules() -> list[Path]:
    """The service's own modules, by path from the root."""
    packages = [name for name in FLOORS if (ROOT / name).is_dir()]
    files = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    files += [ROOT / f"{name}.py" for name in FLOORS if (ROOT / f"{name}.py").is_file()]
    return sorted(path.relative_to(ROOT) for path in files)


def imports_of(path: Path, *, at_once: bool = False) -> Iterator[tuple[int, str]]:
    """Yield each import's line and full module name; at_once: without those in functions and for type checkers."""
    tree = ast.parse((ROOT / path).read_text(), str(path))
    later = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if at_once and id(node) in later:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name, not a relative import"
            yield node.lineno, node.module or ""


def top(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_imports_point_down(path: Path) -> None:
    """A module imports its own floor and those below, never one above."""
    own = FLOORS[path.parts[0].removesuffix(".py")]
    above = [f"{path}:{line} imports {name}" for line, name in imports_of(path) if FLOORS.get(top(name), 0) > own]
    assert not above


@pytest.mark.parametrize("path", modules(), ids=str)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    """No module imports a library that costs a second when it is itself imported: only inside functions."""
    assert not [f"{path}:{line} imports {name}" for line, name in imports_of(path, at_once=True) if top(name) in HEAVY]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_a_module_opens_with_a_sentence(path: Path) -> None:
    """Every module says in its first line what lives there, unless nothing does."""
    tree = ast.parse((ROOT / path).read_text())
    opening = (ast.get_docstring(tree) or "").partition("\n")[0]
    assert opening.endswith((".", ":")) or not tree.body, path


@pytest.mark.parametrize("name", FLOORS)
def test_top_level_names_are_ours(name: str) -> None:
    """`import events` finds our package, not one that somebody installed under the same name."""
    spec = importlib.util.find_spec(name)
    assert spec is None or Path(spec.origin or "").is_relative_to(ROOT), spec


def test_no_file_names_a_registry_host() -> None:
    """Whoever installs chooses the package index: no tracked file names one."""
    listing = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    paths = [ROOT / name for name in listing.splitlines() if (ROOT / name).is_file()]
    assert not [
        (str(path), host) for path in paths for host in REGISTRY_HOSTS if host.encode() in path.read_bytes().lower()
    ]


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print('\\n' + ' '.join(sys.modules))"]
    return {top(name) for name in subprocess.check_output(command, cwd=ROOT, text=True).splitlines()[-1].split()}


def test_help_loads_nothing_of_weight() -> None:
    """`run.py --help` answers from the standard library, without even the event loop."""
    loaded = loaded_by("import contextlib, run\nwith contextlib.suppress(SystemExit): run.main(['--help'])")
    assert not loaded & (HEAVY | {"aiohttp", "apsw", "asyncio", "msgspec", "numpy", "orjson", "sqlite3", "tqdm"})


def test_the_service_loads_nothing_heavy() -> None:
    """The serving process holds none of the libraries that only training and tracking need."""
    assert not loaded_by("import recsys.commands.serve") & HEAVY
