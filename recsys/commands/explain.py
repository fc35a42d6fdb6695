"""run.py explain: how a request is understood, and why its recipes come first. Floor 3."""

import argparse
import asyncio
from contextlib import closing
from typing import Any

import msgspec

from recsys.commands.all_views import all_views
from recsys.commands.outcome import DONE, show
from recsys.commands.surroundings import writable_log
from recsys.config import Settings
from recsys.evaluation.engine import open_catalogue
from recsys.recommender.service import Recommendation, Recommender
from recsys.recommender.understanding import Understanding


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer the request from the data directory, without recording it, and show how."""
    writable_log(settings.data_dir)
    recommendation = asyncio.run(explained(settings, arguments.query, arguments.number))
    show(recommendation, in_words(recommendation), as_json=arguments.json)
    return DONE


async def explained(settings: Settings, query: str, n: int) -> Recommendation:
    async with open_catalogue(settings.data_dir, projections=all_views()) as views:
        with closing(Recommender(views, settings.data_dir / "cache")) as recommender:
            await recommender.load()
            return await recommender.recommend(query, n)


def in_words(recommendation: Recommendation) -> str:
    understanding = recommendation.understanding
    lines = understood(understanding) if understanding else []
    answers = zip(recommendation.recipes, recommendation.scores, recommendation.features, strict=True)
    for place, (recipe, score, features) in enumerate(answers, 1):
        values = ", ".join(f"{name} {value:.2f}" for name, value in features.items())
        lines += [f"{place}. {recipe.name} ({recipe.recipe_id}) {score:.3f}", f"   {values}"]
    return "\n".join(lines)


def understood(understanding: Understanding) -> list[str]:
    """Return a line for each thing that was found in the request."""
    limits: dict[str, Any] = msgspec.to_builtins(understanding.limits)
    found = {
        "language": f"{understanding.language} (lean {understanding.lean:+.2f})",
        "corrected": ", ".join(f"{was} → {meant}" for was, meant in understanding.corrections.items()),
        "asked for": ", ".join(f"{found.concept} ({found.kind}: {found.text})" for found in understanding.concepts),
        "other words": ", ".join(understanding.words),
        "excluded": ", ".join([*understanding.excluded, *understanding.excluded_words]),
        "limits": ", ".join(f"{name} {value}" for name, value in limits.items()),
        "embedded": understanding.meaning,
    }
    return [f"{name:12} {text}" for name, text in found.items() if text]
