"""One log for all processes: key=value lines on standard error, each with the process it comes from."""

import logging
import os
import sys

import structlog

QUIET_VARIABLE = "VIGIE_LOG_QUIET"


def set_up(process: str, *, is_quiet: bool = False) -> None:
    """Send our log and the libraries' to standard error; a quiet one holds what went wrong only."""
    level = logging.WARNING if is_quiet or os.environ.get(QUIET_VARIABLE) else logging.INFO
    if is_quiet:
        os.environ[QUIET_VARIABLE] = "1"  # and so for the processes that we start
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "process", "event"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.WARNING,
        stream=sys.stderr,
        format=f"level=%(levelname)s process={process} logger=%(name)s %(message)s",
    )
    # They report each rebalance and each topic that is still being made as a warning; our own health check speaks.
    for noisy in ("aiokafka", "faust", "mode"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
