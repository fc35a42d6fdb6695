"""A client's connection: bytes that are no HTTP request get a problem too. Floor 3."""

import logging
import uuid
from http import HTTPStatus

from aiohttp import web
from aiohttp.web_request import BaseRequest

from recsys.http.edge import REQUEST_ID_HEADER, SECURITY_HEADERS
from recsys.http.errors import MalformedRequest
from recsys.http.problems import problem_response

logger = logging.getLogger("app")


class Connection(web.RequestHandler):
    """What aiohttp makes of each connection, but for how it tells that a request cannot be read."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to a request that never reached the application, and end the connection with it."""
        if status != HTTPStatus.BAD_REQUEST:
            return super().handle_error(request, status, exc, message)
        error, request_id = unreadable(message or ""), uuid.uuid4().hex
        logger.info("a request cannot be read", extra={"extra_data": {"request_id": request_id, "reason": str(error)}})
        response = problem_response(error, request_id=request_id)
        response.headers.update({**SECURITY_HEADERS, REQUEST_ID_HEADER: request_id})
        response.force_close()
        return response


def unreadable(message: str) -> MalformedRequest:
    """Return the error for the parser's message: a reason and, after an empty line, where it gave up."""
    reason, _, place = message.partition("\n\n")
    found = place.strip().partition("\n")[0]
    return MalformedRequest(
        f"the request is not HTTP/1.1 as it is taken here: {' '.join(reason.split())}"[:300],
        field="request",
        found=found[:100],
        fix="send HTTP as RFC 9112 has it, without TLS, with at most 128 headers of at most 64 KiB",
    )
