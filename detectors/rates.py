"""Rates: how many posts of a hazard came lately in one area, beside how many are usual there at this hour.

Both count what the baseline counts: strong and weak posts, no relay and no repeat. What is usual is the level that was
learned, by the hour of the week, without what is talked of elsewhere: a dashboard is to show just that.

Shape   one rate for each ledger in use; nothing is changed
Units   posts an hour, over the last hour of event time
Source  docs/detection.md 2.2
"""

from typing import NamedTuple

from detectors.baseline import rolled
from detectors.case import Case
from detectors.entry import Entry
from detectors.moment import HOUR
from detectors.state import Node
from detectors.usual import MINUTES, factor_at, local_at
from records.signal import Hazard

WIDEST = ("fr:dep:", "admin1:", "fr:reg:", "country:")
"""Of an area, and of what is wider and has a state of its own: under none of them lies another."""


class Rate(NamedTuple):
    """Posts of one hazard in one area."""

    hazard: Hazard
    area: str
    usual: float
    came: int


def rate_of(case: Case, at: int) -> Rate:
    """Return what is usual in an area at a moment, and what came within the hour before it."""
    widest = (node for name, node in case.ledger.nodes.items() if name == "world" or name.startswith(WIDEST))
    usual = sum(_usual_at(case, node, at) for node in widest)
    return Rate(case.usual.name, case.area, usual, _came(case, at))


def _usual_at(case: Case, node: Node, at: int) -> float:
    watched = case.watched
    baseline = rolled(node.baseline, at, patience=watched.patience)
    level = baseline.level(watched.profile.usual_rate(watched.name, node.population))
    return level * factor_at(case, local_at(case, at, node.lon)) * MINUTES


def _came(case: Case, at: int) -> int:
    came = 0
    for step in reversed(case.ledger.steps):
        if step.order[0] <= at - HOUR:
            break
        came += step.entry is not None and step.order[0] <= at and _is_counted(step.entry)
    return came


def _is_counted(entry: Entry) -> bool:
    """Tell whether the baseline counts an entry: weak ones once an author, strong ones unless they repeat one."""
    if not entry.is_post or entry.is_relay:
        return False
    return bool(entry.odds and entry.odds[-1]) if entry.is_weak else not entry.original
