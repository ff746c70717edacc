"""The log: structlog on standard error, for people or for machines."""

import logging
import sys
from typing import Any

import structlog

from config.settings import LogFormat, LogSettings

_QUIET = ("aioice", "aiortc", "aiohttp.access", "PIL")
"""Libraries whose INFO is about their own insides."""


def configure(settings: LogSettings) -> None:
    """Send our entries and those of libraries to standard error from now on."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings.format),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _rendering(wanted: LogFormat) -> list[Any]:
    terminal = sys.stderr.isatty()
    if wanted is LogFormat.JSON or (wanted is LogFormat.AUTO and not terminal):
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=terminal)]
