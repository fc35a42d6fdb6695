"""The registry's decisions: given a model, when a command, then these events or this error."""

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalog import Event, ModelRegistered, ModelStatus, ModelStatusChanged
from recsys.errors import InvalidInput, InvalidTransition, ModelNotFound, ModelVersionExists, ModelVersionNotFound
from recsys.registry import ChangeStatus, Model, RegisterModel, change_status, register_model

STATUSES: tuple[ModelStatus, ...] = get_args(ModelStatus)
ALLOWED = {
    ("training", "validation"),
    ("validation", "production"),
    ("production", "archived"),
    ("archived", "production"),
}
VERSIONS = ("1.0.0", "1.0.1", "1.1.0")


def registered(version: str = "1.0.0", status: ModelStatus = "training", description: str = "") -> ModelRegistered:
    return ModelRegistered(
        model_id="m", model_type="hybrid", model_version=version, status=status, description=description
    )


def model_of(*events: Event) -> Model:
    model = Model("m")
    for event in events:
        model.apply(event)
    return model


def register(version: str = "1.0.0", status: ModelStatus = "training", description: str = "") -> RegisterModel:
    return RegisterModel(model_id="m", model_type="hybrid", version=version, status=status, description=description)


def change(status: ModelStatus, version: str = "1.0.0") -> ChangeStatus:
    return ChangeStatus(model_id="m", version=version, status=status)


def test_a_new_version_is_registered() -> None:
    """A version that is not there becomes one ModelRegistered."""
    assert register_model(Model("m"), register()) == [registered()]


def test_the_same_content_again_is_nothing() -> None:
    """A registration that repeats what is there leads to no event, even after the status has moved on."""
    moved_on = ModelStatusChanged(model_id="m", model_version="1.0.0", old_status="training", new_status="validation")
    assert register_model(model_of(registered(), moved_on), register()) == []


def test_other_content_is_refused_with_the_next_free_version() -> None:
    """The next free version is above the highest patch of the same major.minor."""
    model = model_of(registered("1.0.0"), registered("1.0.4"), registered("1.1.0"))
    with pytest.raises(ModelVersionExists) as refused:
        register_model(model, register("1.0.0", description="other"))
    assert refused.value.fix == "the next free version is 1.0.5"


def test_registering_into_production_archives_the_former() -> None:
    """A version may enter in any status; into production it takes the place of the one that is there."""
    events = register_model(model_of(registered("1.0.0", "production")), register("1.0.1", "production"))
    retired = ModelStatusChanged(
        model_id="m", model_version="1.0.0", old_status="production", new_status="archived", reason="replaced by 1.0.1"
    )
    assert events == [retired, registered("1.0.1", "production")]


@pytest.mark.parametrize("old", STATUSES)
@pytest.mark.parametrize("new", STATUSES)
def test_only_the_steps_of_the_lifecycle_are_allowed(old: ModelStatus, new: ModelStatus) -> None:
    """training → validation → production → archived, and back from archived; staying is nothing, the rest refused."""
    model = model_of(registered("1.0.0", old))
    if old == new:
        assert change_status(model, change(new)) == []
    elif (old, new) in ALLOWED:
        assert change_status(model, change(new)) == [
            ModelStatusChanged(model_id="m", model_version="1.0.0", old_status=old, new_status=new)
        ]
    else:
        with pytest.raises(InvalidTransition):
            change_status(model, change(new))


def test_what_is_not_there_cannot_change() -> None:
    """An unknown model and an unknown version are errors of their own."""
    with pytest.raises(ModelNotFound):
        change_status(Model("m"), change("validation"))
    with pytest.raises(ModelVersionNotFound):
        change_status(model_of(registered()), change("validation", "2.0.0"))


@pytest.mark.parametrize(
    "version", ["1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "١.0.0", "1.0.0\n", ""]
)
def test_only_semantic_versions_are_registered(version: str) -> None:
    """Anything but major.minor.patch with an optional pre-release and build is refused."""
    with pytest.raises(InvalidInput):
        register_model(Model("m"), register(version))


def test_parameters_that_others_cannot_read_are_refused() -> None:
    """Nesting and integers beyond what JSON readers hold would stop a later replay."""
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    for parameters in ({"deep": deep}, {"large": 2**53}, {"many": [0] * 20_000}):
        command = RegisterModel(model_id="m", model_type="hybrid", version="1.0.0", parameters=parameters)
        with pytest.raises(InvalidInput):
            register_model(Model("m"), command)


commands = st.one_of(
    st.builds(register, st.sampled_from(VERSIONS), st.sampled_from(STATUSES)),
    st.builds(change, st.sampled_from(STATUSES), st.sampled_from(VERSIONS)),
)


@given(st.lists(commands, max_size=30))
def test_at_most_one_version_is_in_production(sequence: Sequence[RegisterModel | ChangeStatus]) -> None:
    """Whatever commands come in whatever order, no event leads to two versions in production."""
    model = Model("m")
    for command in sequence:
        try:
            decide = (
                register_model(model, command) if isinstance(command, RegisterModel) else change_status(model, command)
            )
        except (InvalidTransition, ModelNotFound, ModelVersionNotFound, ModelVersionExists):
            continue
        for event in decide:
            model.apply(event)
            production = [version for version, of in model.versions.items() if of.status == "production"]
            assert production == ([model.production] if model.production else [])
