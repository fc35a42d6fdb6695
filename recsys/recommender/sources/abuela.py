"""The RecetasDeLaAbuela format: a CSV with Nombre, Ingredientes, Pasos and perhaps more, in any order. Floor 3."""

import re
from typing import Any

from events.catalog import Recipe
from recsys.recommender.sources import fields

COLUMNS = frozenset({"nombre", "ingredientes", "pasos"})
NOTHING = frozenset({"", "nan", "none", "null"})
# In the flattened texts an item begins at its quantity: a number that follows a blank and precedes a word.
NEXT_ITEM = re.compile(r"(?<=[^\s(])\s+(?=(?:\d+(?:[.,/]\d+)?\s*[½¼¾⅓⅔]?|[½¼¾⅓⅔])\s+[^\W\d])")
# … unless the word before it says that the number goes on: "1 y ½ tazas", "entre 2 y 3", "paquete de 200 gramos".
GOES_ON = re.compile(r"(?:^|\s)(?:\d+|y|o|u|a|e|de|en|con|entre|unos|unas|aproximadamente|aprox\.?|-)$", re.IGNORECASE)
NEXT_STEP = re.compile(r"(?:^|(?<=[.!?)…])\s|(?<=\n))\s*(\d{1,2})\s*[.)-]?\s+(?=[^\W\d])")


def recipe(record: dict[str, Any]) -> Recipe:
    """Return the recipe of a row. Raises InvalidField."""
    row = {column: "" if value.strip().lower() in NOTHING else value for column, value in record.items()}
    name = fields.name(row.get("nombre"), "Nombre")
    course = fields.text(row.get("categoria"), "Categoria", length_max=fields.NAME_LENGTH_MAX)
    return Recipe(
        recipe_id=fields.slug(row.get("id") or name),
        name=name[0].upper() + name[1:],
        language="es",
        ingredients=ingredients(row.get("ingredientes", "")),
        steps=steps(row.get("pasos", "")),
        description=fields.text(row.get("descripcion") or row.get("contexto"), "Descripcion"),
        minutes=fields.minutes(row.get("duracion") or row.get("tiempo")),
        servings=fields.servings(row.get("porciones") or row.get("comensales")),
        course=course.lower(),
        cuisine=fields.text(row.get("pais"), "Pais", length_max=fields.NAME_LENGTH_MAX),
        tags=[word.lower() for word in [fields.text(row.get("dificultad"), "Dificultad")] if word],
        credit=fields.text(row.get("url"), "URL"),
    )


def ingredients(value: str) -> list[str]:
    """Return the items of a list, of lines, or of a flattened text, where each quantity begins an item.

    >>> ingredients("1 huevo 1 y ½ tazas de leche Sal 200 gramos de harina")
    ['1 huevo', '1 y ½ tazas de leche Sal', '200 gramos de harina']
    """
    if fields.listed(value) or "\n" in value.strip():
        return fields.items(value, "Ingredientes")
    found: list[str] = []
    for piece in NEXT_ITEM.split(value.strip()):
        if found and GOES_ON.search(found[-1]):
            found[-1] += " " + piece
        else:
            found.append(piece)
    return fields.items(found, "Ingredientes")


def steps(value: str) -> list[str]:
    """Return the steps of a list, of lines, or of a flattened text in which they are numbered from 1.

    >>> steps("1 Bate 2 huevos. 2 Hornea 20 minutos. 3 Sirve.")
    ['Bate 2 huevos.', 'Hornea 20 minutos.', 'Sirve.']
    """
    if fields.listed(value) or "\n" in value.strip():
        return fields.steps(value, "Pasos")
    starts = numbered_from_one(value)
    if not starts:
        return fields.steps([value], "Pasos")
    ends = [start for start, _ in starts[1:]] + [len(value)]
    return fields.items([value[text_at:end] for (_, text_at), end in zip(starts, ends, strict=True)], "Pasos")


def numbered_from_one(value: str) -> list[tuple[int, int]]:
    """Return where each step's number and text begin, following 1, 2, 3 …, so that "20 minutos" starts no step."""
    starts: list[tuple[int, int]] = []
    for found in NEXT_STEP.finditer(value):
        if int(found[1]) == len(starts) + 1:
            starts.append((found.start(), found.end()))
    return starts
