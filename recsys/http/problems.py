"""Errors into problem details (RFC 9457): the one table of exceptions and statuses. Floor 3."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import web

from events import errors as log
from projections import errors as views
from recsys import errors as domain
from recsys.http import errors as http

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not carried out. code: for programs; detail and fix: for people.

    field: the part of the request at fault; found: what stood there.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str = ""
    found: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sort of error is told. retry_after: seconds, where the same request may succeed later."""

    status: int
    code: str
    title: str
    retry_after: int | None = None


KINDS: dict[type[BaseException], Kind] = {
    http.MalformedRequest: Kind(400, "malformed_request", "The request cannot be read"),
    http.BodyTooSlow: Kind(408, "body_too_slow", "The body did not arrive in time"),
    http.BodyTooLarge: Kind(413, "body_too_large", "The body is too large"),
    http.UnsupportedMediaType: Kind(415, "unsupported_media_type", "The media type is not taken here"),
    http.Overloaded: Kind(503, "overloaded", "Too many requests at once", retry_after=1),
    http.NotReady: Kind(503, "not_ready", "The service is not ready", retry_after=1),
    domain.InvalidInput: Kind(422, "invalid_input", "A value is not allowed"),
    domain.ModelNotFound: Kind(404, "model_not_found", "No such model"),
    domain.ModelVersionNotFound: Kind(404, "model_version_not_found", "No such model version"),
    domain.NoProductionVersion: Kind(404, "no_production_version", "No version is in production"),
    domain.RecipeNotFound: Kind(404, "recipe_not_found", "No such recipe"),
    domain.JobNotFound: Kind(404, "job_not_found", "No such job"),
    domain.AlertRuleNotFound: Kind(404, "alert_rule_not_found", "No such alert rule"),
    domain.AlertNotFound: Kind(404, "alert_not_found", "No such alert"),
    domain.ReportNotFound: Kind(404, "report_not_found", "No such report"),
    domain.ModelVersionExists: Kind(409, "model_version_exists", "A version never changes"),
    domain.InvalidTransition: Kind(409, "invalid_transition", "No such change of status"),
    domain.RecommenderUnavailable: Kind(503, "recommender_unavailable", "The recommender is not ready", retry_after=2),
    views.ViewsUnavailable: Kind(503, "views_unavailable", "The views are being built anew", retry_after=1),
    views.ProjectionLag: Kind(503, "projection_lag", "The views have not caught up", retry_after=1),
    log.WrongExpectedVersion: Kind(409, "conflict", "Others changed the same thing at once", retry_after=1),
    log.IdempotencyKeyReused: Kind(422, "idempotency_key_reused", "The key was used for other content"),
    log.StoreOverloaded: Kind(503, "store_overloaded", "The log cannot keep up", retry_after=1),
    log.StoreUnavailable: Kind(503, "store_unavailable", "The log cannot be written now", retry_after=2),
    log.StoreClosed: Kind(503, "stopping", "The service is stopping", retry_after=2),
    log.StoreFull: Kind(507, "store_full", "The disk is full"),
}
BUG = Kind(500, "internal_error", "The service made a mistake")
# What the router refuses by itself, and what it should say about it.
ROUTER_KINDS = {
    404: Kind(404, "no_such_address", "There is nothing at this address"),
    405: Kind(405, "method_not_allowed", "This address takes other methods"),
    413: KINDS[http.BodyTooLarge],
}


def kind_of(error: BaseException) -> Kind:
    """Return how to tell `error`; what stands in no table is a mistake of ours."""
    if isinstance(error, web.HTTPException):
        phrase = HTTPStatus(error.status).phrase
        return ROUTER_KINDS.get(error.status) or Kind(error.status, phrase.lower().replace(" ", "_"), phrase)
    return next((KINDS[base] for base in type(error).__mro__ if base in KINDS), BUG)


def problem_of(error: BaseException, kind: Kind, *, request_id: str) -> Problem:
    """Return what the client is told about `error`; nothing of the inside when it is a mistake of ours."""
    return Problem(
        type=f"urn:recipe-recommender:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail_of(error, kind),
        code=kind.code,
        request_id=request_id,
        field=getattr(error, "field", ""),
        found=getattr(error, "found", ""),
        fix=getattr(error, "fix", "") or fix_of(error),
    )


def detail_of(error: BaseException, kind: Kind) -> str:
    if kind is BUG:
        return "the request failed through no fault of yours; the service's log names the cause under this request_id"
    return kind.title if isinstance(error, web.HTTPException) else str(error)


def fix_of(error: BaseException) -> str:
    match error:
        case web.HTTPMethodNotAllowed():
            return f"use {' or '.join(sorted(error.allowed_methods))}"
        case web.HTTPNotFound():
            return "see the addresses under / or in /openapi.json"
        case _:
            return ""


def problem_response(error: BaseException, *, request_id: str) -> web.Response:
    """Return the response that tells `error`."""
    kind = kind_of(error)
    response = web.Response(
        body=msgspec.json.encode(problem_of(error, kind, request_id=request_id)),
        status=kind.status,
        content_type=CONTENT_TYPE,
    )
    if kind.retry_after is not None:
        response.headers["Retry-After"] = str(kind.retry_after)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return response
