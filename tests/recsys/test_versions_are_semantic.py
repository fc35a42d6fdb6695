"""Semantic versions are ordered as the standard says."""

import pytest

from recsys.errors import InvalidInput
from recsys.semver import next_patch, version_order

# From semver.org, item 11, with releases around it.
IN_ORDER = [
    "0.9.10",
    "1.0.0-0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.9",
    "1.0.10",
    "1.2.0",
    "10.0.0",
]


def test_the_order_is_the_standards() -> None:
    """Numbers count as numbers, a pre-release stands before its release."""
    assert sorted(set(IN_ORDER), key=version_order) == IN_ORDER


@pytest.mark.parametrize("version", ["1.0.0-alpha+001", "1.0.0+20130313144700", "1.0.0-x-y-z.--", "0.0.0"])
def test_the_whole_grammar_is_read(version: str) -> None:
    """Build metadata and odd but legal pre-releases are versions."""
    assert version_order(version) < version_order("1.0.1")


@pytest.mark.parametrize("version", ["1.2", "1.2.3-0123", "1.2.3+", "a.b.c", "1.2.3.4", " 1.2.3", "1" * 65 + ".0.0"])
def test_other_text_is_refused(version: str) -> None:
    """What the grammar does not know, or is longer than 64 characters, is no version."""
    with pytest.raises(InvalidInput):
        version_order(version)


def test_the_next_patch_is_above_all_that_are_taken() -> None:
    """Pre-releases count with their release's patch."""
    assert next_patch("2.0.0-rc.1", taken={"2.0.0-rc.1", "2.0.3-rc.1", "2.1.9"}) == "2.0.4"
