"""The worker of the survival tests: `vigie worker` with its receivers, but on the records' time instead of the clock's.

The stories are years old; by the clock all their incidents would be over before the next post comes. Hurried, it does
every two seconds what a worker does every hour or two; slow, it takes three seconds to hear that it is back where the
group has committed, as on a machine that has other things to do. Exact, it reads posts one by one, and takes late
signals in one by one, so that its revisions are the same to the last byte however they come in batches.
"""

import asyncio
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from faust.types import TP

from records import SystemClock
from streams import telling as telling_tasks
from streams import transport, wiring
from streams.transport import seek_to_committed
from streams.worker import run_worker
from vigie import assembly, logging
from vigie.settings import load
from vigie.telling import telling

SLOW_SECS = 3.0


async def seek_slowly(consumer: AIOKafkaConsumer) -> Mapping[TP, int]:
    """Go back to what the group has committed, and say so late."""
    committed = await seek_to_committed(consumer)
    await asyncio.sleep(SLOW_SECS)
    return committed


if __name__ == "__main__":
    logging.set_up("worker")
    if "--slow" in sys.argv:
        vars(transport).update(seek_to_committed=seek_slowly)
    if "--hurried" in sys.argv:
        vars(wiring).update(SWEEP=timedelta(seconds=2))
        vars(telling_tasks).update(FORGET_SECS=2.0)
    settings = load(Path("vigie.toml"))
    steps = assembly.steps(
        settings, telling=telling(settings, SystemClock()), is_exact="--exact" in sys.argv, is_apart=True
    )
    run_worker(settings.streams(has_ticks=False), steps, SystemClock())
