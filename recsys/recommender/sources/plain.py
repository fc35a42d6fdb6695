"""Our own format: JSON objects with a recipe's fields under their English names. Floor 3."""

from typing import Any

from events.catalog import Recipe
from recsys.recommender.errors import InvalidField
from recsys.recommender.sources import fields
from recsys.recommender.text import guess_language

LANGUAGES = ("es", "en")


def recipe(record: dict[str, Any]) -> Recipe:
    """Return the recipe of a record; `id` and `language` may be missing. Raises InvalidField."""
    name = fields.name(record.get("name", record.get("title")), "name")
    ingredients = fields.items(record.get("ingredients"), "ingredients")
    steps = fields.steps(record.get("steps"), "steps")
    key = fields.text(record.get("id", record.get("slug")), "id")
    return Recipe(
        recipe_id=fields.slug(key or name),
        name=name,
        language=language(record.get("language"), name, *ingredients, *steps),
        ingredients=ingredients,
        steps=steps,
        description=fields.text(record.get("description"), "description"),
        minutes=bounded(record.get("minutes"), "minutes", highest=fields.MINUTES_MAX),
        servings=bounded(record.get("servings"), "servings", highest=fields.SERVINGS_MAX),
        course=fields.text(record.get("course"), "course", length_max=fields.NAME_LENGTH_MAX),
        cuisine=fields.text(record.get("cuisine"), "cuisine", length_max=fields.NAME_LENGTH_MAX),
        tags=fields.items(record.get("tags"), "tags", required=False),
        credit=fields.text(record.get("credit"), "credit"),
    )


def language(value: Any, *texts: str) -> str:
    """Return the language that is named, else the one that the texts are in."""
    if value is None:
        return guess_language(" ".join(texts))
    if value not in LANGUAGES:
        raise InvalidField("language", f"{value!r} is none of {', '.join(LANGUAGES)}")
    return str(value)


def bounded(value: Any, field: str, *, highest: int) -> int | None:
    """Return a whole number of our own format, where anything else is a mistake."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
        raise InvalidField(field, f"expected a whole number from 1 to {highest}, found {str(value)[:40]!r}")
    return value
