"""Detect: signals and ticks become alert revisions, on the state of one hazard in one area."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, cast

from detectors.detector import Detector, Shelf
from detectors.profile import Profile
from records import Alert, BrokenInvariant, ProfileChange, Retraction, Signal, Statement, Tick

TOGETHER_FROM = 8
"""So many values at once are more than come in quiet: a worker is behind, and must not fall back further."""
OnShelf = Signal | Tick | Statement | Retraction | ProfileChange


class Failed(NamedTuple):
    """One value that the detector could not take, by its number in the batch."""

    number: int
    detail: str


@dataclass
class Detected:
    """What one batch of one partition gives: changes to keep, and then revisions to send."""

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

    Shape   the values of one partition, in its order; state only on its `shelf`. Where so many of them wait that they
            are `together_from` or more, the signals of one key between two other values are taken in by their times
    Errors  BrokenInvariant alone: our own state is wrong
    """

    detector: Detector
    together_from: int | None = None  # None: one by one, the same revisions however the values come in batches

    def __call__(self, values: Sequence[OnShelf], shelf: Shelf) -> Detected:
        """Return the revisions that a batch causes, and what the table lacks then."""
        result = Detected()
        before = shelf.profile_changes
        for numbers in self._together(values):
            self._take(numbers, values, shelf, result)
        failed = {one.number for one in result.failed}
        for number, value in enumerate(values):
            if number not in failed and not isinstance(value, Retraction | ProfileChange):
                result.due[value.key] = None
        for key in result.due:
            result.due[key] = self.detector.next_due(key, shelf)
        if shelf.profile_changes != before:
            result.profile = self.detector.profile_in_force(shelf)
        result.rewritten = shelf.rewritten()
        result.changes = shelf.changes()
        return result

    def _together(self, values: Sequence[OnShelf]) -> Iterator[list[int]]:
        """Yield the numbers of values that are taken in together: signals of one key that nothing else lies between."""
        signals: dict[str, list[int]] = {}
        is_pressed = self.together_from is not None and len(values) >= self.together_from
        for number, value in enumerate(values):
            if is_pressed and isinstance(value, Signal):
                signals.setdefault(value.key, []).append(number)
                continue
            yield from signals.values()
            signals = {}
            yield [number]
        yield from signals.values()

    def _take(self, numbers: Sequence[int], values: Sequence[OnShelf], shelf: Shelf, result: Detected) -> None:
        try:
            for number, alerts in self._told(numbers, values, shelf):
                result.alerts.extend(alerts)
                result.causes.extend([number] * len(alerts))
        except BrokenInvariant:
            raise
        except Exception as error:  # noqa: BLE001  a bug in a detector must not cost the signal, nor those beside it
            if len(numbers) == 1:
                result.failed.append(Failed(numbers[0], repr(error)))
                return
            for number in numbers:  # what was taken in already says nothing new
                self._take([number], values, shelf, result)

    def _told(
        self, numbers: Sequence[int], values: Sequence[OnShelf], shelf: Shelf
    ) -> Iterator[tuple[int, list[Alert]]]:
        """Yield the revisions that values cause, each with the number of the one that causes it."""
        if len(numbers) == 1:
            yield numbers[0], self._one(values[numbers[0]], shelf)
            return
        signals = [cast(Signal, values[number]) for number in numbers]
        for place, alerts in self.detector.observe_together(signals, shelf):
            yield numbers[place], alerts

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
