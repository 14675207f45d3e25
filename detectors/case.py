"""Case: one node's state during one call, and the signal that the call is about."""

from dataclasses import dataclass

from detectors.moment import HOUR
from detectors.profile import HazardProfile, Profile
from detectors.state import Desk, Exhibit, Folds, Incident, Node, Stat
from detectors.statistic import Rates
from detectors.thresholds import Thresholds, thresholds_for
from records import Signal
from records.signal import Hazard

PATIENCE = 8
"""An incident may keep its place from learning for so many times the hours in which it may come back."""


class Watched:
    """One hazard that a profile watches, with what follows from its settings."""

    def __init__(self, profile: Profile, hazard: Hazard) -> None:
        self.profile = profile
        self.name = hazard
        self.settings: HazardProfile = profile.hazard[hazard]
        self.rates: Rates = profile.rates_of(hazard)
        self.memory = int(self.settings.memory_hours * HOUR)  # microseconds
        self.patience = PATIENCE * int(self.settings.reopen_hours * HOUR)
        self._thresholds: dict[float, Thresholds] = {}

    def thresholds(self, weight: float) -> Thresholds:
        """Return the levels for a node of this weight."""
        known = self._thresholds.get(weight)
        if known is None:
            known = thresholds_for(self.profile.budget_of(weight), eta=self.settings.eta)
            self._thresholds[weight] = known
        return known


@dataclass
class Case:
    """One node during one call."""

    desk: Desk
    area: str
    watched: Watched
    node_id: str
    node: Node

    def stat(self) -> Stat | None:
        """Return the node's statistic, None where no post ever counted."""
        found = self.desk.read(Stat, f"stat/{self.node_id}")
        rates = self.watched.rates
        if found is not None and len(found.values) != len(rates.per_minute):  # the profile has other rates now
            found.values, found.sums = rates.idle, [0.0] * len(rates.per_minute)
            found.onsets = [found.at] * len(rates.per_minute)
        return found

    def incident(self) -> Incident | None:
        """Return the node's incident, None where there is none, nor one that may reopen."""
        return self.desk.read(Incident, f"incident/{self.node_id}")

    def onset(self) -> int | None:
        """Return when the node's incident began, None where there is none."""
        incident = self.incident()
        return incident.onset_at if incident is not None else None

    def exhibit(self) -> Exhibit:
        """Return what is shown."""
        return self.desk.read(Exhibit, f"exhibit/{self.node_id}") or Exhibit()

    def folds(self) -> Folds:
        """Return the copies counted."""
        return self.desk.read(Folds, f"folds/{self.node_id}") or Folds()

    def stage(self, value: Node | Stat | Incident | Exhibit | Folds) -> None:
        """Have one of the node's values written."""
        self.desk.stage(f"{type(value).__name__.lower()}/{self.node_id}", value)

    def drop(self, kind: type[Incident | Exhibit | Folds]) -> None:
        """Have one of the node's values removed."""
        self.desk.drop(f"{kind.__name__.lower()}/{self.node_id}")


@dataclass(frozen=True)
class Told:
    """One signal, as its node takes it."""

    signal: Signal
    at: int  # the node's time: never before its last signal
    event_at: int
    ratio: float  # clipped likelihood ratio
    names: list[str]  # author first, then contents
