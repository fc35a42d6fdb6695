"""Where the shipped judged requests and the default recipes are."""

import os
from pathlib import Path

from recsys.commands.first_start import FETCHED_WHEELS

JUDGED = Path(__file__).parents[2] / "recsys" / "data" / "judged" / "default"


def english_recipes() -> Path | None:
    """Return the package of the Wikibooks recipes, if it was fetched."""
    place = Path(os.environ.get("RECIPES_WHEEL") or FETCHED_WHEELS)
    return place if place.is_file() else max(place.glob("*.whl"), default=None)
