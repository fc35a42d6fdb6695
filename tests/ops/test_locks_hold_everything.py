"""The locks: every dependency pinned, every pin hashed, and the locks of one mind."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[[a-z,]+\])?==(?P<version>[^ ;\\]+)[^\n]*(?P<hashes>(?:\\\n\s+--hash=\S+ ?)+)", re.M
)


def pins(lock: str) -> set[tuple[str, str]]:
    """Return name and version of one lock's pins that have hashes; a name may have one version a Python."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    return {(match["name"], match["version"]) for match in PIN.finditer(text)}


def wanted(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return {re.split(r"[<>=;\[ ]", line)[0].lower() for line in lines}


@pytest.mark.parametrize(("lock", "extras"), [("run", []), ("dev", ["dev"]), ("bench", ["bench"])])
def test_a_lock_pins_what_the_project_needs(lock: str, extras: list[str]) -> None:
    """Each lock pins the project's dependencies with their hashes; `make lock` was run after the last change."""
    assert wanted(*extras) <= {name for name, _ in pins(lock)}


@pytest.mark.parametrize("lock", ["run", "dev", "bench", "uv", "recipes"])
def test_every_pin_has_its_hashes(lock: str) -> None:
    """No line of a lock is without a hash, so that nothing else is ever installed."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    assert len(pins(lock)) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0


def test_developers_run_what_users_run() -> None:
    """What both locks pin, they pin to the same version."""
    assert pins("run") <= pins("dev")
