"""The registry view: models, their versions, statuses and history. Floor 2."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import aiosqlite
import msgspec

from events.catalog import Event, ModelRegistered, ModelStatus, ModelStatusChanged
from events.codec import encode
from events.event import RecordedEvent

INSERT_VERSION = """
INSERT INTO model_versions (
    model_id, model_version, model_type, status, description, metrics, parameters, tags,
    registered_at, deployed_at, position, event_id
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (model_id, model_version) DO NOTHING
"""
UPDATE_STATUS = """
UPDATE model_versions
SET status = ?1, deployed_at = CASE ?1 WHEN 'production' THEN ?2 ELSE deployed_at END
WHERE model_id = ?3 AND model_version = ?4
"""
INSERT_HISTORY = """
INSERT INTO model_history (position, model_id, model_version, old_status, new_status, at, actor, reason, event_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SELECT_VERSIONS = """
SELECT
    model_id, model_version, model_type, status, description, metrics, parameters, tags,
    registered_at, deployed_at, position, event_id
FROM model_versions
"""
# The same columns as of position ?1, status and deployment being those that the history had then.
SELECT_VERSIONS_AS_OF = """
SELECT
    model_id, model_version, model_type,
    (
        SELECT new_status FROM model_history AS h
        WHERE h.model_id = v.model_id AND h.model_version = v.model_version AND h.position <= ?1
        ORDER BY h.position DESC LIMIT 1
    ) AS status,
    description, metrics, parameters, tags, registered_at,
    (
        SELECT at FROM model_history AS h
        WHERE h.model_id = v.model_id AND h.model_version = v.model_version AND h.position <= ?1
            AND new_status = 'production'
        ORDER BY h.position DESC LIMIT 1
    ) AS deployed_at,
    position, event_id
FROM model_versions AS v
WHERE position <= ?1
"""


class RegistryProjection:
    """The registry, from ModelRegistered and ModelStatusChanged. The first registration of a version is the one."""

    name = "registry"
    schema_version = 1
    tables: tuple[str, ...] = ("model_versions", "model_history")
    event_types: frozenset[type[Event]] = frozenset({ModelRegistered, ModelStatusChanged})

    def apply(self, connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> bool:
        """Store the batch's registrations and changes of status; True if there were any."""
        is_changed = False
        for event in events:
            data = event.data
            if isinstance(data, ModelRegistered):
                is_changed |= register(connection, event, data)
            elif isinstance(data, ModelStatusChanged):
                is_changed |= change_status(connection, event, data)
        return is_changed


def register(connection: sqlite3.Connection, event: RecordedEvent, model: ModelRegistered) -> bool:
    deployed_at = event.recorded_at if model.status == "production" else None
    row = (
        model.model_id,
        model.model_version,
        model.model_type,
        model.status,
        model.description,
        to_json(model.metrics),
        to_json(model.parameters),
        to_json(model.tags),
        event.recorded_at,
        deployed_at,
        event.position,
        event.event_id,
    )
    is_new = connection.execute(INSERT_VERSION, row).rowcount == 1
    if is_new:
        add_history(connection, event, model.model_id, model.model_version, None, model.status, "")
    return is_new


def change_status(connection: sqlite3.Connection, event: RecordedEvent, change: ModelStatusChanged) -> bool:
    new = change.new_status
    updated = connection.execute(UPDATE_STATUS, (new, event.recorded_at, change.model_id, change.model_version))
    is_known = updated.rowcount == 1
    if is_known:
        add_history(connection, event, change.model_id, change.model_version, change.old_status, new, change.reason)
    return is_known


def add_history(
    connection: sqlite3.Connection,
    event: RecordedEvent,
    model_id: str,
    model_version: str,
    old_status: str | None,
    new_status: str,
    reason: str,
) -> None:
    actor = event.metadata.actor
    row = (event.position, model_id, model_version, old_status, new_status, event.recorded_at, actor, reason)
    connection.execute(INSERT_HISTORY, (*row, event.event_id))


def to_json(value: dict[str, Any]) -> str:
    return encode(value).decode()


class ModelVersion(msgspec.Struct, frozen=True, gc=False):
    """A version of a model. Times: microseconds since the Unix epoch, UTC. position, event_id: of its registration.

    deployed_at: when it last entered production; None if it never did.
    """

    model_id: str
    model_version: str
    model_type: str
    status: ModelStatus
    description: str
    metrics: dict[str, float]
    parameters: dict[str, Any]
    tags: dict[str, str]
    registered_at: int
    deployed_at: int | None
    position: int
    event_id: str

    @property
    def model_key(self) -> str:
        return f"{self.model_id}_{self.model_version}"


class StatusChange(msgspec.Struct, frozen=True, gc=False):
    """A step in a version's life. old_status: None where it was registered. at: microseconds since the Unix epoch."""

    position: int
    model_id: str
    model_version: str
    old_status: ModelStatus | None
    new_status: ModelStatus
    at: int
    actor: str
    reason: str
    event_id: str


async def list_models(
    db: aiosqlite.Connection, *, status: ModelStatus | None = None, model_id: str | None = None
) -> list[ModelVersion]:
    """Return all versions of all models, or those of that status and model, in the order of registration."""
    condition = "WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR model_id = ?2) ORDER BY position"
    return await versions(db, SELECT_VERSIONS + condition, (status, model_id))


async def get_model(db: aiosqlite.Connection, model_id: str) -> list[ModelVersion]:
    """Return the versions of a model in the order of registration; none if it is not known."""
    return await versions(db, f"{SELECT_VERSIONS} WHERE model_id = ? ORDER BY position", (model_id,))


async def get_version(db: aiosqlite.Connection, model_id: str, model_version: str) -> ModelVersion | None:
    """Return that version, or None."""
    condition = "WHERE model_id = ? AND model_version = ?"
    return first(await versions(db, SELECT_VERSIONS + condition, (model_id, model_version)))


async def production_version(db: aiosqlite.Connection, model_id: str) -> ModelVersion | None:
    """Return the version in production, or None."""
    condition = "WHERE model_id = ? AND status = 'production' ORDER BY deployed_at DESC, position DESC LIMIT 1"
    return first(await versions(db, SELECT_VERSIONS + condition, (model_id,)))


async def models_as_of(db: aiosqlite.Connection, position: int) -> list[ModelVersion]:
    """Return all versions as they were when the log ended at `position`, in the order of registration."""
    return await versions(db, f"{SELECT_VERSIONS_AS_OF} ORDER BY position", (position,))


async def production_as_of(db: aiosqlite.Connection, model_id: str, position: int) -> ModelVersion | None:
    """Return the version that was in production when the log ended at `position`, or None."""
    query = (
        f"SELECT * FROM ({SELECT_VERSIONS_AS_OF} AND model_id = ?2) WHERE status = 'production' "
        "ORDER BY deployed_at DESC, position DESC LIMIT 1"
    )
    return first(await versions(db, query, (position, model_id)))


async def history(db: aiosqlite.Connection, model_id: str, model_version: str | None = None) -> list[StatusChange]:
    """Return the steps of a model's versions, or of one of them, in the order of the log."""
    query = """
        SELECT position, model_id, model_version, old_status, new_status, at, actor, reason, event_id
        FROM model_history
        WHERE model_id = ?1 AND (?2 IS NULL OR model_version = ?2)
        ORDER BY position
    """
    return [StatusChange(*row) for row in await db.execute_fetchall(query, (model_id, model_version))]


async def versions(db: aiosqlite.Connection, query: str, parameters: tuple[Any, ...]) -> list[ModelVersion]:
    return [model_version(row) for row in await db.execute_fetchall(query, parameters)]


def model_version(row: sqlite3.Row) -> ModelVersion:
    values = list(row)
    values[5:8] = map(msgspec.json.decode, values[5:8])
    return ModelVersion(*values)


def first(found: list[ModelVersion]) -> ModelVersion | None:
    return found[0] if found else None
