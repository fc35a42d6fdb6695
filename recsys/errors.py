"""The errors of the recommender and of its MLOps. Floor 3; imports nothing of ours."""


class RecsysError(Exception):
    """What was asked could not be done.

    field: the part of the request that is at fault; found: what stood there; fix: how to mend it.
    """

    def __init__(self, message: str = "", *, field: str = "", found: str = "", fix: str = "") -> None:
        super().__init__(message or self.__doc__)
        self.field = field
        self.found = found
        self.fix = fix


class InvalidInput(RecsysError):
    """A value is outside of what its field allows."""


class NotFound(RecsysError):
    """There is nothing of that name."""


class ModelNotFound(NotFound):
    """The registry holds no such model."""

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"no model {model_id} in the registry",
            field="model_id",
            found=model_id,
            fix="list the models with GET /models, or register one with POST /models",
        )


class ModelVersionNotFound(NotFound):
    """The registry holds the model, but not this version of it."""

    def __init__(self, model_id: str, version: str) -> None:
        super().__init__(
            f"model {model_id} has no version {version}",
            field="version",
            found=version,
            fix=f"list its versions with GET /models/{model_id}",
        )


class NoProductionVersion(NotFound):
    """The model has no version in production."""

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"model {model_id} has no version in production",
            field="model_id",
            found=model_id,
            fix=f"promote one with POST /models/{model_id}/versions/{{version}}/status",
        )


class RecipeNotFound(NotFound):
    """The catalogue holds no such recipe."""

    def __init__(self, recipe_id: str) -> None:
        super().__init__(f"no recipe {recipe_id} in the catalogue", field="recipe_id", found=recipe_id)


class JobNotFound(NotFound):
    """There is no such retraining job."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"no retraining job {job_id}", field="job_id", found=job_id, fix="list the jobs with GET /retrain/jobs"
        )


class AlertRuleNotFound(NotFound):
    """There is no such alert rule."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no alert rule {name}", field="name", found=name, fix="list the rules with GET /alerts/rules")


class AlertNotFound(NotFound):
    """There is no such alert."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(
            f"no alert {alert_id}", field="alert_id", found=alert_id, fix="list the alerts with GET /alerts"
        )


class ReportNotFound(NotFound):
    """There is no such report."""

    def __init__(self, report_id: str, *, field: str = "report_id") -> None:
        super().__init__(
            f"no report {report_id}", field=field, found=report_id, fix="list the reports with GET /reports"
        )


class ModelVersionExists(RecsysError):
    """The version is registered with other content; a version never changes."""


class InvalidTransition(RecsysError):
    """A model version cannot move between these statuses."""


class RecommenderUnavailable(RecsysError):
    """The recommender cannot answer now; try again later."""
