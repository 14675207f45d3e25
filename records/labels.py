"""Labels: by what an alert is told apart from others, for routes, silences and Alertmanager."""

from collections.abc import Mapping
from typing import Final, get_args

from records.alert import Alert, Certainty, Level, Severity
from records.signal import HAZARDS

LABELS: Final = ("hazard", "area", "place", "insee", "epci", "level", "severity", "certainty", "incident_id")
"""In the order in which people choose among them."""
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "hazard": tuple(HAZARDS),
    "level": get_args(Level),
    "severity": get_args(Severity),
    "certainty": get_args(Certainty),
}
"""What some labels can be."""


def labels_of(alert: Alert) -> Mapping[str, str]:
    """Return the labels of an alert; what is not known has none."""
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
