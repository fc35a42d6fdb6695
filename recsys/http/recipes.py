"""GET /recipes/{recipe_id}, and recipes as all answers show them. Floor 3."""

from collections.abc import Sequence
from typing import Annotated

import aiosqlite
import msgspec
from msgspec import Meta, field

from events.catalog import Recipe
from projections.catalogue import get_recipe
from projections.feedback import ratings_of
from recsys.errors import RecipeNotFound
from recsys.http.routing import Answer, Call, Route
from recsys.services import Services


class RecipeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe, in its own language. calificación_promedio: 0 to 5, null while nobody has rated it."""

    id: str
    nombre: str
    descripcion: str = field(name="descripción")
    ingredientes: list[str]
    instrucciones: list[str]
    calificacion_promedio: float | None = field(name="calificación_promedio")
    idioma: Annotated[str, Meta(description="es or en", examples=["es"])]
    minutos: int | None
    porciones: int | None
    etiquetas: list[str]
    fuente: str


def recipe_answer(recipe: Recipe, rating: float | None) -> RecipeAnswer:
    return RecipeAnswer(
        id=recipe.recipe_id,
        nombre=recipe.name,
        descripcion=recipe.description,
        ingredientes=recipe.ingredients,
        instrucciones=recipe.steps,
        calificacion_promedio=None if rating is None else round(rating, 2),
        idioma=recipe.language,
        minutos=recipe.minutes,
        porciones=recipe.servings,
        etiquetas=recipe.tags,
        fuente=recipe.credit,
    )


async def recipes_by_id(db: aiosqlite.Connection, recipe_ids: Sequence[str]) -> list[RecipeAnswer]:
    """Return the recipes of these ids that the catalogue holds, in that order."""
    ratings = await ratings_of(db, recipe_ids)
    found = [await get_recipe(db, recipe_id) for recipe_id in recipe_ids]
    return [
        recipe_answer(recipe, of.average if (of := ratings.get(recipe.recipe_id)) else None)
        for recipe in found
        if recipe is not None
    ]


async def show_recipe(services: Services, call: Call) -> Answer:
    recipe_id = call.path["recipe_id"]
    async with services.views.reader() as db:
        recipes = await recipes_by_id(db, [recipe_id])
    if not recipes:
        raise RecipeNotFound(recipe_id)
    return Answer(body=recipes[0])


class SimilarQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many recipes at most."""

    n: Annotated[int, Meta(ge=1, le=20)] = 3


class SimilarAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The recipes most like one, best first. parecido: how like, from 0 to 1, in the same order."""

    recetas: list[RecipeAnswer]
    parecido: list[float]


async def similar_recipes(services: Services, call: Call) -> Answer:
    found = await services.recommender.similar(call.path["recipe_id"], call.query.n)
    recipes = [recipe_answer(recipe, rating) for recipe, rating in zip(found.recipes, found.ratings, strict=True)]
    return Answer(body=SimilarAnswer(recetas=recipes, parecido=[round(score, 4) for score in found.scores]))


ROUTES = [
    Route(
        method="GET",
        path="/recipes/{recipe_id}",
        handler=show_recipe,
        summary="One recipe",
        answer=RecipeAnswer,
        views=("catalogue", "feedback"),
    ),
    Route(
        method="GET",
        path="/recipes/{recipe_id}/similar",
        handler=similar_recipes,
        summary="The recipes most like one",
        query=SimilarQuery,
        answer=SimilarAnswer,
    ),
]
