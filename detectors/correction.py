"""Correction: what people said of an incident otherwise than its posts do, worked out of the decisions in force.

Shape   an incident in; its place, its hazard and what it belongs to, as they are shown, out
"""

from typing import Final

from msgspec.structs import replace

from detectors.state import APART, Incident
from records import Correction, Place, Verdict
from records.alert import Corrected
from records.signal import Hazard
from records.verdict import Decision

CORRECTS: Final[dict[Decision, Corrected]] = {
    "relocate": "place",
    "change_hazard": "hazard",
    "merge": "merge",
    "split": "split",
}


def place_of(incident: Incident) -> Place:
    """Return the place that is shown of an incident: where a person put it, else where its posts have it."""
    said = _latest(incident, "relocate")
    if said is None or said.place is None:
        return place_of_posts(incident)
    reason = f"placé par {said.decided_by}" + (f" : {said.reason}" if said.reason else "")
    return replace(said.place, confidence=1.0, source="person", reasons=(reason,))


def place_of_posts(incident: Incident) -> Place:
    """Return the place that posts of an incident name, as far as they agree."""
    return incident.votes[incident.shown].place


def is_placed(incident: Incident) -> bool:
    """Tell whether a person said where it is."""
    return _latest(incident, "relocate") is not None


def hazard_of(incident: Incident, watched: Hazard) -> Hazard:
    """Return the hazard that is shown of an incident: what a person read it as, else the one of its state."""
    said = _latest(incident, "change_hazard")
    return said.read_as if said is not None and said.read_as is not None else watched


def joins_of(incident: Incident) -> str:
    """Return the incident that a person said it is part of, "" where nobody did."""
    said = _latest(incident, "merge")
    return said.other if said is not None and said.other not in apart_of(incident) else ""


def apart_of(incident: Incident) -> tuple[str, ...]:
    """Return the incidents that a person said it is no part of: of merging and splitting with one, the later holds."""
    said = {one.other: one.decision for one in incident.decisions if one.decision in ("merge", "split") and one.other}
    origin = [one.incident_id for one in incident.decisions if APART in incident.node and one.post_keys]
    return tuple(sorted({*origin, *(other for other, decision in said.items() if decision == "split")}))


def corrections_of(incident: Incident) -> tuple[Correction, ...]:
    """Return what people corrected, in the order of their decisions; of places, hazards and merges what holds."""
    held = [_latest(incident, decision) for decision in ("relocate", "change_hazard")]
    if joins_of(incident):
        held.append(_latest(incident, "merge"))
    apart = apart_of(incident)
    return tuple(
        Correction(what=CORRECTS[one.decision], by=one.decided_by, at=one.decided_at, reason=one.reason)
        for one in incident.decisions
        if one in held or (one.decision == "split" and (one.post_keys or one.other in apart))
    )


def _latest(incident: Incident, decision: Decision) -> Verdict | None:
    return next((one for one in reversed(incident.decisions) if one.decision == decision), None)
