"""Detect: signals and ticks become alert revisions, on the state of one hazard in one area."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from detectors.detector import Detector, Shelf
from detectors.profile import Profile
from records import Alert, BrokenInvariant, ProfileChange, Retraction, Signal, Statement, Tick

OnShelf = Signal | Tick | Statement | Retraction | ProfileChange


class Failed(NamedTuple):
    """One value that the detector could not take, by its number in the batch."""

    number: int
    detail: str


@dataclass
class Detected:
    """What one batch of one partition gives: revisions to send first, then changes to keep."""

    changes: dict[str, bytes | None] = field(default_factory=dict)
    rewritten: dict[str, bytes] = field(default_factory=dict)  # without words now: kept first, in any parts
    alerts: list[Alert] = field(default_factory=list)
    causes: list[int] = field(default_factory=list)  # by which value of the batch each of them was caused
    failed: list[Failed] = field(default_factory=list)
    due: dict[str, datetime | None] = field(default_factory=dict)
    profile: Profile | None = None  # by which it is decided from here on; None where that is as before


@dataclass(frozen=True)
class Detect:
    """The step from signals to alerts.

    Shape   the values of one partition, in its order; state only on its `shelf`
    Errors  BrokenInvariant alone: our own state is wrong
    """

    detector: Detector

    def __call__(self, values: Sequence[OnShelf], shelf: Shelf) -> Detected:
        """Return the revisions that a batch causes, and what the table lacks then."""
        result = Detected()
        before = shelf.profile_changes
        for number, value in enumerate(values):
            try:
                alerts = self._one(value, shelf)
            except BrokenInvariant:
                raise
            except Exception as error:  # noqa: BLE001  a bug in a detector must not cost the signal
                result.failed.append(Failed(number, repr(error)))
                continue
            result.alerts.extend(alerts)
            result.causes.extend([number] * len(alerts))
            if not isinstance(value, Retraction | ProfileChange):
                result.due[value.key] = None
        for key in result.due:
            result.due[key] = self.detector.next_due(key, shelf)
        if shelf.profile_changes != before:
            result.profile = self.detector.profile_in_force(shelf)
        result.rewritten = shelf.rewritten()
        result.changes = shelf.changes()
        return result

    def _one(self, value: OnShelf, shelf: Shelf) -> list[Alert]:
        if isinstance(value, ProfileChange):
            self.detector.change_profile(value, shelf)
            return []
        if isinstance(value, Retraction):
            return self.detector.retract(value, shelf)
        if isinstance(value, Statement):
            return self.detector.heed(value, shelf)
        if isinstance(value, Tick):
            return self.detector.pass_time(value, shelf)
        return self.detector.observe(value, shelf)
