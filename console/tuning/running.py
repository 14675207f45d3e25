"""Running: tries what is asked for, one thing at a time, and looks after shadows, for as long as the console runs.

A trial has a process of its own: it takes minutes of a processor, and can be stopped at any moment.
"""

import asyncio
from contextlib import suppress

import structlog
from msgspec.structs import replace

from console.desk import Desk
from console.tuning import shadows, trials
from console.tuning.trials import Tried
from console.tuning.truth import truth_of
from console.tuning.tuner import TrialRefused, Tuner
from records.trial import TrialProgress
from records.truth import Truth

log = structlog.get_logger()

LOOK_SECS = 5.0  # for what was asked while nobody told us of it
TELL_SECS = 0.5  # how often it is entered how far a trial is


async def run(desk: Desk) -> None:
    """Try what is asked for, for ever. What was under way when we last ended is broken off."""
    if desk.tuner is None:
        return
    await trials.break_off(desk.engine, desk.clock.now())
    while True:
        desk.bench_asked.clear()
        await shadows.look_after(desk)
        for tried in await trials.waiting(desk.engine):
            if await trials.begin(desk.engine, tried.trial_id):
                await _try(desk, desk.tuner, tried)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECS):
                await desk.bench_asked.wait()


async def _try(desk: Desk, tuner: Tuner, tried: Tried) -> None:
    """Make one trial; one that is stopped meanwhile is left at once."""
    progress = _Progress()
    truth = await _truth(desk, tried)
    making = asyncio.create_task(tuner.run(replace(tried.asked, truth=truth), progress.note))
    try:
        while not making.done():
            await asyncio.wait({making}, timeout=TELL_SECS)
            if not await trials.advance(desk.engine, tried.trial_id, progress.part, progress.done):
                return
        found = making.result()
    except (TrialRefused, OSError) as error:  # the machine has no room for another process
        await trials.fail(desk.engine, tried.trial_id, str(error), desk.clock.now())
    else:
        await trials.end(desk.engine, tried.trial_id, found, desk.clock.now())
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


async def _truth(desk: Desk, tried: Tried) -> Truth:
    """Return what is known of the stretch of the recording that it is tried on."""
    since, until = tried.asked.since, tried.asked.until
    return Truth() if since is None else await truth_of(desk.engine, since, until or desk.clock.now())


class _Progress:
    """How far a trial is, as it last said."""

    def __init__(self) -> None:
        self.part = ""
        self.done = 0.0

    def note(self, said: TrialProgress) -> None:
        """Take note of it."""
        self.part, self.done = said.part, said.done
