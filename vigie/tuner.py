"""Tuner: what the console's bench needs of the detectors: settings, bounds, scenarios, and trials by processes."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from console.tuning.tuner import Offered, Recorded, TrialRefused
from detectors import profile_form
from records import SettingsError
from records.profile_setting import ProfileProblem, ProfileSetting
from records.trial import Trial, TrialAsked, TrialDone, TrialFailed, TrialProgress
from vigie.scenarios.scenario import library, scenario_from
from vigie.settings import RECORDING, Settings
from vigie.trial_order import TrialOrder

READINGS = "scenarios"  # the folder of what posts of scenarios become, in data.dir
LONGEST_LINE = 256 * 1024 * 1024  # bytes: a report of thirty days
STOP_SECS = 5.0
SAID: Any = TrialProgress | TrialDone | TrialFailed


class LocalTuner:
    """Tries profiles on this machine.

    Errors  none of what it is given; a trial that comes to no end says why
    """

    def __init__(self, settings: Settings) -> None:
        self._commune = settings.territory.commune
        self._recording = settings.data.dir / RECORDING
        self._readings = settings.data.dir / READINGS
        self._can_read = settings.recording.is_there

    def settings(self) -> Sequence[ProfileSetting]:
        """Return every setting of a profile."""
        return profile_form.settings()

    def problems(self, toml: str) -> Sequence[ProfileProblem]:
        """Return all that is wrong with a profile's text here."""
        return profile_form.problems_with(toml, has_home=bool(self._commune))

    def scenarios(self) -> Sequence[Offered]:
        """Return the scenarios that ship."""
        return _offered()

    def recorded(self) -> Recorded | None:
        """Return how far back the recording reaches."""
        if not self._can_read or not self._recording.exists():
            return None
        return _span(self._recording)

    async def run(self, asked: TrialAsked, on_progress: Callable[[TrialProgress], None]) -> Trial:
        """Make a trial in a process of its own.

        Errors  TrialRefused when it comes to no end
        """
        order = TrialOrder(
            asked=asked, commune=self._commune, recording=str(self._recording), readings=str(self._readings)
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vigie",
            "trial",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C reaches us, and we stop it
        )
        try:
            return await _answer(process, msgspec.json.encode(order), on_progress)
        finally:
            await _ended(process)


async def _answer(
    process: asyncio.subprocess.Process, order: bytes, on_progress: Callable[[TrialProgress], None]
) -> Trial:
    if process.stdin is None or process.stdout is None:
        raise TrialRefused("its process cannot be spoken to")
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(order)
        await process.stdin.drain()
    process.stdin.close()
    async for line in process.stdout:
        said = _said(line)
        if isinstance(said, TrialDone):
            return said.trial
        if isinstance(said, TrialFailed):
            raise TrialRefused(said.why)
        on_progress(said)
    raise TrialRefused(f"its process ended with status {await process.wait()} before it was done")


def _said(line: bytes) -> TrialProgress | TrialDone | TrialFailed:
    try:
        found: TrialProgress | TrialDone | TrialFailed = msgspec.json.decode(line, type=SAID)
    except msgspec.MsgspecError as error:
        raise TrialRefused(f"its process said what cannot be read: {error}") from error
    return found


async def _ended(process: asyncio.subprocess.Process) -> None:
    """See to it that a process is gone, by force where it does not go."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@cache
def _offered() -> tuple[Offered, ...]:
    found = []
    for name in library():
        scenario = scenario_from(name)
        label, summary = (
            {language: words.of(language) for language in ("fr", "en")} for words in (scenario.title, scenario.summary)
        )
        found.append(Offered(name, label, summary, scenario.hours / 24))
    return tuple(found)


def _span(folder: Path) -> Recorded | None:
    """Return from when until when something was recorded, by the files' own words."""
    from vigie.recordings import Recordings  # noqa: PLC0415  needs the extra `recording`

    try:
        kept = [one for one in Recordings(folder).shown() if one.oldest_at and one.newest_at]
    except (SettingsError, OSError):
        return None
    times = [(one.oldest_at, one.newest_at) for one in kept if one.oldest_at and one.newest_at]
    if not times:
        return None
    return Recorded(min(oldest for oldest, _ in times), max(newest for _, newest in times))
