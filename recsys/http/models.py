"""/models: the registry, read and written. Floor 3."""

from typing import Annotated, Any
from urllib.parse import urlencode

import aiosqlite
import msgspec
from msgspec import UNSET, Meta, UnsetType

from events.catalog import ModelStatus, ModelStatusChanged
from projections.registry import (
    ModelVersion,
    StatusChange,
    get_model,
    get_version,
    history,
    list_models,
    models_as_of,
    production_version,
)
from recsys.errors import InvalidInput, ModelNotFound, ModelVersionNotFound, NoProductionVersion
from recsys.http.routing import Answer, Call, Route
from recsys.identifiers import Identifier
from recsys.registry import ChangeStatus, Decided, RegisterModel, Text
from recsys.semver import version_order
from recsys.services import Services
from recsys.times import from_iso, iso

POSITION_DIGITS_MAX = 16


class ModelsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions: of that status, of that model, as they were at a past position or time."""

    status: ModelStatus | None = None
    model_id: Identifier | None = None
    as_of: Annotated[str, Meta(max_length=40, description="A position of the log, or ISO 8601.")] | None = None


class ModelVersionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model version. deployment_date: when it last entered production, null if it never did.

    reports: the address of its reports; not in lists.
    """

    model_key: str
    model_id: str
    version: str
    model_type: str
    status: ModelStatus
    description: str
    metrics: dict[str, float]
    parameters: dict[str, Any]
    tags: dict[str, str]
    registered_at: str
    deployment_date: str | None
    reports: str | UnsetType = UNSET


class ModelsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Model versions, by model and semantic version."""

    count: int
    models: list[ModelVersionAnswer]


class StatusChangeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A step in a version's life; old_status is null where it was registered."""

    version: str
    old_status: ModelStatus | None
    new_status: ModelStatus
    at: str
    actor: str
    reason: str
    position: int
    event_id: str


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model: its versions by semantic version, and its history in the order of the log."""

    model_id: str
    production: str | None
    count: int
    versions: list[ModelVersionAnswer]
    history: list[StatusChangeAnswer]


class RegisteredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a registration did. created: false where the same content was there. archived: what it took the place of."""

    model_key: str
    model_id: str
    version: str
    created: bool
    archived: str | None


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status to move to: training → validation → production → archived, or back from archived to production."""

    status: ModelStatus
    reason: Text = ""


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of status did. changed: false where it held already. archived: what it took the place of."""

    model_key: str
    model_id: str
    version: str
    status: ModelStatus
    changed: bool
    archived: str | None


async def register(services: Services, call: Call) -> Answer:
    command: RegisterModel = call.body
    decided = await services.registry.register(
        command, metadata=call.metadata, key=call.key, fingerprint=call.fingerprint
    )
    return Answer(
        body=RegisteredAnswer(
            model_key=f"{command.model_id}_{command.version}",
            model_id=command.model_id,
            version=command.version,
            created=bool(decided.events),
            archived=archived_by(decided, command.version),
        ),
        status=201 if decided.events else 200,
        position=decided.position,
        is_repeat=decided.is_repeat,
    )


async def change_status(services: Services, call: Call) -> Answer:
    request: StatusRequest = call.body
    command = ChangeStatus(
        model_id=call.path["model_id"], version=call.path["version"], status=request.status, reason=request.reason
    )
    decided = await services.registry.change_status(
        command, metadata=call.metadata, key=call.key, fingerprint=call.fingerprint
    )
    return Answer(
        body=StatusAnswer(
            model_key=f"{command.model_id}_{command.version}",
            model_id=command.model_id,
            version=command.version,
            status=command.status,
            changed=bool(decided.events),
            archived=archived_by(decided, command.version),
        ),
        position=decided.position,
        is_repeat=decided.is_repeat,
    )


def archived_by(decided: Decided, version: str) -> str | None:
    """Return the version that left production for `version`, if one did."""
    changes = (event for event in decided.events if isinstance(event, ModelStatusChanged))
    return next((change.model_version for change in changes if change.model_version != version), None)


async def list_all(services: Services, call: Call) -> Answer:
    query: ModelsQuery = call.query
    position = None if query.as_of is None else await position_of(services, query.as_of)
    async with services.views.reader() as db:
        versions = await versions_at(db, query, position)
    return Answer(body=ModelsAnswer(count=len(versions), models=[version_answer(of) for of in ordered(versions)]))


async def versions_at(db: aiosqlite.Connection, query: ModelsQuery, position: int | None) -> list[ModelVersion]:
    if position is None:
        return await list_models(db, status=query.status, model_id=query.model_id)
    return [
        version
        for version in await models_as_of(db, position)
        if query.status in (None, version.status) and query.model_id in (None, version.model_id)
    ]


async def position_of(services: Services, as_of: str) -> int:
    """Return the position that the text names, or the last one recorded by the time that it names."""
    if not (as_of.isascii() and as_of.isdigit()):
        return await services.store.position_at(from_iso(as_of, field="as_of"))
    if len(as_of) > POSITION_DIGITS_MAX:
        raise InvalidInput("as_of is past every log", field="as_of", found=as_of, fix="give a position of GET /events")
    return int(as_of)


async def show_model(services: Services, call: Call) -> Answer:
    model_id = call.path["model_id"]
    async with services.views.reader() as db:
        versions = await get_model(db, model_id)
        steps = await history(db, model_id)
    if not versions:
        raise ModelNotFound(model_id)
    return Answer(
        body=ModelAnswer(
            model_id=model_id,
            production=next((of.model_version for of in versions if of.status == "production"), None),
            count=len(versions),
            versions=[version_answer(of) for of in ordered(versions)],
            history=[step_answer(step) for step in steps],
        )
    )


async def show_production(services: Services, call: Call) -> Answer:
    model_id = call.path["model_id"]
    async with services.views.reader() as db:
        version = await production_version(db, model_id)
        if version is None:
            raise NoProductionVersion(model_id) if await get_model(db, model_id) else ModelNotFound(model_id)
    return Answer(body=version_answer(version))


async def show_version(services: Services, call: Call) -> Answer:
    model_id, version = call.path["model_id"], call.path["version"]
    async with services.views.reader() as db:
        found = await required_version(db, model_id, version)
    reports = f"/reports?{urlencode({'model_id': model_id, 'version': version})}"
    return Answer(body=msgspec.structs.replace(version_answer(found), reports=reports))


async def required_version(db: aiosqlite.Connection, model_id: str, version: str) -> ModelVersion:
    """Return the version. Raises ModelNotFound, ModelVersionNotFound."""
    found = await get_version(db, model_id, version)
    if found is None:
        raise ModelVersionNotFound(model_id, version) if await get_model(db, model_id) else ModelNotFound(model_id)
    return found


def ordered(versions: list[ModelVersion]) -> list[ModelVersion]:
    return sorted(versions, key=lambda of: (of.model_id, version_order(of.model_version)))


def version_answer(version: ModelVersion) -> ModelVersionAnswer:
    return ModelVersionAnswer(
        model_key=version.model_key,
        model_id=version.model_id,
        version=version.model_version,
        model_type=version.model_type,
        status=version.status,
        description=version.description,
        metrics=version.metrics,
        parameters=version.parameters,
        tags=version.tags,
        registered_at=iso(version.registered_at),
        deployment_date=None if version.deployed_at is None else iso(version.deployed_at),
    )


def step_answer(step: StatusChange) -> StatusChangeAnswer:
    return StatusChangeAnswer(
        version=step.model_version,
        old_status=step.old_status,
        new_status=step.new_status,
        at=iso(step.at),
        actor=step.actor,
        reason=step.reason,
        position=step.position,
        event_id=step.event_id,
    )


REGISTRY = ("registry",)
ROUTES = [
    Route(
        method="GET",
        path="/models",
        handler=list_all,
        summary="The model versions, now or as of a past position or time",
        query=ModelsQuery,
        answer=ModelsAnswer,
        views=REGISTRY,
    ),
    Route(
        method="POST",
        path="/models",
        handler=register,
        summary="Register a model version",
        body=RegisterModel,
        answer=RegisteredAnswer,
        statuses=(200, 201),
    ),
    Route(
        method="GET",
        path="/models/{model_id}",
        handler=show_model,
        summary="A model, its versions and their history",
        answer=ModelAnswer,
        views=REGISTRY,
    ),
    Route(
        method="GET",
        path="/models/{model_id}/production",
        handler=show_production,
        summary="The version in production",
        answer=ModelVersionAnswer,
        views=REGISTRY,
    ),
    Route(
        method="GET",
        path="/models/{model_id}/versions/{version}",
        handler=show_version,
        summary="A model version",
        answer=ModelVersionAnswer,
        views=REGISTRY,
    ),
    Route(
        method="POST",
        path="/models/{model_id}/versions/{version}/status",
        handler=change_status,
        summary="Move a model version to another status",
        body=StatusRequest,
        answer=StatusAnswer,
    ),
]
