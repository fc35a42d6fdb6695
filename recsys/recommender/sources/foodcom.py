"""The Food.com formats: RAW_recipes.csv (Python lists) and recipes.csv (R vectors). Floor 3."""

import re
from itertools import zip_longest
from typing import Any

from events.catalog import Recipe
from recsys.recommender.sources import fields

RAW_COLUMNS = frozenset({"name", "id", "minutes", "steps", "ingredients"})
COLUMNS = frozenset({"recipeid", "name", "recipeingredientparts", "recipeinstructions"})
CREDIT = "Food.com"
R_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\bNA\b', re.DOTALL)
R_NOTHING = frozenset({"", "NA", "character(0)", "NULL"})
TAGS_MAX = 30


def raw_recipe(row: dict[str, Any]) -> Recipe:
    """Return the recipe of a row of RAW_recipes.csv. Raises InvalidField."""
    name = fields.name(row.get("name"), "name")
    return Recipe(
        recipe_id=fields.slug(row.get("id") or name),
        name=name[0].upper() + name[1:],
        language="en",
        ingredients=fields.items(row.get("ingredients"), "ingredients"),
        steps=fields.steps(row.get("steps"), "steps"),
        description=fields.text(row.get("description"), "description"),
        minutes=fields.minutes(row.get("minutes")),
        tags=fields.items(row.get("tags"), "tags", required=False)[:TAGS_MAX],
        credit=CREDIT,
    )


def recipe(row: dict[str, Any]) -> Recipe:
    """Return the recipe of a row of recipes.csv. Raises InvalidField."""
    name = fields.name(row.get("name"), "Name")
    quantities = r_vector(row.get("recipeingredientquantities", ""))
    parts = r_vector(row.get("recipeingredientparts", ""))
    if len(quantities) > len(parts):  # the source lost some foods, so the rest cannot be paired
        quantities = []
    lines = [" ".join(filter(None, pair)) for pair in zip_longest(quantities, parts, fillvalue="")]
    return Recipe(
        recipe_id=fields.slug(row.get("recipeid") or name),
        name=name,
        language="en",
        ingredients=fields.items(lines, "RecipeIngredientParts"),
        steps=fields.steps(r_vector(row.get("recipeinstructions", "")), "RecipeInstructions"),
        description=fields.text(known(row.get("description", "")), "Description"),
        minutes=fields.minutes(row.get("totaltime")),
        servings=fields.servings(row.get("recipeservings")),
        course=fields.text(known(row.get("recipecategory", "")), "RecipeCategory").lower(),
        tags=fields.items(r_vector(row.get("keywords", "")), "Keywords", required=False)[:TAGS_MAX],
        credit=CREDIT,
    )


def known(value: str) -> str:
    return "" if value.strip() in R_NOTHING else value


def r_vector(value: str) -> list[str]:
    r"""Return the strings of an R vector as deparsed, NA as ""; a bare text is a vector of one.

    >>> r_vector('c("1", NA, "2 \\"big\\" eggs")'), r_vector("flour"), r_vector("character(0)")
    (['1', '', '2 "big" eggs'], ['flour'], [])
    """
    value = value.strip()
    if value in R_NOTHING:
        return []
    if not value.startswith(("c(", '"')):
        return [value]
    return [re.sub(r"\\(.)", r"\1", found[1] or "") for found in R_STRING.finditer(value)]
