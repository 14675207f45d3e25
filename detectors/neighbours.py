"""Neighbours: one happening on both sides of a border is told as such.

Each area's state is its own, so a fire on the border of two départements is an incident in each. Whoever reads the
alerts of all areas sees both, and can say that the later one belongs to the earlier one. It is still told: what is
joined wrongly must not be lost.

Shape   `joined` for every revision, in the order in which they are told
Source  docs/detection.md 2.9, the rule for neighbours within an area
"""

from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple

from msgspec.structs import replace

from detectors.profile import Profile, kilometres_between
from detectors.state import OPEN
from records import Alert
from records.signal import Hazard


class Known(NamedTuple):
    """An incident as it was last told, and the one that it belongs to, if any."""

    alert: Alert
    found: str  # the one that it belongs to by where and when it is, whatever people say
    joins: str


class Neighbours:
    """The incidents going on in all areas."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._known: dict[str, Known] = {}
        self._over: dict[Hazard, list[tuple[datetime, str]]] = {}  # by hazard: since when what is over, a heap

    def joined(self, alert: Alert) -> Alert:
        """Return a revision with the id of the incident across the border that it belongs to, if there is one."""
        if alert.level == "signal":  # not an incident yet
            return alert
        known = self._known.get(alert.incident_id)
        found = known.found if known is not None else self._across_the_border(alert)
        joins = alert.joins or ("" if self._is_apart(alert, found) else found)
        if self._leads_back(joins, alert.incident_id):
            joins = ""
        self._known[alert.incident_id] = Known(alert, found, joins)
        if alert.level not in OPEN:
            heappush(self._over.setdefault(alert.hazard, []), (alert.raised_at, alert.incident_id))
        self._forget_before(alert.raised_at)
        return replace(alert, joins=joins)

    def _is_apart(self, alert: Alert, other: str) -> bool:
        """Tell whether a person said that two incidents are not one, of either."""
        known = self._known.get(other)
        return other in alert.apart_from or (known is not None and alert.incident_id in known.alert.apart_from)

    def _leads_back(self, joins: str, incident_id: str) -> bool:
        """Tell whether what one incident belongs to belongs to it: people may say so, in two areas at once."""
        seen: set[str] = set()
        while joins and joins not in seen:
            if joins == incident_id:
                return True
            seen.add(joins)
            joins = self._known[joins].joins if joins in self._known else ""
        return False

    def _across_the_border(self, alert: Alert) -> str:
        if alert.level not in OPEN or alert.hazard not in self.profile.hazard:
            return ""
        settings = self.profile.hazard[alert.hazard]
        soon = timedelta(minutes=settings.neighbour_minutes)
        for incident_id, (other, _, joins) in self._known.items():
            if other.hazard != alert.hazard or other.area == alert.area or other.level not in OPEN:
                continue
            apart = kilometres_between(alert.place.lat, alert.place.lon, other.place.lat, other.place.lon)
            if apart > settings.neighbour_km:
                continue
            since = max(other.onset, _last_post(other)) if settings.spreads else other.onset
            if abs(alert.onset - since) <= soon:
                return joins or incident_id
        return ""

    def _forget_before(self, now: datetime) -> None:
        for hazard, over in self._over.items():
            settings = self.profile.hazard.get(hazard)
            hours = timedelta(hours=settings.reopen_hours if settings is not None else 0.0)
            while over and over[0][0] + hours < now:
                since, incident_id = heappop(over)
                known = self._known.get(incident_id)
                if known is not None and known.alert.level not in OPEN and known.alert.raised_at == since:
                    del self._known[incident_id]


def _last_post(alert: Alert) -> datetime:
    return max((item.event_time for item in alert.evidence), default=alert.onset)
