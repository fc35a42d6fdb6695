"""The errors of the projections. Floor 2."""


class ProjectionError(Exception):
    """The views could not do what was asked."""


class ProjectionFailed(ProjectionError):
    """A view cannot apply an event. The views stand right before it."""

    def __init__(self, *, view: str, position: int, type_name: str, reason: str) -> None:
        super().__init__(
            f"the view {view} cannot apply event {position} of type {type_name}: {reason}; "
            "the views stay as they were before it until a release that can apply it is started"
        )
        self.view = view
        self.position = position


class ProjectionLag(ProjectionError):
    """The views have not reached the position in time."""

    def __init__(self, *, wanted: int, position: int, reason: str | None = None) -> None:
        super().__init__(
            f"the views stand at position {position}, not yet at {wanted}: {reason or 'read again in a moment'}"
        )
        self.wanted = wanted
        self.position = position


class ViewsUnavailable(ProjectionError):
    """views.db cannot be opened."""


class ViewsUnusable(ProjectionError):
    """views.db is damaged, or of another schema: it is to be rebuilt from the log."""
