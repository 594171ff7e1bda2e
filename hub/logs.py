"""How processes of the hub log: structlog, one line an event, on stderr."""

import logging
import sys

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def log_to_stderr(level: str = "info") -> None:
    """Log from ``level`` on: time, level, event and its facts as key=value."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            LEVELS.get(level.lower(), logging.ERROR)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
