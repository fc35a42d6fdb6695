"""Semantic Versioning 2.0: its grammar and its order. Floor 3; imports only recsys.errors."""

import re

from recsys.errors import InvalidInput

VERSION_CHARACTERS_MAX = 64

_GRAMMAR = re.compile(
    r"(?P<major>0|[1-9][0-9]*)\.(?P<minor>0|[1-9][0-9]*)\.(?P<patch>0|[1-9][0-9]*)"
    r"(?:-(?P<pre>(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+(?P<build>[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)

# Numeric identifiers rank below the others, and any pre-release below its release: hence the leading 0 or 1.
Identifier = tuple[int, int, str]
VersionOrder = tuple[int, int, int, int, tuple[Identifier, ...], str]


def version_order(version: str) -> VersionOrder:
    """Return the sort key of `version`; build metadata only breaks ties. Raises InvalidInput.

    >>> sorted(["1.0.0", "1.0.0-rc.11", "1.0.0-rc.2", "1.0.0-rc", "1.0.0-2", "0.9.10"], key=version_order)
    ['0.9.10', '1.0.0-2', '1.0.0-rc', '1.0.0-rc.2', '1.0.0-rc.11', '1.0.0']
    """
    match = _GRAMMAR.fullmatch(version)
    if match is None or len(version) > VERSION_CHARACTERS_MAX:
        raise InvalidInput(
            f"{version[:VERSION_CHARACTERS_MAX]!r} is not a semantic version",
            field="version",
            found=version,
            fix=f"write major.minor.patch, such as 1.0.1 or 1.1.0-rc.1, in at most {VERSION_CHARACTERS_MAX} characters",
        )
    core = int(match["major"]), int(match["minor"]), int(match["patch"])
    identifiers = tuple(_identifier_order(part) for part in match["pre"].split(".")) if match["pre"] else ()
    return *core, int(match["pre"] is None), identifiers, match["build"] or ""


def _identifier_order(identifier: str) -> Identifier:
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)


def next_patch(version: str, *, taken: set[str]) -> str:
    """Return the release after the highest patch of the same major.minor among `version` and `taken`.

    >>> next_patch("1.0.1", taken={"1.0.1", "1.0.7", "1.2.0"})
    '1.0.8'
    """
    major, minor, *_ = version_order(version)
    patches = [order[2] for order in map(version_order, {version, *taken}) if order[:2] == (major, minor)]
    return f"{major}.{minor}.{max(patches) + 1}"
