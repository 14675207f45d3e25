"""Case: one ledger during one call, with what the profile says of its hazard."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from detectors.duty import Duty
from detectors.ledger import IN_FORCE, INCIDENT, NODE, PROFILE, Ledger
from detectors.moment import HOUR
from detectors.profile import HazardProfile, Profile
from detectors.state import Incident, InForce, Node, order_of
from detectors.statistic import Rates
from detectors.thresholds import Thresholds, thresholds_for
from records import Alert, Place
from records.signal import Hazard

PATIENCE = 8
"""An incident may keep its place from learning for so many times the hours in which it may come back."""


class Watched:
    """One hazard that a profile watches, with what follows from its settings."""

    def __init__(
        self, profile: Profile, hazard: Hazard, places: Mapping[str, Place], duties: Sequence[Duty] = ()
    ) -> None:
        self.profile = profile
        self.name = hazard
        self.places = places  # of the tree's wider nodes
        self.duties = duties  # whom to call
        self.settings: HazardProfile = profile.hazard[hazard]
        self.rates: Rates = profile.rates_of(hazard)
        self.memory = int(self.settings.memory_hours * HOUR)  # microseconds
        self.patience = PATIENCE * int(self.settings.reopen_hours * HOUR)
        self._weights: dict[tuple[str, float, float], float] = {}
        self._thresholds: dict[float, Thresholds] = {}

    def weight(self, name: str, area: str, node: Node) -> float:
        """Return omega: the part of the budget that a node may spend."""
        where = name, node.lat, node.lon  # which a late first post may shift
        known = self._weights.get(where)
        if known is None:
            known = self._weights[where] = self.profile.weight_of(name, area, node.lat, node.lon)
        return known

    def thresholds(self, weight: float) -> Thresholds:
        """Return the levels for a node of this weight."""
        known = self._thresholds.get(weight)
        if known is None:
            known = thresholds_for(self.profile.budget_of(weight), eta=self.settings.eta)
            self._thresholds[weight] = known
        return known


Telling = Literal["at once", "later", "none"]
"""While steps are worked out again, what they go through is kept for later: only then is it known what is news. From a
table, nothing is told."""


class Passed(NamedTuple):
    """What an incident went through: how it was, since when, and what the profile said then."""

    at: int
    incident: Incident
    by: Watched


@dataclass
class Case:
    """One ledger during one call."""

    ledger: Ledger
    area: str
    usual: Watched  # what the profile of the settings says
    telling: Telling = "at once"
    passed: dict[str, list[Passed]] = field(default_factory=dict)
    """What incidents went through while steps were worked out again: each change of level, and when."""
    alerts: list[Alert] = field(default_factory=list)
    by: Callable[[str], Watched] | None = None
    """What a changed profile says, by the id of the change."""
    _back_then: Watched | None = None

    @property
    def watched(self) -> Watched:
        """What the profile says by which the ledger is worked out at this point."""
        if self.by is None:  # asked a dozen times a signal
            return self.usual
        if self._back_then is not None:
            return self._back_then
        in_force = self.ledger.profiles.get(IN_FORCE)
        return self.usual if in_force is None else self.by(in_force.change_id)

    @contextmanager
    def as_of(self, by: Watched) -> Iterator[None]:
        """Speak of what was, by what the profile said then."""
        self._back_then = by
        try:
            yield
        finally:
            self._back_then = None

    def put_in_force(self, change_id: str) -> None:
        """Go on by another profile."""
        self.ledger.put(PROFILE, IN_FORCE, InForce(change_id))

    def seen(self) -> dict[str, Incident]:
        """Return the incidents that are there, and those that were while steps were worked out again, by their ids."""
        seen = {name: passed[-1].incident for name, passed in self.passed.items()}
        return seen | {incident.incident_id: incident for incident in self.ledger.incidents.values()}

    def open_incidents(self) -> list[Incident]:
        """Return what is going on in the area, oldest first."""
        incidents = self.ledger.incidents
        if not incidents:
            return []
        return sorted((one for one in incidents.values() if one.is_open), key=order_of)

    def named(self, names: Iterable[str]) -> Iterator[Incident]:
        """Yield the incidents that are led by some nodes."""
        return (self.ledger.incidents[name] for name in names)

    def thresholds(self, name: str, node: Node) -> Thresholds:
        """Return the levels of a node."""
        return self.watched.thresholds(self.watched.weight(name, self.area, node))

    def thresholds_of(self, incident: Incident) -> Thresholds:
        """Return the levels of an incident: those of the node that leads."""
        return self.thresholds(incident.ground, self.ledger.nodes[incident.ground])

    def put_node(self, name: str, node: Node) -> None:
        """Set a node."""
        self.ledger.put(NODE, name, node)

    def put_incident(self, incident: Incident) -> None:
        """Set an incident, at its node."""
        self.ledger.put(INCIDENT, incident.node, incident)

    def drop_incident(self, node: str) -> None:
        """Take an incident away."""
        self.ledger.put(INCIDENT, node, None)
