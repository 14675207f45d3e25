"""One worker process: the app, its agents, its health page, until it is asked to stop."""

import asyncio
import sys

import faust
import structlog
import uvloop

from records import Clock
from streams.app import make_app
from streams.declaring import declare_topics
from streams.health import serve
from streams.settings import StreamSettings
from streams.watchdog import watch
from streams.wiring import Steps, Wiring

log = structlog.get_logger()


def run_worker(settings: StreamSettings, steps: Steps, clock: Clock) -> None:
    """Run until SIGTERM or SIGINT; finish what is being handled, then leave.

    Errors  SourceUnavailable when the broker does not answer; SettingsError when its topics do not fit
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(declare_topics(settings))
    uvloop.install()  # Faust runs on many small tasks
    app = make_app(settings)
    wiring = Wiring(app, settings, steps, clock)
    wiring.connect()
    if settings.health_port:
        serve(wiring.health, settings.health_host, settings.health_port)
    if settings.has_ticks:  # a replay has nobody to start it again
        watch(wiring.health)
    log.info("worker starts", kafka=settings.kafka_url, partitions=settings.partitions)
    worker = faust.Worker(app, loglevel="warn", logfile=sys.stderr, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes to standard output, a pipe or not
    worker.execute_from_commandline()
