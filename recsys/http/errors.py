"""The errors of the HTTP conversation itself. Floor 3; imports only recsys.errors."""

from recsys.errors import RecsysError


class MalformedRequest(RecsysError):
    """The request cannot be read."""


class UnsupportedMediaType(RecsysError):
    """The body is of another media type than this address takes."""


class BodyTooLarge(RecsysError):
    """The body is larger than this service takes."""


class BodyTooSlow(RecsysError):
    """The body did not arrive in time."""


class Overloaded(RecsysError):
    """More requests are being worked on than the service takes at once; try again."""


class NotReady(RecsysError):
    """The service runs, but cannot answer well yet."""
