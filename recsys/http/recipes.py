"""GET /recipes/{recipe_id}, and recipes as all answers show them, in the language asked for. Floor 3."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import aiosqlite
import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from events.catalog import Recipe, RecipeTranslated
from projections.catalogue import get_recipe
from projections.feedback import ratings_of
from projections.translations import translations_of
from recsys.errors import RecipeNotFound
from recsys.http.routing import Answer, Call, Route
from recsys.recommender.translation import Idioma, text_hash, translated_lines
from recsys.services import Services


class RecipeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe. calificación_promedio: 0 to 5, null while nobody has rated it.

    idioma: the language that it stands in, which is its own unless idioma_original names another: then it is a
    translation, by the model traducido_por. Where `idioma` asked for another language and there is no translation,
    the recipe stands in its own, and ingredientes_traducidos has its ingredient lines in the one asked for, each in
    the place of its original; a line that could not be put into it for certain stands there as it is.
    """

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
    idioma_original: str | UnsetType = UNSET
    traducido_por: str | UnsetType = UNSET
    ingredientes_traducidos: list[str] | UnsetType = UNSET


class RatedRecipe(NamedTuple):
    """A recipe and its average rating, None while unrated."""

    recipe: Recipe
    rating: float | None


class Shown(NamedTuple):
    """Recipes as they are shown. translation_ms: 0 if nothing was translated for them now.

    is_complete: whether all stand in the language asked for, as far as a translator is there to see to it.
    """

    recipes: list[RecipeAnswer]
    translation_ms: float = 0.0
    is_complete: bool = True


async def shown_in(services: Services, rated: Sequence[RatedRecipe], idioma: Idioma) -> Shown:
    """Return the recipes in the language `idioma`, translated now where no translation is kept and there is time."""
    foreign = [recipe for recipe, _ in rated if idioma not in ("original", recipe.language)]
    if not foreign:
        return Shown([recipe_answer(recipe, rating) for recipe, rating in rated])
    translations, translation_ms = await translations_for(services, foreign, idioma), 0.0
    missing = [recipe for recipe in foreign if text_hash(recipe) not in translations]
    if missing and services.translations:
        new, translation_ms = await services.translations.translated(missing, idioma)
        translations |= new
    # The grammar takes some milliseconds for many lines, and the loop is for others.
    recipes = await asyncio.to_thread(
        lambda: [answer_in(recipe, rating, translations.get(text_hash(recipe)), idioma) for recipe, rating in rated]
    )
    is_complete = services.translations is None or all(answer.idioma == idioma for answer in recipes)
    return Shown(recipes, translation_ms, is_complete)


async def translations_for(services: Services, recipes: Sequence[Recipe], target: str) -> dict[str, RecipeTranslated]:
    """Return the kept translations by the hash of the text."""
    async with services.views.reader() as db:
        return await translations_of(db, [text_hash(recipe) for recipe in recipes], target)


def answer_in(
    recipe: Recipe, rating: float | None, translation: RecipeTranslated | None, idioma: Idioma
) -> RecipeAnswer:
    """Return the recipe as translated, or as it is, with its ingredient lines in the language as far as they can be."""
    answer = recipe_answer(recipe, rating)
    if idioma in ("original", recipe.language):
        return answer
    if translation is None:
        return msgspec.structs.replace(answer, ingredientes_traducidos=translated_lines(recipe, idioma))
    return msgspec.structs.replace(
        answer,
        nombre=translation.name,
        descripcion=translation.description,
        ingredientes=translation.ingredients,
        instrucciones=translation.steps,
        idioma=translation.target_language,
        idioma_original=recipe.language,
        traducido_por=translation.translator,
    )


def recipe_answer(recipe: Recipe, rating: float | None) -> RecipeAnswer:
    """Return the recipe in its own language."""
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


async def recipes_by_id(db: aiosqlite.Connection, recipe_ids: Sequence[str]) -> list[RatedRecipe]:
    """Return the recipes of these ids that the catalogue holds, in that order."""
    ratings = await ratings_of(db, recipe_ids)
    found = [await get_recipe(db, recipe_id) for recipe_id in recipe_ids]
    return [
        RatedRecipe(recipe, of.average if (of := ratings.get(recipe.recipe_id)) else None)
        for recipe in found
        if recipe is not None
    ]


class RecipeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """idioma: the language to show the recipe in; original leaves it in its own."""

    idioma: Idioma = "original"


async def show_recipe(services: Services, call: Call) -> Answer:
    recipe_id = call.path["recipe_id"]
    async with services.views.reader() as db:
        recipes = await recipes_by_id(db, [recipe_id])
    if not recipes:
        raise RecipeNotFound(recipe_id)
    shown = await shown_in(services, recipes, call.query.idioma)
    return Answer(body=shown.recipes[0])


class SimilarQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many recipes at most. idioma: the language to show them in; original leaves each in its own."""

    n: Annotated[int, Meta(ge=1, le=20)] = 3
    idioma: Idioma = "original"


class SimilarAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The recipes most like one, best first. parecido: how like, from 0 to 1, in the same order."""

    recetas: list[RecipeAnswer]
    parecido: list[float]


async def similar_recipes(services: Services, call: Call) -> Answer:
    found = await services.recommender.similar(call.path["recipe_id"], call.query.n)
    shown = await shown_in(services, list(map(RatedRecipe, found.recipes, found.ratings)), call.query.idioma)
    return Answer(body=SimilarAnswer(recetas=shown.recipes, parecido=[round(score, 4) for score in found.scores]))


ROUTES = [
    Route(
        method="GET",
        path="/recipes/{recipe_id}",
        handler=show_recipe,
        summary="One recipe",
        query=RecipeQuery,
        answer=RecipeAnswer,
        views=("catalogue", "feedback", "translations"),
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
