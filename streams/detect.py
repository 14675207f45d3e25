"""Detect: signals and ticks become alert revisions, on the state of one hazard in one area."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import structlog

from detectors.detector import Detector
from records import Alert, BrokenInvariant, Signal, Tick
from streams.state import Overlay, Reads

log = structlog.get_logger()


class Failed(NamedTuple):
    """One value that the detector could not take, by its number in the batch."""

    number: int
    detail: str


@dataclass
class Detected:
    """What one batch of one partition gives: revisions to send first, then changes to keep."""

    changes: Overlay
    alerts: list[Alert] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    due: dict[str, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Detect:
    """The step from signals to alerts.

    Shape   the values of one partition, in its order; state only in what `store` holds
    Errors  BrokenInvariant alone: our own state is wrong
    """

    detector: Detector

    def __call__(self, values: Sequence[Signal | Tick], store: Reads) -> Detected:
        """Return the revisions that a batch causes and the state it leaves."""
        result = Detected(changes=Overlay(store))
        for number, value in enumerate(values):
            attempt = Overlay(result.changes)
            try:
                alerts = self._one(value, attempt)
            except BrokenInvariant:
                raise
            except Exception as error:  # noqa: BLE001  a bug in a detector must not cost the signal
                result.failed.append(Failed(number, repr(error)))
                continue
            result.changes.take_over(attempt)
            result.alerts.extend(alerts)
            result.due[value.key] = self.detector.next_due(value.key, result.changes)
        return result

    def _one(self, value: Signal | Tick, store: Overlay) -> list[Alert]:
        if isinstance(value, Tick):
            return self.detector.pass_time(value, store)
        return self.detector.observe(value, store)
