"""GET /openapi.json: the description of the service, made from the route table and its types. Floor 3."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from recsys.http.endpoint import KEY_HEADER, PATH_TYPES, POSITION_HEADER, REPLAY_HEADER
from recsys.http.problems import CONTENT_TYPE, Problem
from recsys.http.routing import Answer, Call, Handler, Route
from recsys.services import Services

OPENAPI_VERSION: Final = "3.1.1"
REFERENCE: Final = "#/components/schemas/{name}"
_PATH_NAME = re.compile(r"{(\w+)}")


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of `routes`."""
    types = [of for route in routes for of in (route.body, route.answer) if of is not None]
    _, components = msgspec.json.schema_components([*types, Problem], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Recipe recommender",
            "version": "1",
            "description": "Recommends recipes, and keeps the registry, the metrics and the retraining of its models.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def operation(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],  # by which /docs groups them
        "parameters": [*path_parameters(route), *query_parameters(route), *header_parameters(route)],
        "responses": responses(route),
    }
    if route.body is not None:
        content = {media_type: {"schema": schema_of(route.body)} for media_type in route.media_types}
        described["requestBody"] = {"required": not route.is_body_optional, "content": content}
    return described


def path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schema_of(PATH_TYPES[name])}
        for name in _PATH_NAME.findall(route.path)
    ]


def query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = msgspec.json.schema(route.query)["$defs"][route.query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of}
        for name, of in schema["properties"].items()
    ]


def header_parameters(route: Route) -> list[dict[str, Any]]:
    if route.method != "GET":
        about = "The first answer under a key is given again to its repeats."
        schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 255}
        return [{"name": KEY_HEADER, "in": "header", "description": about, "schema": schema}]
    about = f"The {POSITION_HEADER} of an earlier answer: what it did is seen by this read."
    schema = {"type": "integer", "minimum": 0}
    return [{"name": POSITION_HEADER, "in": "header", "description": about, "schema": schema}]


def responses(route: Route) -> dict[str, Any]:
    content = {route.content_type: {"schema": schema_of(route.answer)} if route.answer else {}}
    content |= {media_type: {} for media_type in route.renderings}
    done = {
        str(status): {"description": HTTPStatus(status).phrase, "headers": headers(route), "content": content}
        for status in route.statuses
    }
    problem = {"description": "A problem", "content": {CONTENT_TYPE: {"schema": schema_of(Problem)}}}
    return {**done, "default": problem}


def headers(route: Route) -> dict[str, Any]:
    if route.method == "GET":
        return {"ETag": {"schema": {"type": "string"}}}
    return {
        POSITION_HEADER: {"schema": {"type": "integer"}},
        REPLAY_HEADER: {"schema": {"type": "string", "const": "true"}},
    }


def schema_of(wanted: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([wanted], ref_template=REFERENCE)
    return schema


def openapi_route(routes: Sequence[Route]) -> Route:
    """Return the route that describes `routes`, itself left out."""
    description = msgspec.json.encode(describe(routes))

    async def show_openapi(_services: Services, _call: Call) -> Answer:
        return Answer(body=description)

    handler: Handler = show_openapi
    return Route(method="GET", path="/openapi.json", handler=handler, summary="This description")
