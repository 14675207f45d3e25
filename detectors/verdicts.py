"""Verdicts: what people decide of an incident. They are heard at once, and never make us deaf.

A confirmed incident goes on like any other. A rejected one keeps the posts that go on about the same rumour from
opening another; but it starts from nothing, and if what comes then is enough for an alert by itself, it is an alert.

What was decided stands: where a late signal has the incident begin later, or elsewhere, the verdict is heard once more.

Source  docs/detection.md 3
"""

from msgspec.structs import replace

from detectors.case import Case
from detectors.entry import Entry, entry_of
from detectors.incidents import close, thaw
from detectors.moment import moment_from
from detectors.state import Incident
from detectors.telling import tell
from records import Statement, Verdict


def noted(case: Case, verdict: Verdict) -> str:
    """Note what was decided of an incident that was told; return what the incident is called here, "" if it is gone."""
    told = case.ledger.told.get(verdict.incident_id)
    if told is None or told.happening.incident_id not in _there(case):
        return ""
    is_latest = told.verdict is None or told.verdict.decided_at <= verdict.decided_at
    if is_latest and verdict.decision != "acknowledge":  # which decides nothing
        case.ledger.told[verdict.incident_id] = replace(told, verdict=verdict)
    return told.happening.incident_id


def heed(case: Case, verdict: Verdict, entry: Entry) -> None:
    """Let a verdict stand, if its incident is there."""
    incident, at = _there(case).get(entry.about), entry.at
    if incident is None or not _says_something(verdict, incident):
        return
    said = replace(
        incident, decided_by=verdict.decided_by, decided_at=at, reason=verdict.reason, raised_at=at, fresh=[]
    )
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


def forgotten(case: Case) -> list[Entry]:
    """Return the verdicts to be heard again, now: those that the incidents they were about do not show any more."""
    there, at = _there(case), case.ledger.clock + 1  # after all that was heard
    entries = []
    for _, told in sorted(case.ledger.told.items()):
        incident, verdict = there.get(told.happening.incident_id), told.verdict
        if incident is None or verdict is None or not _says_something(verdict, incident):
            continue
        if incident.decided_at < moment_from(verdict.decided_at):
            statement = Statement(hazard=case.watched.name, area=case.area, said=verdict)
            entries.append(entry_of(statement, at, about=incident.incident_id, times=at))
    return entries


def _there(case: Case) -> dict[str, Incident]:
    return {incident.incident_id: incident for incident in case.ledger.incidents.values()}


def _says_something(verdict: Verdict, incident: Incident) -> bool:
    return verdict.decision in ("confirm", "reject") or (verdict.decision == "close" and incident.is_open)


def _rejected(case: Case, incident: Incident, at: int) -> Incident:
    """Return an incident that was found to be none: what was said of it is only what people usually say."""
    if incident.is_open:
        for part in incident.parts:
            thaw(case, part.path, at)
    return replace(incident, level="rejected", top="rejected", values=case.watched.rates.idle, voices=(), grounds="")
