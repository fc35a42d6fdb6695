"""The Wikibooks Cookbook as one JSON object, page → recipe, freed of what is left of its markup. Floor 3."""

import re
from typing import Any

from events.catalog import Recipe
from recsys.recommender.sources import fields

CREDIT = "Wikibooks Cookbook, CC BY-SA 4.0"
REFERENCE = re.compile(r"<ref[^<>]*/>|<ref[^<>]*>.*?(?:</ref>|$)", re.DOTALL)
TEMPLATE = re.compile(r"\{\{[^{}]*(?:\}\}|$)", re.DOTALL)
TABLE = re.compile(r"^\s*(?:\{\||\|\}|\|-|!|\|).*|\|\|", re.MULTILINE)
# A picture's caption ran into the text: "thumb|The finished batterGradually add". It ends where a capital follows on.
CAPTION = re.compile(r"(?:^|(?<=[.!?)\s]))thumb(?:\|.*?(?:(?<=[a-z.)])(?=[A-Z][a-z])|$)|(?=[A-Z]))")
LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
WEB_LINK = re.compile(r"\[https?://\S+\s+([^\[\]]*)\]|https?://\S+")
QUOTES = re.compile(r"'{2,}")
BULLET = re.compile(r"(?:^|(?<=[.\s]))[*#:;]+\s*(?=\S)")
CATEGORY = re.compile(r"recipes (?:for|with|using) (?P<object>.+)|(?P<subject>.+?) recipes|(?P<bare>.+)", re.IGNORECASE)
COURSES = {
    "appetizer", "beverage", "bread", "breakfast", "cake", "confection", "cookie", "dessert", "main course", "pastry",
    "pie", "salad", "salad dressing", "sandwich", "sauce", "side dish", "snack", "soup", "stew",
}  # fmt: skip
SINGULAR = {"beverages": "beverage", "desserts": "dessert", "pastries": "pastry", "salads": "salad", "soups": "soup"}


def is_page(key: str) -> bool:
    """Whether the page is a recipe, not one about the book."""
    return not key.removeprefix("Cookbook:").startswith("Policy/")


def recipe(page: dict[str, Any]) -> Recipe:
    """Return the recipe of a page. Raises InvalidField."""
    name = fields.name(page.get("title"), "title")
    topic, tags = category(fields.text(page.get("category"), "category"))
    return Recipe(
        recipe_id=fields.slug(name),
        name=name,
        language="en",
        ingredients=fields.items(cleaned(page.get("ingredients")), "ingredients"),
        steps=fields.items(cleaned(page.get("steps")), "steps"),
        minutes=fields.minutes(page.get("time")),
        servings=fields.servings(page.get("servings")),
        course=topic,
        tags=tags,
        credit=CREDIT,
    )


def cleaned(lines: Any) -> Any:
    """Return the lines without markup; those that held nothing else are left out. Other values pass as they are."""
    if not isinstance(lines, list):
        return lines
    plain = (without_wiki(line) if isinstance(line, str) else line for line in lines)
    return [line for line in plain if not isinstance(line, str) or has_words(line)]


def without_wiki(line: str) -> str:
    """Return the line without references, templates, links, bullets, captions and quotes of the wiki's markup.

    >>> without_wiki("thumb|Frying the batterPour it in.<ref name='x' /> See [[Cookbook:Pan|the ''pan'']].")
    'Pour it in. See the pan.'
    """
    for pattern, replacement in (
        (REFERENCE, ""), (TEMPLATE, ""), (TABLE, ""), (CAPTION, ""), (LINK, r"\1"), (WEB_LINK, r"\1"), (QUOTES, ""),
        (BULLET, ""),
    ):  # fmt: skip
        line = pattern.sub(replacement, line)
    return line.strip()


def has_words(line: str) -> bool:
    return any(character.isalpha() for character in line) and not line.startswith("Category:")


def category(title: str) -> tuple[str, list[str]]:
    """Return the course and the tags of a category.

    >>> category("Recipes for dessert"), category("Indian recipes"), category("Beverages")
    (('dessert', ['dessert']), ('', ['indian']), ('beverage', ['beverage']))
    """
    found = CATEGORY.fullmatch(title)
    if not found:
        return "", []
    topic = (found["object"] or found["subject"] or found["bare"]).lower()
    topic = SINGULAR.get(topic, topic)
    return (topic if topic in COURSES else ""), [topic]
