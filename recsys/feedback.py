"""What users may say of recipes: commands in, events out. Floor 3; may import events, imports no projection."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from events.catalog import Event, FeedbackGiven
from events.event import NewEvent, StreamAppend
from recsys.errors import InvalidInput
from recsys.identifiers import Identifier

SHOWN_IDS_MAX: Final = 20
SIGNALS: Final = ("rating", "relevance", "click", "cook", "save", "hide")

RequestId = Annotated[str, Meta(max_length=128, description="As the answer of POST /recommend gave it.")]
Query = Annotated[str, Meta(max_length=500, examples=["recetas con pollo"])]
User = Annotated[str, Meta(max_length=128, description="Whoever asks, under any name; empty for nobody known.")]
Rating = Annotated[float, Meta(ge=0, le=5)]


class Opinion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a user thinks of a recipe, or did with it; false takes one of the last four back."""

    recipe_id: Identifier
    query: Query = ""
    user: User = ""
    rating: Rating | None = None
    relevance: Literal[0, 1] | None = None
    click: bool | None = None
    cook: bool | None = None
    save: bool | None = None
    hide: bool | None = None


class GiveFeedback(Opinion, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a user thinks of a recipe, or did with it: in an answer (request_id), or for a request in words (query).

    At least one of rating, relevance, click, cook, save, hide; false takes one of the last four back. The user's later
    opinion replaces the earlier one on the same query and recipe; without a user, one request_id is one voice.
    """

    request_id: RequestId = ""


def decide(
    items: Sequence[GiveFeedback], answers: Mapping[str, Sequence[str]], catalogue: Collection[str]
) -> list[FeedbackGiven]:
    """Return one event an item. answers: request id → recipe ids; catalogue: the ids of the recipes that there are.

    Raises InvalidInput for the first item that refers to what is not there; of several, it names the index.
    """
    return [
        decide_one(item, answers, catalogue, place=f"[{index}]." if len(items) > 1 else "")
        for index, item in enumerate(items)
    ]


def decide_one(
    item: GiveFeedback, answers: Mapping[str, Sequence[str]], catalogue: Collection[str], *, place: str
) -> FeedbackGiven:
    query = item.query.strip()
    check_reference(item, query, place)
    if item.request_id:
        check_answered(item, answers, place)
    elif item.recipe_id not in catalogue:
        raise InvalidInput(
            f"{place}recipe_id: no recipe {item.recipe_id} in the catalogue",
            field=f"{place}recipe_id",
            found=item.recipe_id,
            fix="give the id of a recipe, as the answers of POST /recommend do",
        )
    return FeedbackGiven(
        recipe_id=item.recipe_id,
        request_id=item.request_id,
        query=query,
        user=item.user.strip(),
        **said_in(item, place),
    )


def check_reference(item: GiveFeedback, query: str, place: str) -> None:
    """Raise InvalidInput unless the item says what it is about, in one way."""
    if bool(item.request_id) == bool(query):
        given = "request_id and query are both given" if query else "neither request_id nor query is given"
        raise InvalidInput(
            f"{place}request_id: {given}",
            field=f"{place}request_id",
            found=item.request_id or "nothing",
            fix="give either the request_id of the answer that showed the recipe, or the query",
        )


def said_in(item: Opinion, place: str = "") -> dict[str, Any]:
    """Return what the item says of the recipe, by signal; None where it is silent. Raises InvalidInput if it all is."""
    said = {signal: getattr(item, signal) for signal in SIGNALS}
    if all(value is None for value in said.values()):
        raise InvalidInput(
            f"{place}rating: nothing is said of the recipe",
            field=f"{place}rating",
            found="nothing",
            fix=f"give at least one of {', '.join(SIGNALS)}",
        )
    return said


def check_answered(item: GiveFeedback, answers: Mapping[str, Sequence[str]], place: str) -> None:
    """Raise InvalidInput unless the request was answered, with this recipe among others."""
    shown = answers.get(item.request_id)
    if shown is None:
        raise InvalidInput(
            f"{place}request_id: no answer was given to a request {item.request_id}",
            field=f"{place}request_id",
            found=item.request_id,
            fix="give the request_id of an answer of POST /recommend, or the query",
        )
    if item.recipe_id not in shown:
        raise InvalidInput(
            f"{place}recipe_id: the answer to {item.request_id} did not show {item.recipe_id}",
            field=f"{place}recipe_id",
            found=item.recipe_id,
            fix=f"give one that it showed: {', '.join(shown[:SHOWN_IDS_MAX])}" if shown else "it showed none",
        )


def appends_of(feedback: Iterable[FeedbackGiven]) -> list[StreamAppend]:
    """Return one append a recipe, its feedback in the given order."""
    events: defaultdict[str, list[Event | NewEvent]] = defaultdict(list)
    for given in feedback:
        events[given.recipe_id].append(given)
    return [StreamAppend(f"feedback-{recipe_id}", of_recipe) for recipe_id, of_recipe in events.items()]
