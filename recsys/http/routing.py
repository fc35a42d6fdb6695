"""What a route is, what its handler is given and what it gives back. Floor 3; knows no web framework."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from events.event import Metadata
from recsys.services import Services

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read and checked. path, query and body are of the types that the route names.

    key: of idempotency, in the scope of this method and path. fingerprint: what a repeat of it must equal.
    elapsed_ms: returns the milliseconds since the request's head arrived.
    """

    request_id: str
    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    key: str | None = None
    fingerprint: str = ""
    elapsed_ms: Callable[[], float]

    @property
    def metadata(self) -> Metadata:
        return Metadata(actor="api", correlation_id=self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler answers. position: of the last event that it led to; is_repeat: the key had come before."""

    body: msgspec.Struct | bytes
    status: int = 200
    content_type: str = JSON
    position: int | None = None
    is_repeat: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Services, Call], Awaitable[Answer]]
Decoder = Callable[[bytes, str], Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """An address, its types and its handler; the application and its description are both made from it.

    body: the type of the body; decoder: (bytes, media type) → a body, where JSON of that type is not all there is.
    is_body_optional: an empty body stands for the type's defaults.
    views: the views that the answer follows from: it carries an ETag, and is kept until one of them changes, or for
    `fresh_seconds` where it also follows from the time of day.
    renderings: media type → the handler that answers in it, where a GET's Accept header prefers it to `content_type`.
    is_gated: counted among the requests in flight; probes are not, so that they answer under overload.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    summary: str
    answer: Any = None
    statuses: tuple[int, ...] = (200,)
    query: type[msgspec.Struct] | None = None
    body: Any = None
    decoder: Decoder | None = None
    media_types: tuple[str, ...] = (JSON,)
    is_body_optional: bool = False
    views: tuple[str, ...] = ()
    fresh_seconds: int | None = None
    is_gated: bool = True
    renderings: Mapping[str, Handler] = field(default_factory=dict)
    content_type: str = JSON
