"""The model registry's decisions: commands in, events out. Floor 3; may import events, imports no projection."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final
from weakref import WeakValueDictionary

import msgspec
from msgspec import Meta

from events.catalog import Event, ModelRegistered, ModelStatus, ModelStatusChanged
from events.errors import WrongExpectedVersion
from events.event import Appended, Metadata, RecordedEvent
from events.store import EventStore
from recsys.errors import (
    InvalidTransition,
    ModelNotFound,
    ModelVersionExists,
    ModelVersionNotFound,
    RecsysError,
)
from recsys.identifiers import Identifier
from recsys.json_bounds import check_json_bounds
from recsys.recorded import recorded_events
from recsys.semver import VERSION_CHARACTERS_MAX, next_patch, version_order
from recsys.turn import Turn

# Metrics are squared when they are compared and drawn: the bound keeps the squares finite.
MetricValue = Annotated[float, Meta(ge=-1e100, le=1e100)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
VersionText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=VERSION_CHARACTERS_MAX,
        description="A semantic version: major.minor.patch, with an optional pre-release.",
        examples=["1.0.1"],
    ),
]
Text = Annotated[str, Meta(max_length=2000)]

NEXT_STATUSES: Final[dict[ModelStatus, tuple[ModelStatus, ...]]] = {
    "training": ("validation",),
    "validation": ("production",),
    "production": ("archived",),
    "archived": ("production",),  # the rollback
}
CONFLICT_RETRIES_MAX: Final = 5  # in one's turn: as many other processes may have an append under way
MODELS_KEPT_MAX: Final = 1000


class RegisterModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Register a model version. It may enter in any status; entering production archives the version that was there."""

    model_id: Identifier
    model_type: Name
    version: VersionText
    description: Text = ""
    metrics: Annotated[dict[Name, MetricValue], Meta(max_length=200)] = {}
    parameters: Annotated[dict[Name, Any], Meta(max_length=200)] = {}
    status: ModelStatus = "training"
    tags: Annotated[dict[Name, Text], Meta(max_length=200)] = {}


class ChangeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Move a model version to another status: training → validation → production → archived, or back from archived."""

    model_id: str
    version: str
    status: ModelStatus
    reason: str = ""


@dataclass(slots=True)
class ModelVersion:
    """What a model version was registered as, and the status that it has now."""

    registered: ModelRegistered
    status: ModelStatus


@dataclass(slots=True)
class Model:
    """A model as its stream tells it. stream_version and position: of the last event that it knows."""

    model_id: str
    versions: dict[str, ModelVersion] = field(default_factory=dict)
    production: str | None = None
    stream_version: int = 0
    position: int = 0

    def follow(self, events: Iterable[RecordedEvent]) -> None:
        """Take up the next events of the model's stream."""
        for event in events:
            self.apply(event.data)
            self.stream_version, self.position = event.stream_version, event.position

    def apply(self, event: Event) -> None:
        match event:
            case ModelRegistered():
                self.versions[event.model_version] = ModelVersion(event, event.status)
                self._set_production(event.model_version, event.status)
            case ModelStatusChanged():
                self.versions[event.model_version].status = event.new_status
                self._set_production(event.model_version, event.new_status)
            case _:
                pass

    def _set_production(self, version: str, status: ModelStatus) -> None:
        if status == "production":
            self.production = version
        elif self.production == version:
            self.production = None


def register_model(model: Model, command: RegisterModel) -> list[Event]:
    """Return the events of `command`; none when the version is registered with the same content.

    Raises InvalidInput, and ModelVersionExists when its content is another.
    """
    version_order(command.version)
    check_json_bounds(command.parameters, field="parameters")
    registered = ModelRegistered(
        model_id=command.model_id,
        model_type=command.model_type,
        model_version=command.version,
        status=command.status,
        description=command.description,
        metrics=command.metrics,
        parameters=command.parameters,
        tags=command.tags,
    )
    known = model.versions.get(command.version)
    if known is None:
        return [*retire_production(model, successor=registered), registered]
    if known.registered != registered:
        raise version_exists(model, known.registered, registered)
    return []


def change_status(model: Model, command: ChangeStatus) -> list[Event]:
    """Return the events of `command`; none when the status already holds.

    Raises ModelNotFound, ModelVersionNotFound, InvalidTransition.
    """
    if not model.versions:
        raise ModelNotFound(command.model_id)
    version = model.versions.get(command.version)
    if version is None:
        raise ModelVersionNotFound(command.model_id, command.version)
    if version.status == command.status:
        return []
    if command.status not in NEXT_STATUSES[version.status]:
        raise invalid_transition(command, version.status)
    return [*retire_production(model, successor=command), status_changed(command, version.status)]


def retire_production(model: Model, *, successor: ModelRegistered | ChangeStatus) -> list[Event]:
    """Return the event that archives the version in production, if `successor` takes its place."""
    if successor.status != "production" or model.production is None:
        return []
    version = successor.model_version if isinstance(successor, ModelRegistered) else successor.version
    return [
        ModelStatusChanged(
            model_id=model.model_id,
            model_version=model.production,
            old_status="production",
            new_status="archived",
            reason=f"replaced by {version}",
        )
    ]


def status_changed(command: ChangeStatus, old_status: ModelStatus) -> ModelStatusChanged:
    return ModelStatusChanged(
        model_id=command.model_id,
        model_version=command.version,
        old_status=old_status,
        new_status=command.status,
        reason=command.reason,
    )


def invalid_transition(command: ChangeStatus, old_status: ModelStatus) -> InvalidTransition:
    allowed = " or ".join(NEXT_STATUSES[old_status])
    return InvalidTransition(
        f"{command.model_id} {command.version} cannot move from {old_status} to {command.status}",
        field="status",
        found=command.status,
        fix=f"from {old_status} it can move to {allowed}; the order is training → validation → production → archived",
    )


def version_exists(model: Model, known: ModelRegistered, wanted: ModelRegistered) -> ModelVersionExists:
    differing = [name for name in known.__struct_fields__ if getattr(known, name) != getattr(wanted, name)]
    free = next_patch(known.model_version, taken=set(model.versions))
    return ModelVersionExists(
        f"{known.model_id} {known.model_version} is registered with another {', '.join(differing)}; "
        "a version never changes",
        field=differing[0],
        found=str(getattr(wanted, differing[0]))[:100],
        fix=f"the next free version is {free}",
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command led to. events: recorded by it, now or when its key came first; position: of the last of them.

    Without events (the command changed nothing) position is that of the model's last event.
    """

    events: Sequence[Event]
    position: int
    is_repeat: bool = False


Append = Callable[..., Awaitable[Appended]]  # EventStore.append, all but the events and their expected version given


class Registry:
    """Carries out commands on models: reads the stream, decides, appends at the version it read."""

    def __init__(self, store: EventStore, turn: Turn) -> None:
        self._store = store
        self._turn = turn
        self._models: dict[str, Model] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def register(
        self, command: RegisterModel, *, metadata: Metadata, key: str | None = None, fingerprint: str = ""
    ) -> Decided:
        """Register a version; see `register_model`. A repeated key returns what it led to the first time."""
        return await self._carry_out(
            command.model_id,
            lambda model: register_model(model, command),
            metadata=metadata,
            key=key,
            fingerprint=fingerprint,
        )

    async def change_status(
        self, command: ChangeStatus, *, metadata: Metadata, key: str | None = None, fingerprint: str = ""
    ) -> Decided:
        """Change a status; see `change_status`. A repeated key returns what it led to the first time."""
        return await self._carry_out(
            command.model_id,
            lambda model: change_status(model, command),
            metadata=metadata,
            key=key,
            fingerprint=fingerprint,
        )

    async def _carry_out(
        self,
        model_id: str,
        decide: Callable[[Model], list[Event]],
        *,
        metadata: Metadata,
        key: str | None,
        fingerprint: str,
    ) -> Decided:
        if key is not None and (first := await self._store.find_key(key, fingerprint=fingerprint)):
            return await repeated(self._store, first)
        append = partial(self._store.append, stream_of(model_id), metadata=metadata, key=key, fingerprint=fingerprint)
        # One command a model at a time in this process; only other processes can make the append conflict.
        async with self._locks.setdefault(model_id, asyncio.Lock()):
            await self._turn.until_free()
            if known := self._models.get(model_id):
                # A refusal or a conflict may come of what others did since: then it reads, and decides anew.
                with suppress(RecsysError, WrongExpectedVersion):
                    if events := decide(known):
                        return await self._append(known, events, append)
            with suppress(WrongExpectedVersion):
                return await self._attempt(model_id, decide, append)
            async with self._turn.taken():
                for _ in range(CONFLICT_RETRIES_MAX):
                    with suppress(WrongExpectedVersion):
                        return await self._attempt(model_id, decide, append)
                return await self._attempt(model_id, decide, append)

    async def _attempt(self, model_id: str, decide: Callable[[Model], list[Event]], append: Append) -> Decided:
        """Decide against the stream as it is. Raises WrongExpectedVersion if it moves on before the append."""
        model = await self._read(model_id)
        events = decide(model)
        return await self._append(model, events, append) if events else Decided(events, model.position)

    async def _append(self, model: Model, events: list[Event], append: Append) -> Decided:
        """Append the events if the stream is still as `model` knows it, and let the model follow them."""
        appended = await append(events, expected_version=model.stream_version)
        if appended.is_repeat:
            return await repeated(self._store, appended)
        for event in events:
            model.apply(event)
        model.stream_version, model.position = appended.stream_version, appended.position
        return Decided(events, appended.position)

    async def _read(self, model_id: str) -> Model:
        """Return the model up to its stream's last event; only what is new since the last command is read."""
        model = self._models.pop(model_id, None) or Model(model_id)  # and back to the end: the oldest gives way
        while events := await self._store.read_stream(stream_of(model_id), after=model.stream_version):
            model.follow(events)
        self._models[model_id] = model
        if len(self._models) > MODELS_KEPT_MAX:
            del self._models[next(iter(self._models))]
        return model


def stream_of(model_id: str) -> str:
    return f"model-{model_id}"


async def repeated(store: EventStore, first: Appended) -> Decided:
    """Return what the first append of a repeated key decided."""
    events = await recorded_events(store, first)
    return Decided([event.data for event in events], first.position, is_repeat=True)
