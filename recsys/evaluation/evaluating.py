"""Judged requests put to the search, and what the answers are worth: in all, by group, against another. Floor 3."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from events.catalog import Recipe
from recsys.evaluation.bootstrap import Interval, interval
from recsys.evaluation.concepts import read_concepts
from recsys.evaluation.judged import JudgedRequest
from recsys.evaluation.metrics import MEASURED_RANK, RECALL_RANK, measures
from recsys.recommender.arrays import BoolArray, DoubleArray, IntArray
from recsys.recommender.service import Recommender

GROUPED_BY = ("split", "language", "kind")
CHANGES_SHOWN = 10
LEADING = f"ndcg@{MEASURED_RANK}"  # the measure by which requests are said to have changed


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that holds what its request forbids. text: the name or ingredient that shows it."""

    query: str
    recipe_id: str
    concept: str
    text: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The requests that have something in common. measures: name → mean over them."""

    by: str
    name: str
    requests: int
    measures: dict[str, Interval]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose nDCG@10 differs between two configurations."""

    query: str
    before: float
    after: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration gives more (or less) than another, request by request. changed: the most first."""

    against: str
    difference: dict[str, Interval]
    changed: list[Change]


@dataclass(frozen=True)
class Run:
    """The answers of one configuration to the requests. values: measure → (requests,)."""

    configuration: str
    requests: Sequence[JudgedRequest]
    values: dict[str, DoubleArray]
    violations: Sequence[Violation]
    degraded: Sequence[str]

    def groups(self) -> list[Group]:
        """Return what all requests, and each split, language and kind of them, give."""
        everything = self.group("all", "", np.ones(len(self.requests), dtype=bool))
        return [everything, *(group for by in GROUPED_BY for group in self.groups_by(by))]

    def groups_by(self, by: str) -> list[Group]:
        names = np.array([getattr(request, by) for request in self.requests])
        return [self.group(by, str(name), names == name) for name in np.unique(names)]

    def group(self, by: str, name: str, chosen: BoolArray) -> Group:
        found = {measure: interval(values[chosen]) for measure, values in self.values.items()}
        return Group(by=by, name=name, requests=int(chosen.sum()), measures=found)

    def against(self, other: "Run") -> Comparison:
        """Return what this run gives more than another of the same requests."""
        difference = {name: interval(values - other.values[name]) for name, values in self.values.items()}
        before, after = other.values[LEADING], self.values[LEADING]
        order = np.argsort(-np.abs(after - before), kind="stable")[:CHANGES_SHOWN]
        changed = [
            Change(query=self.requests[row].query, before=float(before[row]), after=float(after[row]))
            for row in order
            if before[row] != after[row]
        ]
        return Comparison(against=other.configuration, difference=difference, changed=changed)


async def evaluate(recommender: Recommender, requests: Sequence[JudgedRequest], *, configuration: str) -> Run:
    """Put the requests to the recommender, one at a time, and measure its answers.

    requests: at least one. What they judge is taken as it stands: leave out what the catalogue lacks first, by
    `judged_in`.
    """
    answers = [(await recommender.recommend(request.query, RECALL_RANK)).recipes for request in requests]
    return Run(
        configuration=configuration,
        requests=requests,
        values=measured(requests, [[recipe.recipe_id for recipe in recipes] for recipes in answers]),
        violations=[found for pair in zip(requests, answers, strict=True) for found in violations(*pair)],
        degraded=recommender.degraded,
    )


def measured(requests: Sequence[JudgedRequest], answers: Sequence[Sequence[str]]) -> dict[str, DoubleArray]:
    """Return each measure of the answers, which are recipe ids, best first."""
    grades = [
        [request.relevant.get(recipe_id, 0) for recipe_id in ids]
        for request, ids in zip(requests, answers, strict=True)
    ]
    ideal = [sorted(request.relevant.values(), reverse=True) for request in requests]
    relevant = np.array([len(request.relevant) for request in requests], dtype=np.int32)
    return measures(padded(grades), padded(ideal), relevant)


def padded(rows: Sequence[Sequence[int]]) -> IntArray:
    """Return the rows as one array, (rows, 50), cut or filled with 0."""
    filled = np.zeros((len(rows), RECALL_RANK), dtype=np.int32)
    for at, row in enumerate(rows):
        kept = row[:RECALL_RANK]
        filled[at, : len(kept)] = kept
    return filled


def violations(request: JudgedRequest, recipes: Sequence[Recipe]) -> list[Violation]:
    """Return the answers that hold what the request forbids, with what shows it."""
    pairs = ((recipe, concept) for concept in request.forbidden for recipe in recipes)
    return [
        Violation(query=request.query, recipe_id=recipe.recipe_id, concept=concept, text=text)
        for recipe, concept in pairs
        if (text := read_concepts().revealing_text(recipe, concept)) is not None
    ]


def judged_in(requests: Sequence[JudgedRequest], recipe_ids: frozenset[str]) -> list[JudgedRequest]:
    """Return the requests as they stand for a catalogue: without recipes it lacks, and without those left with none."""
    kept = (
        msgspec.structs.replace(
            request, relevant={key: grade for key, grade in request.relevant.items() if key in recipe_ids}
        )
        for request in requests
    )
    return [request for request in kept if request.relevant]
