"""Requests made by rule: misspelt ones, and ones that exclude an ingredient. Floor 3; pure, seeded."""

import re
from collections.abc import Iterator
from itertools import cycle
from random import Random
from string import ascii_lowercase

from msgspec.structs import replace

from recsys.evaluation.judged import JudgedRequest

SHORTEST_MISSPELT = 4
SHORTEST_MISSPELT_TWICE = 8
WORD = re.compile(r"[^\W\d_]+")

# Concept of concepts.json → what people call it, in Spanish and in English.
EXCLUDED = {
    "egg": ("huevo", "eggs"),
    "milk": ("lácteos", "dairy"),
    "nut": ("frutos secos", "nuts"),
    "onion": ("cebolla", "onions"),
    "garlic": ("ajo", "garlic"),
    "gluten": ("gluten", "gluten"),
    "meat": ("carne", "meat"),
    "fish": ("pescado ni marisco", "fish or seafood"),
    "alcohol": ("alcohol", "alcohol"),
    "tomato": ("tomate", "tomatoes"),
    "cheese": ("queso", "cheese"),
    "pork": ("cerdo", "pork"),
    "shellfish": ("marisco", "shellfish"),
    "pepper": ("pimientos", "bell peppers"),
    "mushroom": ("setas ni champiñones", "mushrooms"),
    "chocolate": ("chocolate", "chocolate"),
    "coriander": ("cilantro", "cilantro"),
    "coconut": ("coco", "coconut"),
    "cinnamon": ("canela", "cinnamon"),
    "honey": ("miel", "honey"),
    "potato": ("patatas", "potatoes"),
    "rice": ("arroz", "rice"),
    "lemon": ("limón", "lemon"),
}
WORDINGS = {
    "es": (
        "{dish} sin {food}",
        "{dish} que no lleve {food}",
        "quiero {dish} pero sin {food}",
        "{dish} sin nada de {food}",
        "{dish} que no tenga {food}",
        "busco {dish} sin {food} para mi hijo",
        "no puedo comer {food}, ¿qué {dish} hago?",
    ),
    "en": (
        "{dish} without {food}",
        "{dish} no {food}",
        "{dish} with no {food}",
        "{food} free {dish}",
        "{dish} that does not contain {food}",
        "I can't eat {food}, which {dish} can I make",
        "{dish} but without any {food}",
    ),
}
DISHES = {
    "es": ("sopa", "ensalada", "pasta", "postre", "pollo", "tarta", "guiso", "galletas", "cena", "salsa", "desayuno"),
    "en": ("soup", "salad", "pasta", "dessert", "chicken", "cake", "stew", "cookies", "dinner", "sauce", "breakfast"),
}


def misspelt(text: str, *, edits: int, random: Random) -> str:
    """Return the text with each word of at least 4 letters edited once, or if `edits` is 2 the long ones twice.

    The first letter stays, as people rarely err there (Yannakoudakis & Fawthrop 1983).
    """

    def edited_often(match: re.Match[str]) -> str:
        word = match[0]
        times = 0 if len(word) < SHORTEST_MISSPELT else edits if len(word) >= SHORTEST_MISSPELT_TWICE else 1
        for _ in range(times):
            word = edited(word, random)
        return word

    return WORD.sub(edited_often, text)


def edited(word: str, random: Random) -> str:
    """Return the word with one letter left out, doubled, swapped with the next or replaced by another."""
    at = random.randrange(1, len(word))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    match random.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + 2 * letter + after
        case 2 if after and after[0] != letter:
            return before + after[0] + letter + after[1:]
        case _:
            others = [other for other in ascii_lowercase if other != letter]
            return before + random.choice(others) + after


def misspelt_requests(requests: list[JudgedRequest], *, edits: int, seed: int) -> list[JudgedRequest]:
    """Return the requests with their words misspelt; what answers them stays."""
    random = Random(seed)  # noqa: S311  # a figure must be repeatable, not secret
    return [replace(request, query=misspelt(request.query, edits=edits, random=random)) for request in requests]


def exclusion_requests() -> Iterator[tuple[str, str]]:
    """Yield 322 requests, each with the concept that it excludes: every food in every wording of both languages."""
    for place, language in enumerate(("es", "en")):
        dishes = cycle(DISHES[language])
        for concept, foods in EXCLUDED.items():
            for wording in WORDINGS[language]:
                yield wording.format(dish=next(dishes), food=foods[place]), concept
