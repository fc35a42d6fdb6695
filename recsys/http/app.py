"""The HTTP application: the route table, wired to the services. Floor 3; may import every resource beside it."""

import asyncio

from aiohttp import web

from recsys.http import (
    alerts,
    events,
    feedback,
    health,
    metric_points,
    metric_windows,
    models,
    recipes,
    recommend,
    reports,
    retraining,
)
from recsys.http.edge import STOPPING, edge
from recsys.http.endpoint import BODY_BYTES_MAX, Endpoint
from recsys.http.gate import Gate
from recsys.http.kept_answers import KeptAnswers
from recsys.http.openapi import openapi_route
from recsys.http.pages import page_routes
from recsys.http.routing import Route
from recsys.http.serving import serve
from recsys.services import Services

__all__ = ["Services", "all_routes", "build_app", "serve"]

API_ROUTES = [
    *recommend.ROUTES,
    *recipes.ROUTES,
    *feedback.ROUTES,
    *health.ROUTES,
    *metric_windows.ROUTES,
    *metric_points.ROUTES,
    *models.ROUTES,
    *reports.ROUTES,
    *retraining.ROUTES,
    *alerts.ROUTES,
    *events.ROUTES,
]


def all_routes() -> list[Route]:
    """Return every route: the API, its description, and the pages."""
    described = [*API_ROUTES, openapi_route(API_ROUTES)]
    return [*described, *page_routes(described)]


def build_app(services: Services) -> web.Application:
    """Return the application; hand it to `serve`."""
    app = web.Application(middlewares=[edge], client_max_size=BODY_BYTES_MAX)
    app[STOPPING] = asyncio.Event()
    gate, kept = Gate(), KeptAnswers()
    for route in all_routes():
        endpoint = Endpoint(route, services, gate, kept)
        if route.method == "GET":
            app.router.add_get(route.path, endpoint.read)
        else:
            app.router.add_route(route.method, route.path, endpoint.command)
    return app
