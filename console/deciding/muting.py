"""Muting: which silences keep notifications of an incident back now. What they mute is shown all the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from records import Alert, Silence


def muting(silences: Iterable[Silence], alert: Alert, now: datetime) -> tuple[Silence, ...]:
    """Return the silences in force that hold for an incident."""
    labels = labels_of(alert)
    return tuple(one for one in silences if one.holds(labels, now))


def labels_of(alert: Alert) -> Mapping[str, str]:
    """Return the labels of an incident that matchers go by, under the names that its notifications bear."""
    place = alert.place
    labels = {
        "incident_id": alert.incident_id,
        "hazard": alert.hazard,
        "level": alert.level,
        "severity": alert.severity,
        "certainty": alert.certainty,
        "area": alert.area,
        "insee": place.insee,
        "epci": place.epci,
        "place": place.name,
    }
    return {name: value for name, value in labels.items() if value}
