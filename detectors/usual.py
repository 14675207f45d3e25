"""Usual: how many posts are usual at a moment, as the statistic compares with them.

Units   rates in posts a minute but where a name says an hour
Source  docs/detection.md 2.2
"""

from datetime import datetime
from typing import Final

from detectors.baseline import busier
from detectors.case import Case
from detectors.moment import instant_from
from detectors.state import APART, Incident
from detectors.week import SHAPE, hour_of_week, local_time

THIS_WEEK: Final = "shape"
MINUTES: Final = 60.0


def local_at(case: Case, at: int, degrees_east: float) -> datetime:
    """Return a moment by the sun of a place."""
    profile = case.watched.profile
    return local_time(instant_from(at), zone=profile.zone, degrees_east=degrees_east - profile.reference_lon)


def factor_at(case: Case, local: datetime) -> float:
    """Return how many times more posts than on average there are at an hour of the week."""
    week = case.ledger.weeks.get(THIS_WEEK)
    return week.factor(hour_of_week(local, case.watched.profile.holidays)) if week is not None else SHAPE[local.hour]


def usual_per_hour(case: Case, incident: Incident, at: int) -> float:
    """Return how many posts of evidence an hour are usual at the nodes of an incident at a moment, without it."""
    weak_share = case.watched.profile.weak_share
    usual = 0.0
    for part in incident.parts:
        factor = factor_at(case, local_at(case, at, part.lon))
        node = case.ledger.nodes.get(part.node.partition(APART)[0])
        weak_rate = part.level * weak_share
        excess = busier(node.baseline, at, weak_rate=weak_rate, shape=factor) if node is not None else 1.0
        usual += part.level * factor * excess
    return round(MINUTES * (1.0 - weak_share) * usual, 4)
