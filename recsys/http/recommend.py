"""POST /recommend: recipes for a request in words. Floor 3."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import replace

from events.catalog import RecommendationFailed, RecommendationServed
from events.event import Appended
from recsys.errors import InvalidInput
from recsys.http.problems import kind_of
from recsys.http.recipes import RatedRecipe, RecipeAnswer, Shown, recipes_by_id, shown_in
from recsys.http.routing import Answer, Call, Route
from recsys.recommender.options import Options
from recsys.recommender.translation import Idioma
from recsys.recommender.understanding import Understanding
from recsys.recorded import recorded_events
from recsys.services import Recommendation, Services

Term = Annotated[str, Meta(min_length=1, max_length=100)]
Terms = Annotated[tuple[Term, ...], Meta(max_length=50)]


class RecommendRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to cook: in words, of the foods at hand, or both. n: how many recipes at most.

    query: in Spanish or English; what it excludes ("sin huevo") no answer contains. The foods, diets and tags of the
    filters are in either language. max_minutes: only recipes that state their time. ingredients: what is at hand; the
    answer says what is missing. explain: the answer says how the request was understood. language: only recipes written
    in it. idioma: the language to show recipes in: those written in it come first, others are translated where they can
    be; original leaves each in its own.
    """

    query: Annotated[str, Meta(max_length=500, examples=["recetas con pollo"])] = ""
    n: Annotated[int, Meta(ge=1, le=20)] = 3
    ingredients: Terms = ()
    exclude: Terms = ()
    diet: Term | Terms = ()
    max_minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None
    max_ingredients: Annotated[int, Meta(ge=1, le=200)] | None = None
    language: Literal["es", "en"] | None = None
    tags: Terms = ()
    idioma: Idioma = "original"
    explain: bool = False

    def options(self) -> Options:
        return Options(
            exclude=self.exclude,
            diets=(self.diet,) if isinstance(self.diet, str) else self.diet,
            max_minutes=self.max_minutes,
            max_ingredients=self.max_ingredients,
            language=self.language or "",
            preferred_language="" if self.idioma == "original" else self.idioma,
            tags=self.tags,
            ingredients=self.ingredients,
        )


class ModelUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The model version that ranked the recipes."""

    model_id: str
    version: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """How the request was understood, and for each recipe the features that it was ranked by, with its score."""

    understanding: Understanding
    features: list[dict[str, float]]
    scores: list[float]


class RecommendAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The recipes, best first. idioma: of the request; each recipe says its own.

    degradado: what the service had to do without; empty when all was there.

    faltan: for each recipe the ingredients that are not at hand, if `ingredients` was given. explicacion: if `explain`
    was. A repeat under the same key brings neither: they are not recorded.
    """

    recetas: list[RecipeAnswer]
    request_id: str
    modelo: ModelUsed
    idioma: str
    degradado: list[str]
    faltan: list[list[str]] | UnsetType = UNSET
    explicacion: Explanation | UnsetType = field(name="explicación", default=UNSET)


async def recommend(services: Services, call: Call) -> Answer:
    """Answer when the RecommendationServed event is on disk; a repeated key gets the recorded answer's recipes."""
    request: RecommendRequest = call.body
    query = request.query.strip()
    if not (query or request.ingredients):
        raise InvalidInput(
            "query is blank",
            field="query",
            found=repr(request.query),
            fix='say what to cook, such as "recetas con pollo", or name the `ingredients` at hand',
        )
    if call.key and (first := await services.store.find_key(call.key, fingerprint=call.fingerprint)):
        return await replayed(services, first, request)
    try:
        recommendation = await services.recommender.recommend(query, request.n, options=request.options())
        rated = list(map(RatedRecipe, recommendation.recipes, recommendation.ratings))
        shown = await shown_in(services, rated, request.idioma)
    except InvalidInput:
        raise  # the client's mistake says nothing about the service
    except Exception as error:
        await record_failure(services, call, query, error)
        raise
    served = served_event(recommendation, shown, call, query or ", ".join(request.ingredients))
    appended = await services.store.append(
        stream_of(call), [served], metadata=call.metadata, key=call.key, fingerprint=call.fingerprint
    )
    if appended.is_repeat:
        return await replayed(services, appended, request)
    answer = recommend_answer(served, shown.recipes)
    return Answer(body=with_details(answer, recommendation, request), position=appended.position)


def with_details(answer: RecommendAnswer, recommendation: Recommendation, request: RecommendRequest) -> RecommendAnswer:
    """Return the answer with what is missing and the explanation, where they were asked for."""
    if request.ingredients:
        answer = replace(answer, faltan=list(recommendation.missing))
    if request.explain and recommendation.understanding:
        explanation = Explanation(
            understanding=recommendation.understanding,
            features=list(recommendation.features),
            scores=[round(float(score), 6) for score in recommendation.scores],
        )
        answer = replace(answer, explicacion=explanation)
    return answer


def served_event(recommendation: Recommendation, shown: Shown, call: Call, query: str) -> RecommendationServed:
    translation = {"translation": shown.translation_ms} if shown.translation_ms else {}
    return RecommendationServed(
        request_id=call.request_id,
        query=query,
        model_id=recommendation.model_id,
        model_version=recommendation.model_version,
        recipe_ids=[recipe.recipe_id for recipe in recommendation.recipes],
        scores=[round(float(score), 6) for score in recommendation.scores],
        latency_ms=rounded({**recommendation.latency_ms, **translation, "total": call.elapsed_ms()}),
        language=recommendation.language,
        degraded=[*recommendation.degraded, *([] if shown.is_complete else ["translation_incomplete"])],
    )


async def record_failure(services: Services, call: Call, query: str, error: Exception) -> None:
    """Record that there was no answer, without the key, so that a retry may have one."""
    failed = RecommendationFailed(
        request_id=call.request_id,
        query=query,
        error=kind_of(error).code,
        latency_ms=rounded({"total": call.elapsed_ms()}),
    )
    await services.store.append(stream_of(call), [failed], metadata=call.metadata)


def rounded(latency_ms: dict[str, float]) -> dict[str, float]:
    return {stage: round(milliseconds, 3) for stage, milliseconds in latency_ms.items()}


def stream_of(call: Call) -> str:
    return f"recommendation-{call.request_id}"


async def replayed(services: Services, first: Appended, request: RecommendRequest) -> Answer:
    """Return the answer that was recorded under the request's key."""
    (event,) = await recorded_events(services.store, first)
    served = event.data
    assert isinstance(served, RecommendationServed)
    async with services.views.reader() as db:
        recipes = await recipes_by_id(db, served.recipe_ids)
    shown = await shown_in(services, recipes, request.idioma)
    return Answer(body=recommend_answer(served, shown.recipes), position=first.position, is_repeat=True)


def recommend_answer(served: RecommendationServed, recipes: list[RecipeAnswer]) -> RecommendAnswer:
    return RecommendAnswer(
        recetas=recipes,
        request_id=served.request_id,
        modelo=ModelUsed(model_id=served.model_id, version=served.model_version),
        idioma=served.language,
        degradado=served.degraded,
    )


ROUTES = [
    Route(
        method="POST",
        path="/recommend",
        handler=recommend,
        summary="Recommend recipes for a request in words",
        body=RecommendRequest,
        answer=RecommendAnswer,
    )
]
