"""The registry over HTTP: registration, statuses, history, the past."""

from tests.http.harness import NOW, Api, Clock


async def test_a_registered_version_is_read_back_as_the_guide_shows_it(api: Api) -> None:
    """What was registered is listed with the guide's fields, and read by the client that wrote it."""
    registered = await api.register("1.0.0", status="production", metrics={"accuracy": 0.92, "precision": 0.89})
    listed = await api.get_after(registered, "/models")
    assert registered.status == 201
    assert listed.json["count"] == 1
    (model,) = listed.json["models"]
    assert model["model_key"] == "hybrid_ranker_1.0.0"
    assert model["status"] == "production"
    assert model["metrics"] == {"accuracy": 0.92, "precision": 0.89}
    assert model["deployment_date"] == "2024-12-30T15:30:00.000000Z"


async def test_registering_the_same_content_again_changes_nothing(api: Api) -> None:
    """The second registration answers 200, created false, and appends no event."""
    await api.register("1.0.0", description="first")
    head = await api.services.store.head()
    again = await api.register("1.0.0", description="first")
    assert (again.status, again.json["created"]) == (200, False)
    assert await api.services.store.head() == head


async def test_other_content_under_the_same_version_names_the_next_free_one(api: Api) -> None:
    """A version never changes: the conflict says what differs and which version is free."""
    await api.register("1.0.0", description="first")
    await api.register("1.0.1")
    refused = await api.register("1.0.0", description="second")
    assert refused.status == 409
    assert refused.json["code"] == "model_version_exists"
    assert refused.json["field"] == "description"
    assert "1.0.2" in refused.json["fix"]


async def test_promoting_archives_the_former_version_in_the_same_append(api: Api) -> None:
    """One version is in production; the one that it replaces is archived by the same command."""
    await api.register("1.0.0", status="production")
    await api.register("1.0.1", status="validation")
    promoted = await api.change_status("1.0.1", "production")
    assert promoted.json["archived"] == "1.0.0"
    production = await api.get_after(promoted, "/models/hybrid_ranker/production")
    former = await api.get("/models/hybrid_ranker/versions/1.0.0")
    assert production.json["version"] == "1.0.1"
    assert former.json["status"] == "archived"


async def test_a_rollback_brings_the_archived_version_back(api: Api) -> None:
    """archived → production is allowed, and archives the version that it rolls back from."""
    await api.register("1.0.0", status="production")
    await api.register("1.0.1", status="production")
    rolled_back = await api.change_status("1.0.0", "production")
    production = await api.get_after(rolled_back, "/models/hybrid_ranker/production")
    assert rolled_back.json["archived"] == "1.0.1"
    assert production.json["version"] == "1.0.0"


async def test_a_jump_between_statuses_is_refused(api: Api) -> None:
    """training → production is no step of the lifecycle; the problem names the one that is."""
    await api.register("1.0.0")
    refused = await api.change_status("1.0.0", "production")
    assert refused.status == 409
    assert refused.json["code"] == "invalid_transition"
    assert "validation" in refused.json["fix"]


async def test_the_registry_is_read_as_of_a_past_position_or_time(api: Api, clock: Clock) -> None:
    """`as_of` shows the statuses that held then."""
    registered = await api.register("1.0.0", status="validation")
    clock.now = NOW + 3_600_000_000
    promoted = await api.change_status("1.0.0", "production")
    now = await api.get_after(promoted, "/models")
    by_position = await api.get(f"/models?as_of={registered.position}")
    by_time = await api.get("/models?as_of=2024-12-30T15:59:00Z")
    statuses = [reply.json["models"][0]["status"] for reply in (now, by_position, by_time)]
    assert statuses == ["production", "validation", "validation"]


async def test_a_model_lists_its_versions_in_semantic_order_with_history(api: Api) -> None:
    """1.0.0-rc.2 stands before 1.0.0 and 1.0.10 after 1.0.9, whatever the order of registration."""
    for version in ("1.0.10", "1.0.0", "1.0.9"):
        await api.register(version)
    last = await api.register("1.0.0-rc.2")
    model = await api.get_after(last, "/models/hybrid_ranker")
    assert [of["version"] for of in model.json["versions"]] == ["1.0.0-rc.2", "1.0.0", "1.0.9", "1.0.10"]
    assert [step["version"] for step in model.json["history"]] == ["1.0.10", "1.0.0", "1.0.9", "1.0.0-rc.2"]


async def test_what_is_not_there_is_a_404_that_says_what(api: Api) -> None:
    """Unknown model, unknown version, and a model without production have codes of their own."""
    registered = await api.register("1.0.0")
    codes = [
        (await api.get_after(registered, path)).json["code"]
        for path in ("/models/other", "/models/hybrid_ranker/versions/9.9.9", "/models/hybrid_ranker/production")
    ]
    assert codes == ["model_not_found", "model_version_not_found", "no_production_version"]
