"""A configuration of the search by its name, as the command line gives it: "1.0.0,no-embedding". Floor 3."""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from recsys.recommender.contents import Contents, Postings
from recsys.recommender.embedding import E5, Embedder
from recsys.recommender.errors import EmbeddingUnavailable, RecommenderError
from recsys.recommender.lexical import LexicalIndex
from recsys.recommender.lexicon import Concept, Lexicon
from recsys.recommender.ranker import HybridRanker, LinearRanker, Ranker
from recsys.recommender.service import Recommender, ViewsReader
from recsys.recommender.spelling import Speller
from recsys.recommender.understanding import Knowledge

RANKERS: Final[Mapping[str, Callable[[], HybridRanker | LinearRanker]]] = {
    "1.0.0": HybridRanker,
    "1.1.0": LinearRanker,
}
SERVED: Final = "served"
WEIGHTS: Final = ("share", "name", "time_fit", "language_fit", "technique_fit", "popularity", "diversity")
STAGES: Final = ("words", "embedding", "lexicon", "moods", "speller", "exclusions", *WEIGHTS)


class UnknownConfiguration(RecommenderError):
    """A configuration names a ranker or a stage that there is not."""

    def __init__(self, part: str) -> None:
        stages = ", ".join(f"no-{stage}" for stage in STAGES)
        super().__init__(
            f"configuration: found {part!r}, allowed are {SERVED}, a ranker's version ({', '.join(RANKERS)}) and "
            f"{stages}, with commas between"
        )


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """How to search. ranker: its version, or "served" for the service's own. without: the stages that are left out."""

    ranker: str = SERVED
    without: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return ",".join([self.ranker, *(f"no-{stage}" for stage in sorted(self.without))])

    def recommender(self, views: ViewsReader, cache_folder: Path) -> Recommender:
        """Return a recommender that ranks so; once it is loaded, `simplify` takes from it what else is left out."""
        return Recommender(
            views,
            cache_folder,
            ranker=None if self.ranker == SERVED else RANKERS[self.ranker](),
            make_embedder=no_embedder if "embedding" in self.without else E5,
        )

    def simplify(self, recommender: Recommender) -> None:
        """Take from the loaded recommender what else is left out."""
        assert recommender.moment is not None
        recommender.ranker = without_weights(recommender.ranker, self.without)
        catalogue = copy(recommender.moment.catalogue)
        known = catalogue.knowledge
        if "words" in self.without:
            catalogue.lexical = unscored(known.lexical)
        if "exclusions" in self.without:
            catalogue.contents = unfiltered(catalogue.contents)
        catalogue.knowledge = Knowledge(
            Lexicon(self.concepts(known.lexicon)) if self.without & {"lexicon", "moods"} else known.lexicon,
            known.lexical,
            Speller.build({}) if "speller" in self.without else known.speller,
        )
        recommender.replace_moment(replace(recommender.moment, catalogue=catalogue))

    def concepts(self, lexicon: Lexicon) -> list[Concept]:
        """Return the concepts that are not left out: none, or all without what they bring to mind."""
        if "lexicon" in self.without:
            return []
        return [msgspec.structs.replace(concept, evokes=[]) for concept in lexicon.concepts.values()]


def parse_configuration(text: str) -> Configuration:
    """Return the configuration that the text names; "" and "served" are the service's own.

    >>> parse_configuration("1.0.0,no-embedding").name
    '1.0.0,no-embedding'

    Raises UnknownConfiguration.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    without = [part.removeprefix("no-") for part in parts if part.startswith("no-")]
    rankers = [part for part in parts if not part.startswith("no-")]
    unknown = [f"no-{stage}" for stage in without if stage not in STAGES]
    unknown += [version for version in rankers if version not in (SERVED, *RANKERS)] + rankers[1:]
    if unknown:
        raise UnknownConfiguration(unknown[0])
    return Configuration(ranker=rankers[0] if rankers else SERVED, without=frozenset(without))


def without_weights(ranker: Ranker, stages: Collection[str]) -> Ranker:
    """Return the ranker with these of its weights at 0."""
    assert isinstance(ranker, HybridRanker | LinearRanker)
    dropped = {name: 0.0 for name in WEIGHTS if name in stages and hasattr(ranker, name)}
    return type(ranker)(**vars(ranker) | dropped)


def unfiltered(contents: Contents) -> Contents:
    """Return contents by which no recipe holds what a request or a diet excludes."""
    found = copy(contents)
    found.held = Postings(np.zeros_like(contents.held.starts), contents.held.rows[:0])
    return found


def unscored(index: LexicalIndex) -> LexicalIndex:
    """Return an index by whose words every recipe scores nothing."""
    found = copy(index)
    found.terms = {}
    return found


def no_embedder() -> Embedder:
    raise EmbeddingUnavailable("this configuration goes without it")
