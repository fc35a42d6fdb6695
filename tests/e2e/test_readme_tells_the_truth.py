"""The README's requests, run in order against a fresh service, get the answers that stand there."""

import json
import re
import shlex
from argparse import ArgumentParser
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.e2e.service import ROOT, Reply, Service


def examples() -> list[tuple[list[str], Any]]:
    """Return each curl command's words with the answer that the README shows."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    pairs = [piece.partition("\n") for block in blocks for piece in block.split("$ ") if piece]
    return [(shlex.split(command), json.loads(answer)) for command, _, answer in pairs]


def curl(service: Service, words: list[str], position: str | None) -> Reply:
    parser = ArgumentParser("curl")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X", default="")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url")
    options = parser.parse_args(words[1:])
    headers = dict(header.split(": ", 1) for header in options.H)
    if position and not options.d and not options.X:
        headers["Log-Position"] = position  # a reader is slower than the views, a test is not
    body = options.d.encode() if options.d else None
    return service.ask(options.url.removeprefix("localhost:8000"), body, headers, options.X)


def mismatches(shown: Any, real: Any, at: str = "$") -> list[str]:
    """Return where the real answer is not the shown one; `…` is anything, fractions are measured."""
    if isinstance(shown, dict) and isinstance(real, dict):
        named = shown.keys() - {"…"}
        extra = [] if "…" in shown else [f"{at}.{name} is not shown" for name in real.keys() - named]
        missing = [f"{at}.{name} is missing" for name in named - real.keys()]
        return extra + missing + [m for n in named & real.keys() for m in mismatches(shown[n], real[n], f"{at}.{n}")]
    if isinstance(shown, list) and isinstance(real, list):
        head = shown[:-1] if shown[-1:] == ["…"] else shown
        lengths = [] if len(head) == len(real) or (head != shown and len(real) > len(head)) else [f"{at}: length"]
        return lengths + [
            m for i, pair in enumerate(zip(head, real, strict=False)) for m in mismatches(*pair, f"{at}[{i}]")
        ]
    if isinstance(shown, str) and isinstance(real, str):
        is_time = re.match(r"\d{4}-\d\d-\d\dT", shown) and re.match(r"\d{4}-\d\d-\d\dT", real)
        pattern = re.sub(r"^[0-9a-f-]+…$", "*", shown).replace("…", "*").replace("[", "[[]")
        return [] if is_time or fnmatchcase(real, pattern) else [f"{at}: {real!r} instead of {shown!r}"]
    is_measured = isinstance(shown, float) and isinstance(real, float)
    return [] if is_measured or shown == real or at.endswith(".head") else [f"{at}: {real!r} instead of {shown!r}"]


def test_every_request_gets_its_answer(service: Service) -> None:
    """Each answer has the fields and the values that the README shows."""
    position, wrong = None, []
    for words, shown in examples():
        reply = curl(service, words, position)
        position = reply.headers.get("Log-Position") or position
        wrong += [f"{shlex.join(words)}: {mismatch}" for mismatch in mismatches(shown, reply.body)]
    assert not wrong


def test_every_route_of_the_guide_is_shown() -> None:
    """The README asks every address of the guide."""
    asked = {re.sub(r"\?.*", "", words[-1] if "localhost" in words[-1] else words[2]) for words, _ in examples()}
    paths = {address.removeprefix("localhost:8000") for address in asked}
    assert paths >= {
        "/recommend",
        "/health",
        "/metrics",
        "/models",
        "/models/hybrid_ranker/production",
        "/retrain/check",
    }


def test_make_targets_exist() -> None:
    """The two commands of the README are targets of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named == {"run", "test"}
    assert named <= targets


def test_settings_are_documented() -> None:
    """The README points to the example file, which lists every setting."""
    assert ".env.example" in (ROOT / "README.md").read_text()
    assert Path(ROOT / ".env.example").is_file()
