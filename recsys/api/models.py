"""`model_registry`: the registry for scripts and notebooks, and its mirror in models/registry.json. Floor 3."""

from typing import TYPE_CHECKING, Any

import msgspec

from recsys.api.frames import frame_of, html_of
from recsys.api.runtime import runtime
from recsys.errors import NotFound
from recsys.http.decoding import converted
from recsys.registry import ChangeStatus, RegisterModel

if TYPE_CHECKING:
    from events.catalog import ModelStatus
    from recsys.api.session import Session
    from recsys.http.models import ModelVersionAnswer, StatusChangeAnswer


class ModelMetadata(RegisterModel, frozen=True, kw_only=True):
    """A model version to register. status: training | validation | production | archived. It is checked when it is.

    metrics and parameters may hold numpy values.
    """


class ModelRegistry:
    """The model registry: what is answered holds all that any process had registered before the call."""

    def register_model(self, metadata: RegisterModel) -> "ModelVersionAnswer":
        """Register a version and return it; the same content again changes nothing.

        Raises InvalidInput, and ModelVersionExists, which names the next free version, where the content is another.
        """
        values = msgspec.to_builtins(metadata, enc_hook=plain)
        command = converted(values, RegisterModel, strict=True)

        async def ask(session: "Session") -> "ModelVersionAnswer":
            from projections.registry import get_version
            from recsys.api.mirror import write_mirror
            from recsys.api.session import METADATA
            from recsys.http.models import version_answer

            decided = await session.services.registry.register(command, metadata=METADATA)
            await session.reach(decided.position)
            await write_mirror(session)
            async with session.services.views.reader() as db:
                version = await get_version(db, command.model_id, command.version)
            assert version is not None
            return version_answer(version)

        return runtime.call(ask)

    def update_model_status(self, model_id: str, version: str, status: "ModelStatus", *, reason: str = "") -> bool:
        """Move a version to `status` and return True; False if there is no such version.

        training → validation → production → archived, and back from archived to production; entering production
        archives the version that was there. The status that it has already changes nothing. Raises InvalidInput for
        what is no status, InvalidTransition.
        """
        values = {"model_id": model_id, "version": version, "status": status, "reason": reason}
        command = converted(values, ChangeStatus, strict=True)

        async def ask(session: "Session") -> bool:
            from recsys.api.mirror import write_mirror
            from recsys.api.session import METADATA

            try:
                decided = await session.services.registry.change_status(command, metadata=METADATA)
            except NotFound:
                return False
            await session.reach(decided.position)
            await write_mirror(session)
            return True

        return runtime.call(ask)

    def get_production_model(self, model_id: str) -> "ModelVersionAnswer | None":
        """Return the version in production, or None."""

        async def ask(session: "Session") -> "ModelVersionAnswer | None":
            from projections.registry import production_version
            from recsys.http.models import version_answer

            async with session.reader() as db:
                version = await production_version(db, model_id)
            return None if version is None else version_answer(version)

        return runtime.call(ask)

    def list_models(
        self, status: "ModelStatus | None" = None, model_id: str | None = None
    ) -> "list[ModelVersionAnswer]":
        """Return all versions, or those of that status and model, in the order of versions. Raises InvalidInput."""

        async def ask(session: "Session") -> "list[ModelVersionAnswer]":
            from recsys.http.models import ModelsQuery, ordered, version_answer, versions_at

            query = converted({"status": status, "model_id": model_id}, ModelsQuery, strict=True)
            async with session.reader() as db:
                return [version_answer(version) for version in ordered(await versions_at(db, query, None))]

        return runtime.call(ask)

    def get_version_history(self, model_id: str) -> "list[StatusChangeAnswer]":
        """Return each step of the model's versions, registrations too, in the order of the log; none if unknown."""

        async def ask(session: "Session") -> "list[StatusChangeAnswer]":
            from projections.registry import history
            from recsys.http.models import step_answer

            async with session.reader() as db:
                return [step_answer(step) for step in await history(db, model_id)]

        return runtime.call(ask)

    def frame(self) -> Any:
        """Return all versions as a pandas DataFrame."""
        versions = self.list_models()
        from recsys.http.models import ModelVersionAnswer

        return frame_of(versions, ModelVersionAnswer, times=("registered_at", "deployment_date"))

    def _repr_html_(self) -> str:
        return html_of(self.frame().drop(columns=["parameters", "model_key"]))


def plain(value: Any) -> Any:
    """Return a numpy scalar or array as Python's own. Raises TypeError for what JSON has no word for."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value; give numbers, text, true or false, lists and dicts")


model_registry = ModelRegistry()
