"""What recommendations are like, whatever their relevance: coverage, diversity, novelty. Floor 3; numpy only."""

from collections.abc import Collection, Hashable, Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recsys.evaluation.arguments import NUMERIC_KINDS, InvalidArgument, array, finite
from recsys.evaluation.retrieved import ids

Lists = Collection[Collection[Hashable]]


def coverage(lists: Lists, catalogue: Collection[Hashable]) -> float:
    """Return the share of the catalogue that at least one list recommends, in [0, 1].

    lists: ids, a collection for each query. catalogue: the ids that could be recommended, at least one. Raises
    InvalidArgument if there is none, or a list holds others.  Source: Ge, Delgado-Battenfeld & Jannach 2010, RecSys.
    """
    possible, shown = ids(catalogue, "catalogue"), ids(recommended(lists), "lists")
    if not possible:
        raise InvalidArgument("catalogue", "found nothing", "give the ids that could be recommended")
    require_known(shown, possible, "catalogue")
    return len(shown) / len(possible)


def diversity(vectors: ArrayLike) -> float:
    """Return how unlike the recommendations of a list are, the mean over lists, in [0, 2].

    vectors: (recommendations, dimensions) of one list or (lists, recommendations, dimensions), at least two
    recommendations, none of them zero. Unlike: the mean of 1 - cosine over the pairs of a list. Raises
    InvalidArgument.  Source: intra-list similarity, Ziegler et al. 2005, WWW.
    """
    given = finite(array(vectors, "vectors", NUMERIC_KINDS, "give numbers").astype(np.float64), "vectors")
    if given.ndim not in (2, 3) or given.shape[-2] < 2:
        fix = "give ([lists,] recommendations, dimensions), with two recommendations or more"
        raise InvalidArgument("vectors", f"found shape {given.shape}", fix)
    lengths = np.linalg.norm(given, axis=-1, keepdims=True)
    if not lengths.all():
        raise InvalidArgument("vectors", "found one of length 0", "leave out what has no vector")
    size = given.shape[-2]
    # |sum of unit vectors|² = size + twice the sum of the cosines of all pairs
    sums = (given / lengths).sum(axis=-2)
    cosines = ((sums**2).sum(axis=-1) - size) / (size * (size - 1))
    return float(np.mean(1 - cosines))


def novelty(lists: Lists, interactions: Mapping[Any, int]) -> float:
    """Return the mean information, in bits, of what is recommended: little for what everybody knows; >= 0.

    lists: ids, a collection for each query. interactions: of each id of the catalogue how often it was used, >= 0. Its
    chance is taken as (count + 1) / (all counts + ids), so that one never used is novel, not infinitely so. Raises
    InvalidArgument if nothing is recommended, or an id has no count.  Source: Zhou et al. 2010, PNAS 107(10).
    """
    shown = recommended(lists)
    if not shown:
        raise InvalidArgument("lists", "found no recommendation", "give at least one")
    require_known(ids(shown, "lists"), set(interactions), "interactions")
    if min(interactions.values()) < 0:
        raise InvalidArgument("interactions", f"found {min(interactions.values())}", "give counts from 0 on")
    uses = np.array([interactions[item] for item in shown], dtype=np.float64)
    return float(np.mean(-np.log2((uses + 1) / (sum(interactions.values()) + len(interactions)))))


def recommended(lists: Lists) -> list[Hashable]:
    """Return the ids of all lists, one after the other. Raises InvalidArgument where a list is none."""
    for items in lists:
        if isinstance(items, str | bytes) or not hasattr(items, "__iter__"):
            raise InvalidArgument("lists", f"found {items!r:.100}", "give a list of ids for each query")
    return list(chain.from_iterable(lists))


def require_known(shown: Collection[Hashable], known: Collection[Hashable], field: str) -> None:
    """Raise InvalidArgument unless every id that is shown is known."""
    unknown = [item for item in shown if item not in known]
    if unknown:
        raise InvalidArgument("lists", f"found {unknown[0]!r}, which {field} lacks", f"add it to {field}")
