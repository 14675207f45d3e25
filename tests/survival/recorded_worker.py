"""The worker of the survival tests: `vigie worker` with its receivers, but on the records' time instead of the clock's.

The stories are years old; by the clock all their incidents would be over before the next post comes. Hurried, it does
every two seconds what a worker does every hour or two.
"""

import sys
from datetime import timedelta
from pathlib import Path

from records import SystemClock
from streams import telling as telling_tasks
from streams import wiring
from streams.worker import run_worker
from vigie import assembly, logging
from vigie.settings import load
from vigie.telling import telling

if __name__ == "__main__":
    logging.set_up("worker")
    if sys.argv[1:] == ["--hurried"]:
        vars(wiring).update(SWEEP=timedelta(seconds=2))
        vars(telling_tasks).update(FORGET_SECS=2.0)
    settings = load(Path("vigie.toml"))
    steps = assembly.steps(settings, telling=telling(settings, SystemClock()), is_exact=True)
    run_worker(settings.streams(has_ticks=False), steps, SystemClock())
