"""The worker's own watchdog: one that stands still ends, so that whatever started it starts it again.

`vigie run` and Kubernetes read `/healthz`, and are there first. Docker and systemd see only that a process has ended.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

import structlog

from streams.health import Health

log = structlog.get_logger()

STILL_STATUS = 75  # sysexits.h: try again later
LOOK_SECS = 5.0
TELL_SECS = 1.0
GRACE_SECS = 30.0
"""So long a worker may have been unhealthy without anybody ending it."""


def watch(
    health: Health,
    *,
    look_secs: float = LOOK_SECS,
    grace_secs: float = GRACE_SECS,
    end: Callable[[int], object] = os._exit,
) -> threading.Thread:
    """Look from a thread of its own, for the loop itself may be what stands still; `end` the process when it must."""

    def look() -> None:
        since: float | None = None
        while True:
            why = health.why_unhealthy()
            now = time.monotonic()
            since = None if why is None else now if since is None else since
            if since is not None and now - since >= grace_secs:
                telling = threading.Thread(target=_tell, args=(why,), daemon=True)
                telling.start()
                telling.join(TELL_SECS)  # a log that nobody reads any more may be why it stands still
                end(STILL_STATUS)
                return
            time.sleep(look_secs)

    watching = threading.Thread(target=look, name="watchdog", daemon=True)
    watching.start()
    return watching


def _tell(why: str | None) -> None:
    log.error("worker ends: it stands still; what waits will be read again", why=why)
    sys.stderr.flush()
