"""The pages for people: / with the addresses, /docs with the interactive description. Floor 3; works offline."""

import asyncio
import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Final

from recsys.http.routing import Answer, Call, Route
from recsys.services import Services

HTML: Final = "text/html"
ASSETS: Final[Mapping[str, str]] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
START_SCRIPT: Final = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true});'
DOCS_PAGE: Final = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recipe recommender: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>{START_SCRIPT}</script>
</html>
"""
# Swagger UI styles itself inline and draws its icons from data: addresses.
DOCS_POLICY: Final = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    f"script-src 'self' 'sha256-{base64.b64encode(hashlib.sha256(START_SCRIPT.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'"
)


async def show_docs(_services: Services, _call: Call) -> Answer:
    return Answer(body=DOCS_PAGE.encode(), content_type=HTML, headers={"Content-Security-Policy": DOCS_POLICY})


async def show_asset(name: str, _services: Services, _call: Call) -> Answer:
    return Answer(body=await asyncio.to_thread(asset, name), content_type=ASSETS[name])


@cache
def asset(name: str) -> bytes:
    """Return a file of Swagger UI as its package ships it; read once, at the first visit."""
    return resources.files("openapi_ui_bundles.swagger_ui").joinpath("vendor", name).read_bytes()


def page_routes(routes: Sequence[Route]) -> list[Route]:
    """Return the routes of the pages; the index lists `routes`."""
    index = index_page(routes).encode()

    async def show_index(_services: Services, _call: Call) -> Answer:
        return Answer(body=index, content_type=HTML)

    return [
        Route(method="GET", path="/", handler=show_index, summary="The addresses", content_type=HTML),
        Route(method="GET", path="/docs", handler=show_docs, summary="The API, to try out", content_type=HTML),
        *(
            Route(
                method="GET",
                path=f"/docs/{name}",
                handler=partial(show_asset, name),
                summary="A part of /docs",
                content_type=content_type,
            )
            for name, content_type in ASSETS.items()
        ),
    ]


def index_page(routes: Sequence[Route]) -> str:
    rows = "\n".join(f"<tr><td>{route.method}<td>{address(route)}<td>{html.escape(route.summary)}" for route in routes)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recipe recommender</title>
<h1>Recipe recommender</h1>
<p>Recipes for a request in words, and the registry, metrics and retraining of the models behind them.
<a href="/docs">Try the API</a>, or read its <a href="/openapi.json">description</a>.
<table>
{rows}
</table>
</html>
"""


def address(route: Route) -> str:
    if route.method == "GET" and "{" not in route.path:
        return f'<a href="{route.path}">{route.path}</a>'
    return route.path
