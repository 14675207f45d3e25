"""Agenda: which nodes of a hazard and area wait for time to pass, and no sooner than when.

A due moment here is a lower bound: posts only move the real one later, and are not worth a write each. A tick that
comes too early finds nothing to do and puts the entry right.
"""

from datetime import datetime

from detectors.case import Case
from detectors.lifecycle import due_at
from detectors.moment import instant_from
from detectors.state import Agenda, Desk, Store


def next_due(key: str, store: Store) -> datetime | None:
    """Return when a hazard and area need time to pass at the earliest, None while nothing waits there."""
    agenda = Desk(store, key).read(Agenda, "agenda")
    if agenda is None or not agenda.due_at:
        return None
    return instant_from(min(agenda.due_at.values()))


def due_nodes(desk: Desk, at: int) -> list[str]:
    """Return the nodes that may be due by then."""
    agenda = desk.read(Agenda, "agenda")
    if agenda is None:
        return []
    return sorted(node_id for node_id, due in agenda.due_at.items() if due <= at)


def due_of(case: Case) -> int | None:
    """Return when time must next pass for a node, None where nothing waits."""
    incident, stat, node = case.incident(), case.stat(), case.node
    dues = [node.forget_at] if node.forget_at else []
    if incident is not None and stat is not None:
        watched = case.watched
        thresholds = watched.thresholds(stat.weight)
        dues.append(due_at(incident, stat, watched.settings, watched.rates, thresholds))
    return min(dues, default=None)


def enter(case: Case) -> None:
    """Have a node's next due moment stand on the agenda, or a sooner one."""
    due = due_of(case)
    if due is None:
        return
    agenda = case.desk.read(Agenda, "agenda") or Agenda()
    known = agenda.due_at.get(case.node_id)
    case.node.is_on_agenda = True
    if known is None or due < known:
        agenda.due_at[case.node_id] = due
        case.desk.stage("agenda", agenda)


def correct(case: Case) -> None:
    """Put a node's entry right after time has passed, or strike it out."""
    agenda = case.desk.read(Agenda, "agenda") or Agenda()
    due = due_of(case)
    if due is None:
        agenda.due_at.pop(case.node_id, None)
    else:
        agenda.due_at[case.node_id] = due
    case.node.is_on_agenda = due is not None
    if agenda.due_at:
        case.desk.stage("agenda", agenda)
    else:
        case.desk.drop("agenda")
