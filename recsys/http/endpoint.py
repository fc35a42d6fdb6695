"""From an aiohttp request to a route's handler and back: reading, checking, conditional answers. Floor 3."""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from recsys.errors import InvalidInput
from recsys.http.decoding import converted, json_decoder, shown
from recsys.http.edge import REQUEST_ID, STARTED
from recsys.http.errors import BodyTooLarge, BodyTooSlow, MalformedRequest, UnsupportedMediaType
from recsys.http.gate import Gate
from recsys.http.kept_answers import KeptAnswer, KeptAnswers
from recsys.http.negotiation import preferred
from recsys.http.routing import Answer, Call, Handler, Route
from recsys.identifiers import AlertId, Identifier, JobId, ReportId
from recsys.registry import VersionText
from recsys.services import Services

BODY_BYTES_MAX: Final = 4 * 2**20  # 10,000 metric points with labels
BODY_SECONDS_MAX: Final = 15.0  # else a client that stops halfway holds its connection for ever
THREAD_BYTES_MIN: Final = 64 * 2**10  # decoding this takes about 1 ms: longer bodies would hold up the others
POSITION_SECONDS_MAX: Final = 5.0
POSITION_HEADER: Final = "Log-Position"
REPLAY_HEADER: Final = "Idempotent-Replay"
KEY_HEADER: Final = "Idempotency-Key"
PATH_TYPES: Final[dict[str, Any]] = {
    "model_id": Identifier,
    "version": VersionText,
    "job_id": JobId,
    "report_id": ReportId,
    "recipe_id": Identifier,
    "name": Identifier,
    "alert_id": AlertId,
}
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_POSITION = re.compile(r"[0-9]{1,18}")

encode = msgspec.json.Encoder().encode


class Endpoint:
    """One route, ready to be called by aiohttp."""

    def __init__(self, route: Route, services: Services, gate: Gate, kept: KeptAnswers) -> None:
        self._route = route
        self._services = services
        self._gate = gate
        self._kept = kept
        self._decode: Callable[[bytes, str], Any] = route.decoder or ignoring_media_type(json_decoder(route.body))

    async def command(self, request: web.Request) -> web.Response:
        """Answer a POST or a DELETE."""
        body = await read_body(request)
        decoded = None if self._route.body is None else await self._decoded(body, self._media_type(request, body))
        key = idempotency_key(request)
        fingerprint = hashlib.sha256(body).hexdigest() if key else ""
        return rendered(await self._handle(self._call(request, body=decoded, key=key, fingerprint=fingerprint)))

    async def read(self, request: web.Request) -> web.Response:
        """Answer a GET; what follows from views is kept until they change."""
        await self._wait_for_position(request)
        if rendering := self._rendering(request):
            return rendered(await self._handle(self._call(request, query=self._query(request)), rendering))
        if not self._route.views:
            answer = await self._handle(self._call(request, query=self._query(request)))
            return conditional(request, kept_answer(answer, stamp=())) if answer.status == 200 else rendered(answer)
        await self._services.runner.wait_until_readable(timeout=POSITION_SECONDS_MAX)
        stamp = self._stamp()
        known = self._kept.get(request.path_qs)
        if known is None or known.stamp != stamp:
            answer = await self._handle(self._call(request, query=self._query(request)))
            known = kept_answer(answer, stamp=stamp)
            if not self._services.runner.is_readable:  # dropped meanwhile: the answer may be of views that hold nothing
                return await self.read(request)
            if stamp == self._stamp():  # else the answer may be newer than its tag
                self._kept.put(request.path_qs, known)
        return conditional(request, known)

    async def _handle(self, call: Call, rendering: Handler | None = None) -> Answer:
        handler = rendering or self._route.handler
        if not self._route.is_gated:
            return await handler(self._services, call)
        with self._gate:
            return await handler(self._services, call)

    def _rendering(self, request: web.Request) -> Handler | None:
        """Return the handler of the media type that the client prefers to the route's own, if there is one."""
        renderings = self._route.renderings
        if not renderings or "Accept" not in request.headers:
            return None
        accept = ",".join(request.headers.getall("Accept"))
        return renderings.get(preferred(accept, [self._route.content_type, *renderings]))

    def _call(self, request: web.Request, **parts: Any) -> Call:
        path = {name: converted(text, PATH_TYPES[name], place=name) for name, text in request.match_info.items()}
        started = request[STARTED]
        return Call(
            request_id=request[REQUEST_ID],
            path=path,
            elapsed_ms=lambda: (time.perf_counter() - started) * 1000,
            **parts,
        )

    def _query(self, request: web.Request) -> Any:
        """Return the query string as the route's type. Raises InvalidInput on names that the route does not know."""
        values = dict(request.query)
        if len(values) != len(request.query):
            raise InvalidInput("a query parameter stands twice", field="query string", fix="give each one once")
        return converted(values, self._route.query or NoQuery)

    def _media_type(self, request: web.Request, body: bytes) -> str:
        if not body and self._route.is_body_optional:
            return self._route.media_types[0]
        # Browsers send the other types to any site unasked: refusing them keeps foreign pages out.
        if request.content_type not in self._route.media_types:
            raise UnsupportedMediaType(
                "the body's media type is not taken here",
                field="Content-Type",
                found=request.headers.get("Content-Type", "nothing")[:100],
                fix=f"send the header Content-Type: {' or '.join(self._route.media_types)}",
            )
        return request.content_type

    async def _decoded(self, body: bytes, media_type: str) -> Any:
        if not body and self._route.is_body_optional:
            return self._route.body()
        if len(body) < THREAD_BYTES_MIN:
            return self._decode(body, media_type)
        return await asyncio.to_thread(self._decode, body, media_type)

    async def _wait_for_position(self, request: web.Request) -> None:
        text = request.headers.get(POSITION_HEADER)
        if text is None:
            return
        if not _POSITION.fullmatch(text):
            raise MalformedRequest(
                f"the header {POSITION_HEADER} is not a position",
                field=POSITION_HEADER,
                found=shown(text),
                fix=f"send back the {POSITION_HEADER} of an earlier answer",
            )
        await self._services.runner.wait_until(int(text), timeout=POSITION_SECONDS_MAX)

    def _stamp(self) -> tuple[int, ...]:
        """Return what the answer's freshness hangs on: its views' last changes, and the time slot if it has one."""
        changes = tuple(map(self._services.views.changed_at, self._route.views))
        if self._route.fresh_seconds is None:
            return changes
        return *changes, self._services.clock() // (self._route.fresh_seconds * 1_000_000)


class NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query string of an address that takes none."""


def ignoring_media_type(decode: Callable[[bytes], Any]) -> Callable[[bytes, str], Any]:
    return lambda body, _: decode(body)


async def read_body(request: web.Request) -> bytes:
    """Return the whole body. Raises BodyTooLarge, BodyTooSlow, MalformedRequest."""
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise BodyTooLarge(
            "the body is too large", field="body", fix=f"send at most {BODY_BYTES_MAX} bytes, in several requests"
        ) from error
    except TimeoutError as error:
        raise BodyTooSlow(f"the body did not arrive within {BODY_SECONDS_MAX:g} s") from error
    except web.RequestPayloadError as error:
        raise MalformedRequest(f"the body broke off or is badly encoded: {error}") from error


def idempotency_key(request: web.Request) -> str | None:
    """Return a digest of the request's key in the scope of its method and path. Raises MalformedRequest."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise MalformedRequest(
            f"the header {KEY_HEADER} is not a key",
            field=KEY_HEADER,
            found=shown(key),
            fix="send 1 to 255 visible ASCII characters, such as a UUID",
        )
    return hashlib.sha256(f"{request.method} {request.path} {key}".encode("utf-8", "replace")).hexdigest()


def kept_answer(answer: Answer, *, stamp: tuple[int, ...]) -> KeptAnswer:
    """Return a read's answer with its ETag: the stamp, and a digest for where another log stands at the same one."""
    body = encoded(answer)
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    etag = f'"{"-".join([*map(str, stamp), digest])}"'
    return KeptAnswer(body, answer.content_type, etag, stamp, answer.headers)


def conditional(request: web.Request, answer: KeptAnswer) -> web.Response:
    """Return the answer, or 304 if the client has it already."""
    headers = {"ETag": answer.etag, "Cache-Control": "no-cache", **answer.headers}
    wanted = request.headers.get("If-None-Match")
    if wanted is not None and (wanted == "*" or answer.etag in wanted.replace("W/", "").replace(" ", "").split(",")):
        return web.Response(status=304, headers=headers)
    return web.Response(body=answer.body, content_type=answer.content_type, headers=headers)


def rendered(answer: Answer) -> web.Response:
    """Return an answer that is not kept by anyone."""
    headers = {"Cache-Control": "no-store", "Content-Type": answer.content_type, **answer.headers}
    if answer.position is not None:
        headers[POSITION_HEADER] = str(answer.position)
    if answer.is_repeat:
        headers[REPLAY_HEADER] = "true"
    return web.Response(body=encoded(answer), status=answer.status, headers=headers)


def encoded(answer: Answer) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else encode(answer.body)
