"""Verdicts: what people decide of an incident. They are heard at once, and never make us deaf.

A confirmed incident goes on like any other. A rejected one keeps the posts that go on about the same rumour from
opening another; but it starts from nothing, and if what comes then is enough for an alert by itself, it is an alert.

Source  docs/detection.md 3
"""

from msgspec.structs import replace

from detectors.case import Case
from detectors.incidents import close, thaw
from detectors.state import Incident
from detectors.telling import tell
from records import Verdict


def heed(case: Case, verdict: Verdict, at: int) -> None:
    """Let a verdict stand, if its incident is still there."""
    incident = next((one for one in case.ledger.incidents.values() if one.incident_id == verdict.incident_id), None)
    if incident is None or verdict.decision == "acknowledge" or (verdict.decision == "close" and not incident.is_open):
        return
    said = replace(incident, decided_by=verdict.decided_by, reason=verdict.reason, raised_at=at, fresh=[])
    if verdict.decision == "confirm":
        changed = replace(said, level="confirmed", top="confirmed")
    elif verdict.decision == "reject":
        changed = _rejected(case, said, at)
    else:
        changed = replace(said, level="resolved")
    case.put_incident(changed)
    tell(case, changed, at)
    if verdict.decision == "close":
        close(case, changed, at)


def _rejected(case: Case, incident: Incident, at: int) -> Incident:
    """Return an incident that was found to be none: what was said of it is only what people usually say."""
    if incident.is_open:
        for part in incident.parts:
            thaw(case, part.path, at)
    return replace(incident, level="rejected", top="rejected", values=case.watched.rates.idle, voices=(), grounds="")
