"""schema.org/Recipe as JSON-LD, alone or inside a page. Floor 3."""

from collections.abc import Iterator
from typing import Any

from events.catalog import Recipe
from recsys.recommender.sources import fields
from recsys.recommender.text import guess_language

DEPTH_MAX = 20
SECTIONS = ("itemListElement", "step", "steps")


def recipe_nodes(document: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the nodes of type Recipe in a JSON-LD document, in its order, to twenty levels down."""
    if depth > DEPTH_MAX:
        return
    if isinstance(document, list):
        for item in document:
            yield from recipe_nodes(item, depth + 1)
    elif is_recipe(document):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from recipe_nodes(value, depth + 1)


def is_recipe(node: Any) -> bool:
    return isinstance(node, dict) and any(type_name(kind) == "Recipe" for kind in as_list(node.get("@type")))


def type_name(kind: Any) -> str:
    """Return the last part of a type such as https://schema.org/Recipe or schema:Recipe."""
    return str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def recipe(node: dict[str, Any]) -> Recipe:
    """Return the recipe of a node. Raises InvalidField."""
    name = fields.name(first_text(node.get("name")), "name")
    ingredients = fields.items(node.get("recipeIngredient", node.get("ingredients")), "recipeIngredient")
    steps = fields.steps(list(instruction_texts(node.get("recipeInstructions"))), "recipeInstructions")
    return Recipe(
        recipe_id=fields.slug(first_text(node.get("identifier")) or name),
        name=name,
        language=language(node.get("inLanguage"), name, *ingredients, *steps),
        ingredients=ingredients,
        steps=steps,
        description=fields.text(first_text(node.get("description")), "description"),
        minutes=minutes(node),
        servings=fields.servings(node.get("recipeYield")),
        course=label(node, "recipeCategory").lower(),
        cuisine=label(node, "recipeCuisine"),
        tags=[tag.lower() for tag in keywords(node.get("keywords"))],
        credit=credit(node),
    )


def label(node: dict[str, Any], field: str) -> str:
    return fields.text(first_text(node.get(field)), field, length_max=fields.NAME_LENGTH_MAX)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def first_text(value: Any) -> str:
    """Return the text of a value, of the first of a list, or of a node (its @value, name or url)."""
    value = next(iter(as_list(value)), None)
    if isinstance(value, dict):
        value = next((value[key] for key in ("@value", "value", "name", "url") if key in value), None)
    return str(value) if isinstance(value, str | int | float) else ""


def instruction_texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the steps of a text, of HowToSteps and of HowToSections, in order."""
    if isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, list) and depth <= DEPTH_MAX:
        for item in value:
            yield from instruction_texts(item, depth + 1)
    elif isinstance(value, dict) and depth <= DEPTH_MAX:
        nested = next((value[key] for key in SECTIONS if key in value), None)
        own = first_text(value.get("text", value))
        yield from [own] if nested is None else instruction_texts(nested, depth + 1)


def language(value: Any, *texts: str) -> str:
    declared = first_text(value).lower()[:2]
    return declared if declared in ("es", "en") else guess_language(" ".join(texts))


def minutes(node: dict[str, Any]) -> int | None:
    """Return the total time, else the sum of preparing and cooking."""
    total = fields.minutes(first_text(node.get("totalTime")))
    parts = [fields.minutes(first_text(node.get(field))) or 0 for field in ("prepTime", "cookTime")]
    return total or sum(parts) or None


def keywords(value: Any) -> list[str]:
    texts = [part for item in as_list(value) for part in first_text(item).split(",")]
    return fields.items(texts, "keywords", required=False)


def credit(node: dict[str, Any]) -> str:
    parts = (fields.text(first_text(node.get(field)), field) for field in ("author", "publisher", "url", "license"))
    return ", ".join(dict.fromkeys(filter(None, parts)))
