"""The worker of the survival tests: `vigie worker` with its receivers, but on the records' time instead of the clock's.

The stories are years old; by the clock all their incidents would be over before the next post comes.
"""

from pathlib import Path

from records import SystemClock
from streams.worker import run_worker
from vigie import assembly, logging
from vigie.settings import load

if __name__ == "__main__":
    logging.set_up("worker")
    settings = load(Path("vigie.toml"))
    steps = assembly.steps(settings, outbox=assembly.outbox(settings, SystemClock()), is_exact=True)
    run_worker(settings.streams(has_ticks=False), steps, SystemClock())
