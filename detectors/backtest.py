"""Backtest: a recorded past decided again, by whatever profile, as if it came in now.

The detector is the one that runs live, driven in the same order: values as they came, and time passing in between
whenever something is due. So a recording from the first signal on gives the alerts that were given then, where signals
came in their order. Where one came late, a revision may differ: what is due is due here at its moment, and live at the
worker's next tick, some seconds later; a signal that comes in between, and was said before it was due, puts it off
live, and takes it back here. What is believed in the end is the same; what was told on the way may not be.

Shape   values in the order in which they stood on `signals.v1`; until: so long time passes, for what falls by silence
Units   event time; `Told.at` is when people would have heard, which for a late signal is when it came
Errors  none of a value: one that the detector cannot take costs itself, as it does live, and is counted.
        BrokenInvariant, and whatever `on_progress` raises, ends it
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from detectors.detector import Detector, Shelf
from detectors.duty import Duty
from detectors.neighbours import Neighbours
from detectors.profile import Profile
from records import Alert, BrokenInvariant, Place, Retraction, Signal, Statement, Tick
from records.signal import Hazard

Value = Signal | Statement | Retraction
OnProgress = Callable[[float], None]
"""Told how much is done, 0 to 1; it may raise to have done with it."""

STEPS = 200
"""How often progress is told of, at most."""
WRITTEN_TOGETHER = 32
"""Values after which what a table would be given is let go."""
AGAIN = timedelta(seconds=5)
"""What is still due after time has passed for it is asked again so much later, as by a worker's ticks."""


class Told(NamedTuple):
    """A revision, and when people would have heard of it."""

    at: datetime
    alert: Alert


class Replayed(NamedTuple):
    """What a profile made of a recording, in order of event time."""

    told: tuple[Told, ...]
    failed: int  # values, and passings of time, that the detector could not take


class _Nothing:
    """A table that holds nothing: all stays in the shelf's hands."""

    def get(self, key: str) -> bytes | None:
        return None


class _Run:
    """One detector and the times at which it is due."""

    def __init__(self, profile: Profile, places: Mapping[str, Place] | None, duties: Sequence[Duty]) -> None:
        self._detector = Detector(profile, places, duties)
        self._shelf = Shelf(_Nothing())
        self._agenda: list[tuple[datetime, str]] = []
        self._due: dict[str, datetime] = {}  # of what stands on the agenda, the time that holds
        self._unwritten = 0
        self.failed = 0

    def take(self, value: Value) -> list[Alert]:
        """Decide on one value; one that cannot be taken is counted."""
        try:
            alerts = self._take(value)
        except BrokenInvariant:
            raise
        except Exception:  # noqa: BLE001  a bug in the detector costs the signal live as well
            self.failed += 1
            return []
        self._write()
        if not isinstance(value, Retraction):
            self._note_due(value.key)
        return alerts

    def _take(self, value: Value) -> list[Alert]:
        if isinstance(value, Signal):
            return self._detector.observe(value, self._shelf)
        if isinstance(value, Statement):
            return self._detector.heed(value, self._shelf)
        return self._detector.retract(value, self._shelf)

    def passed(self, since: datetime, until: datetime) -> Iterator[Told]:
        """Let time pass and yield what is due by then, each at its own time; what was due before, at once."""
        while self._agenda and self._agenda[0][0] <= until:
            at, key = heapq.heappop(self._agenda)
            if self._due.get(key) != at:
                continue
            del self._due[key]
            for alert in self._passed(key, at):
                yield Told(max(at, since), alert)

    def _passed(self, key: str, at: datetime) -> list[Alert]:
        """Let time pass for one state; where that cannot be done, it waits for its next value."""
        hazard, _, area = key.partition("/")
        try:
            alerts = self._detector.pass_time(Tick(hazard=cast(Hazard, hazard), area=area, at=at), self._shelf)
        except BrokenInvariant:
            raise
        except Exception:  # noqa: BLE001  a bug in the detector costs the tick live as well
            self.failed += 1
            return []
        self._note_due(key, after=at)
        return alerts

    def _note_due(self, key: str, after: datetime | None = None) -> None:
        at = self._detector.next_due(key, self._shelf)
        if at is None:
            self._due.pop(key, None)
            return
        if after is not None and at <= after:
            at = after + AGAIN
        if self._due.get(key) != at:
            self._due[key] = at
            heapq.heappush(self._agenda, (at, key))

    def _write(self) -> None:
        self._unwritten += 1
        if self._unwritten >= WRITTEN_TOGETHER:
            self._shelf.keep_nothing()
            self._unwritten = 0


def replayed(
    profile: Profile,
    values: Sequence[Value],
    *,
    until: datetime,
    places: Mapping[str, Place] | None = None,
    duties: Sequence[Duty] = (),
    on_progress: OnProgress = lambda _: None,
) -> Replayed:
    """Return every revision that a profile would have told of, and when."""
    run = _Run(profile, places, duties)
    told: list[Told] = []
    now: datetime | None = None
    every = max(1, len(values) // STEPS)
    for number, value in enumerate(values):
        if number % every == 0:
            on_progress(number / len(values))
        came = came_at(value)
        before = now or came
        now = max(before, came)
        told.extend(run.passed(before, now))
        told.extend(Told(now, alert) for alert in run.take(value))
    told.extend(run.passed(now or until, until))
    on_progress(1.0)
    told.sort(key=lambda one: (one.alert.raised_at, one.alert.incident_id, one.alert.revision))
    neighbours = Neighbours(profile)
    return Replayed(tuple(Told(one.at, neighbours.joined(one.alert)) for one in told), run.failed)


def came_at(value: Value) -> datetime:
    """Return when a value reached the detectors."""
    return value.received_at if isinstance(value, Signal) else value.at
