"""The text that Prometheus and its kin scrape, in both its formats. Floor 3; pure, imports nothing of ours."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "info", "summary"]
SUFFIXES: Final[Mapping[Kind, str]] = {"counter": "_total", "gauge": "", "info": "_info", "summary": ""}
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})
_NO_LABEL = re.compile(r"[^A-Za-z0-9_]")


class Sample(NamedTuple):
    """One number. labels: its own; suffix: after the family's name, where it is not the one that the kind asks for."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str | None = None


class Family(msgspec.Struct, frozen=True):
    """Samples of one meaning. name: without the kind's suffix, ending with the unit where there is one."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]
    unit: str = ""


def summary(count: int, total: float | None, quantiles: Mapping[float, float]) -> list[Sample]:
    """Return the samples of a summary. total: the sum of all values; None where some are negative: it may fall."""
    sums = [] if total is None else [Sample(total, suffix="_sum")]
    return [
        *(Sample(value, {"quantile": f"{quantile:g}"}) for quantile, value in quantiles.items()),
        Sample(count, suffix="_count"),
        *sums,
    ]


def label_names(names: Iterable[str], *, taken: Iterable[str]) -> dict[str, str]:
    """Return name → a label that the format allows, each a different one and none of those `taken`."""
    labels: dict[str, str] = {}
    used = set(taken)
    for name in sorted(names):
        label = _NO_LABEL.sub("_", name)
        if label[0].isdigit() or label.startswith("__"):
            label = f"label_{label.lstrip('_')}"
        while label in used:
            label += "_"
        used.add(label)
        labels[name] = label
    return labels


def render(families: Iterable[Family], content_type: str) -> bytes:
    """Return the text of that content type: OPENMETRICS or PROMETHEUS_TEXT. Families without samples are left out."""
    is_openmetrics = content_type == OPENMETRICS
    lines = [
        line
        for family in families
        if family.samples
        for line in (openmetrics_head(family) if is_openmetrics else prometheus_head(family), *samples(family))
    ]
    return "".join([*lines, "# EOF\n" if is_openmetrics else ""]).encode()


def openmetrics_head(family: Family) -> str:
    unit = f"# UNIT {family.name} {family.unit}\n" if family.unit else ""
    return f"# TYPE {family.name} {family.kind}\n{unit}# HELP {family.name} {family.help.translate(_ESCAPES)}\n"


def prometheus_head(family: Family) -> str:
    """Return the head of the older format, which knows neither units nor infos, and suffixes in the names."""
    name = family.name + SUFFIXES[family.kind]
    kind = "gauge" if family.kind == "info" else family.kind
    return f"# HELP {name} {family.help.translate(_HELP_ESCAPES)}\n# TYPE {name} {kind}\n"


def samples(family: Family) -> Iterator[str]:
    for value, labels, suffix in family.samples:
        name = family.name + (SUFFIXES[family.kind] if suffix is None else suffix)
        pairs = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        yield f"{name}{{{pairs}}} {value!r}\n" if pairs else f"{name} {value!r}\n"
