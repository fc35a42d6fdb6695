"""The loggers for scripts and notebooks: the first use opens the files, unless this process has. Floor 3."""

import logging

from recsys import logging as structured
from recsys.api.runtime import runtime


def setup_logging() -> None:
    """Send the logs of this process to logs/*.log, as the settings say; once is enough."""
    if not any(isinstance(handler, structured.LogHandler) for handler in logging.getLogger().handlers):
        settings = runtime.settings
        structured.configure(
            settings.log_dir,
            level=settings.log_level,
            size_mb_max=settings.max_log_size_mb,
            backup_count=settings.backup_count,
        )


def get_logger(name: str) -> structured.StructuredLogger:
    """Return the logger of that name. `monitoring.alerts` writes to the channel monitoring, any other name to app."""
    setup_logging()
    return structured.get_logger(name)


def __getattr__(name: str) -> structured.StructuredLogger:
    """Return `app_logger`, `mlops_logger` or another of the channels, with its file to write to."""
    channel = name.removesuffix("_logger")
    if channel not in structured.CHANNELS or channel == name:
        raise AttributeError(f"{__name__} has no {name}")
    return get_logger(channel)
