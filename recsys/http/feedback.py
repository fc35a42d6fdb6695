"""POST /feedback: what users think of recipes, or did with them, one or thousands at a time. Floor 3."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from events.event import Appended
from projections.catalogue import known_recipe_ids
from projections.samples import answered_with
from recsys.feedback import GiveFeedback, appends_of, decide
from recsys.http.batches import NDJSON, BatchDecoder
from recsys.http.endpoint import POSITION_SECONDS_MAX
from recsys.http.routing import JSON, Answer, Call, Route
from recsys.services import Services

ITEMS: Final = BatchDecoder(GiveFeedback, noun="items of feedback")


class FeedbackRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """How many items are on disk."""

    recorded: int


class Known(NamedTuple):
    """What feedback may refer to. answers: request id → the recipes that it was answered with."""

    answers: dict[str, list[str]]
    recipes: set[str]


async def give_feedback(services: Services, call: Call) -> Answer:
    """Record each item as one event, all of them in one atomic append, or none."""
    items: list[GiveFeedback] = call.body
    if call.key and (first := await services.store.find_key(call.key, fingerprint=call.fingerprint)):
        return recorded(items, first)
    known = await known_of(services, items)
    feedback = await asyncio.to_thread(decide, items, known.answers, known.recipes)  # 35 ms for 10,000
    appended = await services.store.append_all(
        appends_of(feedback), metadata=call.metadata, key=call.key, fingerprint=call.fingerprint
    )
    return recorded(items, appended)


def recorded(items: Sequence[GiveFeedback], appended: Appended) -> Answer:
    return Answer(
        body=FeedbackRecorded(recorded=len(items)),
        status=201,
        position=appended.position,
        is_repeat=appended.is_repeat,
    )


async def known_of(services: Services, items: Sequence[GiveFeedback]) -> Known:
    """Return what there is of that to which the items refer, however new it is. Raises ProjectionLag."""
    request_ids = {item.request_id for item in items if item.request_id}
    recipe_ids = {item.recipe_id for item in items if not item.request_id}
    known = await look_up(services, request_ids, recipe_ids)
    if known.answers.keys() == request_ids and known.recipes == recipe_ids:
        return known
    await services.runner.wait_until(await services.store.head(), timeout=POSITION_SECONDS_MAX)
    return await look_up(services, request_ids, recipe_ids)


async def look_up(services: Services, request_ids: set[str], recipe_ids: set[str]) -> Known:
    async with services.views.reader() as db:
        return Known(await answered_with(db, request_ids), await known_recipe_ids(db, recipe_ids))


ROUTES = [
    Route(
        method="POST",
        path="/feedback",
        handler=give_feedback,
        summary="Say what was thought of recipes, or done with them: one item, an array, or lines of JSON",
        body=ITEMS.body_type,
        decoder=ITEMS.decode,
        media_types=(JSON, NDJSON),
        answer=FeedbackRecorded,
        statuses=(201,),
    )
]
