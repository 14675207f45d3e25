"""Showing: what the detectors' state says, as metrics: incidents that are going on, what was raised, what is usual.

All of it follows from the state, so a worker that is started again, or takes partitions over, shows the same.

Shape   `found` when the table is there, `changed` after each batch, `look` now and then, `forget` when it goes
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import product

import pygeohash
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detectors.detector import Detector, Shelf
from detectors.profile import Profile
from detectors.standing import Standing
from detectors.state import OPEN
from records import Alert, Place
from streams import metrics

MOST = 200
"""Incidents that are shown each by itself: each is a series, and a map with more is not read."""
FINE = 7  # characters of a geohash: 150 metres
COARSE = 5  # five kilometres
LABELS = ("incident_id", "hazard", "level", "area", "place", "geohash")


class Incidents(Collector):
    """The incidents that are going on, whole at each scrape: none is shown twice, or left out, while it changes."""

    def __init__(self) -> None:
        self.hazards: Sequence[str] = ()
        self.open: Callable[[], Sequence[Alert]] = tuple
        """Returns what is going on; asked at each scrape, from a thread beside, and not at each change."""

    def collect(self) -> Iterator[Metric]:
        """Yield them one by one as far as they are shown, how many more there are, and how many of each kind."""
        alerts = self.open()
        active = GaugeMetricFamily(
            "vigie_incident_active",
            f"1 for each incident that is going on, the {MOST} highest and newest. Labels change with its level and "
            "place, and it goes when it is over. No `geohash`: nobody knows where in the area it is.",
            labels=LABELS,
        )
        for alert in alerts[:MOST]:
            active.add_metric(labels_of(alert), 1)
        yield active
        yield GaugeMetricFamily(
            "vigie_incidents_active_hidden",
            "Incidents going on that are not shown one by one. Above zero: the map lacks some, look at the console.",
            value=max(0, len(alerts) - MOST),
        )
        counts: Counter[tuple[str, str]] = Counter((alert.hazard, alert.level) for alert in alerts)
        incidents = GaugeMetricFamily(
            "vigie_incidents",
            "Incidents that are going on, as they were last told. Many at once in one hazard: a large event, or its "
            "baseline has gone wrong.",
            labels=("hazard", "level"),
        )
        for kind in dict.fromkeys([*product(self.hazards, OPEN), *counts]):
            incidents.add_metric(kind, counts[kind])
        yield incidents


INCIDENTS = Incidents()
metrics.WORKER.register(INCIDENTS)


class Showing:
    """What one worker shows of the partitions that are its own."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._standing = Standing()
        hazards = detector.profile.hazards
        INCIDENTS.hazards, INCIDENTS.open = hazards, self._standing.open
        metrics.start_at_zero(metrics.SIGNALS_SENT, hazards)
        metrics.start_at_zero(metrics.RAISED, hazards, ("watch", "alert"))
        metrics.start_at_zero(metrics.POST_TO_ALERT, hazards, ("watch", "alert"))
        self.decides_by(detector.profile)

    def decides_by(self, profile: Profile) -> None:
        """Show what the profile in force accepts."""
        metrics.BUDGET.labels("watch").set(profile.budget.watch)
        metrics.BUDGET.labels("alert").set(profile.budget.alert)

    def found(self, keys: Iterable[str], shelf: Shelf) -> None:
        """Take up what stands under keys, after a start or a takeover: it was raised before."""
        for key in keys:
            if key.partition("/")[0] in self._detector.profile.hazards:
                self._standing.look(key, shelf)

    def changed(self, alerts: Collection[Alert], shelf: Shelf) -> None:
        """Take up what a batch has changed: no more than the areas that told something."""
        for key in sorted({f"{alert.state_hazard}/{alert.area}" for alert in alerts}):
            for raised in self._standing.look(key, shelf):
                metrics.RAISED.labels(raised.hazard, raised.level).inc()

    def look(self, shelves: Iterable[Shelf], now: datetime) -> None:
        """Show how many posts come beside how many are usual."""
        areas: Counter[str] = Counter()
        usual: dict[str, float] = defaultdict(float)
        came: Counter[str] = Counter()
        for shelf in shelves:
            for rate in self._detector.rates(shelf, now):
                areas[rate.hazard] += 1
                usual[rate.hazard] += rate.usual
                came[rate.hazard] += rate.came
        for hazard in self._detector.profile.hazards:
            metrics.AREAS.labels(hazard).set(areas[hazard])
            metrics.USUAL.labels(hazard).set(usual[hazard])
            metrics.CAME.labels(hazard).set(came[hazard])

    def forget(self) -> None:
        """Show nothing: the partitions may be another worker's now."""
        self._standing.forget()


def labels_of(alert: Alert) -> tuple[str, ...]:
    """Return the labels of an incident, none of them a post's word or an author."""
    place = alert.place
    name = "" if place.place_id.startswith("point:") else place.name  # far from all that has a name: it is coordinates
    return (alert.incident_id, alert.hazard, alert.level, alert.area, name, geohash_of(place))


def geohash_of(place: Place) -> str:
    """Return where a place is on a map; empty where that would be the middle of a large area, or a guess.

    Where a witness stood is nobody's business for as long as Prometheus keeps it: such a point is made coarse.
    """
    precision = COARSE if place.level == "point" else FINE
    return pygeohash.encode(place.lat, place.lon, precision=precision) if place.is_point else ""
