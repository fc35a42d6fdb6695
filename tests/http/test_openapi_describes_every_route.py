"""GET /openapi.json and /docs: made from the route table, whole, and usable without a network."""

import re
from collections.abc import Iterator
from typing import Any

from recsys.http.app import API_ROUTES, all_routes
from recsys.http.openapi import describe
from tests.http.harness import Api

DESCRIPTION = describe(API_ROUTES)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (target for name, target in value.items() if name == "$ref")
        yield from (target for child in value.values() for target in references(child))
    elif isinstance(value, list):
        yield from (target for child in value for target in references(child))


async def test_every_route_is_described(api: Api) -> None:
    """Each route of the API stands in the description with its parameters, body and answers."""
    served = (await api.get("/openapi.json")).json
    assert served["openapi"].startswith("3.1")
    for route in API_ROUTES:
        operation = served["paths"][route.path][route.method.lower()]
        named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", route.path))
        assert ("requestBody" in operation) is (route.method == "POST")
        assert route.path.startswith(f"/{operation['tags'][0]}")
        assert operation["responses"].keys() == {*map(str, route.statuses), "default"}


def test_every_reference_leads_somewhere() -> None:
    """No $ref points at a schema that is not there."""
    wanted = {target.removeprefix("#/components/schemas/") for target in references(DESCRIPTION)}
    assert wanted <= DESCRIPTION["components"]["schemas"].keys()


def test_operations_have_names_of_their_own() -> None:
    """Generated clients need one name an operation."""
    names = [operation["operationId"] for path in DESCRIPTION["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


async def test_the_pages_need_no_network(api: Api) -> None:
    """/docs and all that it loads come from this service; the index leads to both."""
    page = (await api.get("/docs")).raw.decode()
    sources = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)
    index = (await api.get("/")).raw.decode()
    assert sources and all(source.startswith("/") for source in sources)
    assert [(await api.get(source)).status for source in sources] == [200] * len(sources)
    assert 'href="/docs"' in index


async def test_every_get_without_parameters_answers(api: Api) -> None:
    """No route without path parameters needs anything to be read."""
    paths = [route.path for route in all_routes() if route.method == "GET" and "{" not in route.path]
    assert {path: (await api.get(path)).status for path in paths} == dict.fromkeys(paths, 200)
