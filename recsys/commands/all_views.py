"""The views of the service. Floor 3."""

from projections.alerts import AlertsProjection
from projections.catalogue import CatalogueProjection
from projections.feedback import FeedbackProjection
from projections.jobs import JobsProjection
from projections.metrics import MetricsProjection
from projections.projection import Projection
from projections.registry import RegistryProjection
from projections.reports import ReportsProjection
from projections.samples import SamplesProjection
from projections.translations import TranslationsProjection


def all_views() -> list[Projection]:
    """Return a fresh projection of every view."""
    return [
        RegistryProjection(),
        MetricsProjection(),
        JobsProjection(),
        CatalogueProjection(),
        FeedbackProjection(),
        SamplesProjection(),
        TranslationsProjection(),
        AlertsProjection(),
        ReportsProjection(),
    ]
