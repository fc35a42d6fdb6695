"""The errors of services of others. Floor 3. No message holds a key, nor what the other side wrote."""

from recsys.errors import RecsysError


class IntegrationError(RecsysError):
    """A service of others could not be used."""


class EndpointUnavailable(IntegrationError):
    """The endpoint did not answer in time, or said that it cannot now."""


class EndpointRefused(IntegrationError):
    """The endpoint refuses the request: asking again would not help."""


class UnusableAnswer(IntegrationError):
    """The endpoint answered something else than was asked for."""
