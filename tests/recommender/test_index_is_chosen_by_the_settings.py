"""Which vector index serves follows from the settings, and a server that is not named costs nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recsys.config import Settings
from recsys.recommender.index import EmbeddedIndex
from recsys.recommender.index.chosen import chosen_index, qdrant_url
from recsys.recommender.index.guarded import GuardedIndex


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, ""),
        ({"qdrant_host": "vectors"}, "http://vectors:6333"),
        ({"qdrant_host": "vectors", "qdrant_port": 7000}, "http://vectors:7000"),
        ({"qdrant_url": "https://vectors.example", "qdrant_host": "other"}, "https://vectors.example"),
    ],
)
def test_the_server_is_found(settings: dict[str, Any], url: str) -> None:
    """QDRANT_URL goes before QDRANT_HOST with QDRANT_PORT; without them there is none."""
    assert qdrant_url(Settings(**settings)) == url


def test_a_server_has_the_embedded_index_behind_it(tmp_path: Path) -> None:
    """Without a server the index in this process serves alone, with one it stands behind it."""
    assert isinstance(chosen_index(Settings(), tmp_path, "fake"), EmbeddedIndex)
    index = chosen_index(Settings(qdrant_host="vectors"), tmp_path, "fake")
    assert isinstance(index, GuardedIndex)
    assert isinstance(index.behind, EmbeddedIndex)


def test_no_heavy_library_is_imported_for_a_small_catalogue() -> None:
    """The service starts without the libraries of the graph and of the server."""
    heavy = "{'qdrant_client', 'usearch', 'numkong', 'grpc', 'pydantic'}"
    program = f"import sys, recsys.commands.serve; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
