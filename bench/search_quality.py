"""How well does the search answer, on our own judged requests and on sets that were judged by others?

    python bench/search_quality.py [CONFIGURATION]     # default: as served; see run.py evaluate-search --help

Sets: our judged requests, those kept aside alone, all with each component left out, and misspelt by rule; dish names
translated into Spanish against the English recipes; 322 exclusions; and, where SHARED_DATA (default ../shared/data) has
them, 75 tags over recipes whose tags are hidden, beside plain BM25 in the same run, and Spanish recipes by their hidden
names. Figures of those are all that is kept of them, and they are searched by words alone: to embed their 18,000
recipes takes an hour.
It cannot tell what people click: all judgements are about texts.
"""

import asyncio
import gzip
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import Stemmer

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import save
from events.event import Metadata
from events.store import EventStore
from projections.catalogue import stored_recipes
from projections.views import Views
from recsys.commands.first_start import FETCHED_WHEELS, SPANISH, SPANISH_RECIPES, WIKIBOOKS
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.concepts import read_concepts
from recsys.evaluation.configuration import RANKERS, STAGES, Configuration, parse_configuration
from recsys.evaluation.engine import open_catalogue, open_engine
from recsys.evaluation.evaluating import LEADING, Group, Run, evaluate, judged_in, measured
from recsys.evaluation.generated import exclusion_requests, misspelt_requests
from recsys.evaluation.judged import JudgedRequest, read_judged
from recsys.evaluation.metrics import MEASURED_RANK, RECALL_RANK
from recsys.recommender.importing import import_source
from recsys.recommender.service import Recommender
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.text import fold, words

ROOT = Path(__file__).parents[1]
JUDGED = ROOT / "recsys" / "data" / "judged"
SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
CACHE = ROOT / ".bench-tmp" / "search_quality"
NOT_RUN = "not run: no data"
SEED = 11
BROKEN_SHOWN = 20
NEARLY_THE_SAME = 0.96  # cosine; of any two recipes it is 0.75 to 0.9
NAME_REPEATS = 3
K1, B = 1.2, 0.75

Sources = dict[str, Path]


async def main(configuration: Configuration) -> None:
    wheel = english_recipes()
    default = {SPANISH: SPANISH_RECIPES, **({WIKIBOOKS: wheel} if wheel else {})}
    results: dict[str, Any] = {"configuration": configuration.name}
    async with catalogue(default) as views:
        results |= await on_default_recipes(views, configuration)
    results["spanish_names_of_english_dishes"] = (
        await figures({WIKIBOOKS: wheel}, read_judged(JUDGED / "translated_names").requests, configuration)
        if wheel
        else NOT_RUN
    )
    with tempfile.TemporaryDirectory() as folder:
        results["hidden_spanish_names"] = await hidden_names(Path(folder), configuration)
        results["hidden_tags"] = await hidden_tags(Path(folder), configuration)
    save("search_quality", results)


def english_recipes() -> Path | None:
    place = Path(os.environ.get("RECIPES_WHEEL") or FETCHED_WHEELS)
    return place if place.is_file() else max(place.glob("*.whl"), default=None)


@asynccontextmanager
async def catalogue(sources: Sources) -> AsyncIterator[Views]:
    async def fill(store: EventStore) -> None:
        for source, path in sources.items():
            await import_source(store, path, source=source, metadata=Metadata(actor="bench"))

    with tempfile.TemporaryDirectory() as folder:
        async with open_catalogue(Path(folder), fill=fill) as views:
            yield views


async def on_default_recipes(views: Views, configuration: Configuration) -> dict[str, Any]:
    """Return the figures of the judged requests, the exclusions, and the ablations."""
    async with views.reader() as db:
        ids = frozenset(recipe.recipe_id for recipe in await stored_recipes(db))
    requests = judged_in(read_judged(JUDGED / "default").requests, ids)
    plain = [request for request in requests if not request.forbidden and request.kind != "misspelt"]
    sets = {
        "clean": plain,
        "misspelt_once": misspelt_requests(plain, edits=1, seed=SEED),
        "misspelt_twice": misspelt_requests(plain, edits=2, seed=SEED),
    }
    async with open_engine(views, CACHE, configuration) as recommender:
        whole = await evaluate(recommender, requests, configuration=configuration.name)
        aside = [request for request in requests if request.split == "final"]
        final = await evaluate(recommender, aside, configuration=configuration.name)
        duplicates = await near_duplicates(recommender, requests)
        errors = {name: await evaluate(recommender, made, configuration=name) for name, made in sets.items()}
        exclusions = await broken_exclusions(recommender)
    return {
        "judged": {f"{group.by} {group.name}".strip(): shown_group(group) for group in whole.groups()},
        "final": {f"{group.by} {group.name}".strip(): shown_group(group) for group in final.groups()},
        "same_needs": same_needs(final),
        "near_duplicates": duplicates,
        "judged_violations": len(whole.violations),
        "misspelt": {name: mean(run) for name, run in errors.items()}
        | {f"{name}_to_clean": round(mean(errors[name]) / mean(errors["clean"]), 4) for name in list(sets)[1:]},
        "exclusions": exclusions,
        "ablations": await ablations(views, configuration, whole, sets["misspelt_once"], errors["misspelt_once"]),
    }


def same_needs(run: Run) -> dict[str, float]:
    """Return nDCG@10 of the needs that are asked in keywords and in sentences, in both languages."""
    wordings = [f"{request.language} {request.kind}" for request in run.requests]
    return {
        wording: round(float(run.values[LEADING][np.array(wordings) == wording].mean()), 4)
        for wording in ("es keyword", "es natural", "en keyword", "en natural")
    }


async def broken_exclusions(recommender: Recommender) -> dict[str, Any]:
    """Return in how many generated requests an answer held what was excluded, and the first such answers."""
    asked = list(exclusion_requests())
    broken: list[str] = []
    for query, concept in asked:
        recipes = (await recommender.recommend(query, MEASURED_RANK)).recipes
        guilty = (recipe.recipe_id for recipe in recipes if read_concepts().revealing_text(recipe, concept))
        if recipe_id := next(guilty, None):
            broken.append(f"{query}: {recipe_id}")
    return {"requests": len(asked), "broken": len(broken), "first": broken[:BROKEN_SHOWN]}


async def ablations(
    views: Views, configuration: Configuration, whole: Run, misspelt: list[JudgedRequest], errors: Run
) -> dict[str, Any]:
    """Return what nDCG@10 changes by without each component, on the clean and the misspelt requests."""
    others = [replace(configuration, without=configuration.without | {stage}) for stage in STAGES]
    others += [replace(configuration, ranker=version) for version in RANKERS if version != configuration.ranker]
    found: dict[str, Any] = {}
    for less in others:
        async with open_engine(views, CACHE, less) as recommender:
            clean = await evaluate(recommender, whole.requests, configuration=less.name)
            wrong = await evaluate(recommender, misspelt, configuration=less.name)
            duplicates = await near_duplicates(recommender, whole.requests)
        found[less.name] = {
            "judged": shown(clean.against(whole).difference[LEADING]),
            "misspelt": shown(wrong.against(errors).difference[LEADING]),
            "violations": len(clean.violations),
            "near_duplicates": duplicates,
        }
    return found


async def near_duplicates(recommender: Recommender, requests: Sequence[JudgedRequest]) -> float:
    """Return the share of the first ten answers that are nearly the same as a better one of them."""
    assert recommender.moment is not None
    shares: list[float] = []
    for request in requests:
        recipes = (await recommender.recommend(request.query, RECALL_RANK)).recipes[:MEASURED_RANK]
        rows = np.array([recommender.moment.catalogue.rows[recipe.recipe_id] for recipe in recipes], dtype=np.int32)
        directions = recommender.moment.vectors[rows]
        alike = np.tril(directions @ directions.T, k=-1).max(axis=1, initial=0.0) >= NEARLY_THE_SAME
        shares.append(float(alike.mean()) if len(rows) else 0.0)
    return round(float(np.mean(shares)), 4)


async def figures(sources: Sources, requests: list[JudgedRequest], configuration: Configuration) -> dict[str, Any]:
    """Return every measure of the requests over these recipes."""
    async with catalogue(sources) as views, open_engine(views, CACHE, configuration) as recommender:
        run = await evaluate(recommender, requests, configuration=configuration.name)
    return {"requests": len(requests), **shown_measures(run)}


async def hidden_names(folder: Path, configuration: Configuration) -> dict[str, Any] | str:
    """Search Spanish recipes by their names, which the index does not hold; recipes of one name are one answer."""
    path = SHARED / "recipes_es.csv.gz"
    if not path.is_file():
        return NOT_RUN
    visible = folder / "named.jsonl"
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    with visible.open("w", encoding="utf-8") as file:
        for row in read_source(path):
            if not isinstance(row, Problem):
                line, recipe = row
                relevant[fold(recipe.name)][f"named-r{line}"] = 1
                hidden = {"id": f"r{line}", "name": "Receta", "language": "es"}
                file.write(json.dumps(hidden | {"ingredients": recipe.ingredients, "steps": recipe.steps}) + "\n")
    requests = [
        JudgedRequest(query=name, language="es", kind="hidden name", relevant=ids) for name, ids in relevant.items()
    ]
    return await figures({"named": visible}, requests, by_words(configuration))


async def hidden_tags(folder: Path, configuration: Configuration) -> dict[str, Any] | str:
    """Search English recipes by tags that the index does not hold, and the same by plain BM25."""
    path, tags = SHARED / "tagged_recipes.jsonl.gz", SHARED / "tag_queries.json"
    if not (path.is_file() and tags.is_file()):
        return NOT_RUN
    with gzip.open(path, "rt", encoding="utf-8") as file:
        recipes = [json.loads(line) for line in file]
    visible = folder / "tagged.jsonl"
    with visible.open("w", encoding="utf-8") as file:
        for number, recipe in enumerate(recipes):
            kept = {name: recipe[name] for name in ("name", "ingredients", "steps")}
            file.write(json.dumps({"id": f"r{number}", "language": "en", **kept}) + "\n")
    requests = [
        JudgedRequest(query=tag, language="en", kind="tag", relevant=ids)
        for tag in json.loads(tags.read_text())
        if (ids := {f"tagged-r{number}": 1 for number, recipe in enumerate(recipes) if tag in recipe["tags"]})
    ]
    found = await figures({"tagged": visible}, requests, by_words(configuration))
    bm25 = await asyncio.to_thread(PlainBm25, [text_of(recipe) for recipe in recipes])
    answers = [[f"tagged-r{number}" for number in bm25.best(request.query)] for request in requests]
    floor = measured(requests, answers)
    return {**found, "plain_bm25": {name: round(float(values.mean()), 4) for name, values in floor.items()}}


def by_words(configuration: Configuration) -> Configuration:
    return replace(configuration, without=configuration.without | {"embedding"})


def text_of(recipe: dict[str, Any]) -> str:
    return " ".join([*NAME_REPEATS * [recipe["name"]], *recipe["ingredients"], *recipe["steps"]])


class PlainBm25:
    """The floor: BM25 over English stems of one field, k1 1.2, b 0.75."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.stem = Stemmer.Stemmer("english").stemWords
        counts = [np.unique(self.stem(words(text)), return_counts=True) for text in texts]
        lengths = np.array([count.sum() for _, count in counts], dtype=float)
        self.norms = K1 * (1 - B + B * lengths / lengths.mean())
        self.postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, (stems, frequencies) in enumerate(counts):
            for stem, frequency in zip(stems, frequencies, strict=True):
                self.postings[str(stem)].append((number, int(frequency)))

    def best(self, query: str) -> list[int]:
        """Return the numbers of the fifty best texts, best first."""
        scores = np.zeros(len(self.norms))
        for stem in set(self.stem(words(query))):
            rows, frequencies = np.array(self.postings.get(stem, []), dtype=int).reshape(-1, 2).T
            rarity = np.log1p((len(scores) - len(rows) + 0.5) / (len(rows) + 0.5))
            scores[rows] += rarity * frequencies * (K1 + 1) / (frequencies + self.norms[rows])
        order = np.argsort(-scores, kind="stable")[:RECALL_RANK]
        return [int(number) for number in order if scores[number] > 0]


def mean(run: Run) -> float:
    return round(float(run.values[LEADING].mean()), 4)


def shown(found: Interval) -> list[float]:
    """Return mean and confidence interval."""
    return [round(value, 4) for value in (found.mean, found.low, found.high)]


def shown_measures(run: Run) -> dict[str, list[float]]:
    return {name: shown(found) for name, found in run.groups()[0].measures.items()}


def shown_group(group: Group) -> dict[str, Any]:
    return {"requests": group.requests, **{name: shown(found) for name, found in group.measures.items()}}


if __name__ == "__main__":
    asyncio.run(main(parse_configuration("".join(sys.argv[1:2]))))
