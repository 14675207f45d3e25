"""Verdicts: what people decide of an incident. They are heard at once, and never make us deaf.

A confirmed incident goes on like any other. A rejected one keeps the posts that go on about the same rumour from
opening another; but it starts from nothing, and if what comes then is enough for an alert by itself, it is an alert.
Where it is, what it is and what it belongs to is shown as people say, whatever its posts do; these go on counting.

What was decided stands: where a late signal has the incident begin later, or elsewhere, it is heard once more. What was
taken back is as if it had not been decided, from then on.

Shape   `about` and `note` when a verdict comes, `heed` when it is worked out, `forgotten` after a late signal
Source  docs/detection.md 3 and 3.4
"""

from msgspec.structs import replace

from detectors.case import Case
from detectors.entry import Entry, entry_of
from detectors.ruling import in_order, ruled, unruled
from detectors.splitting import put_back, split
from detectors.state import RULINGS, Incident, Told
from detectors.telling import tell
from records import Statement, Verdict

SILENT = ("acknowledge", "note")
"""What decides nothing."""


def about(case: Case, verdict: Verdict) -> str:
    """Return what the incident that a verdict is about is called here, "" if it is gone or would join what joins it."""
    told = case.ledger.told.get(verdict.incident_id)
    if told is None or told.happening.incident_id not in _there(case) or _leads_back(case, verdict):
        return ""
    return told.happening.incident_id


def note(case: Case, verdict: Verdict) -> None:
    """Note what was decided of an incident that was told, so that it is not forgotten."""
    told = case.ledger.told[verdict.incident_id]
    if verdict.decision == "withdraw":
        left = tuple(one for one in told.verdicts if one.identity != verdict.withdraws)
        told = replace(told, verdicts=left, withdrawn=(*told.withdrawn, verdict))
    elif verdict.decision not in SILENT and all(one.withdraws != verdict.identity for one in told.withdrawn):
        told = replace(told, verdicts=in_order((*told.verdicts, verdict)))
    case.ledger.told[verdict.incident_id] = told


def heed(case: Case, verdict: Verdict, entry: Entry) -> None:
    """Let a verdict stand, if its incident is there and has not heard it."""
    incident = _there(case).get(entry.about)
    if incident is None or verdict.decision in SILENT or verdict.identity in incident.heard:
        return
    heard = replace(incident, heard=(*incident.heard, verdict.identity))
    changed, *others = _changed(case, heard, verdict, entry.at)
    if changed.decisions == incident.decisions:
        case.put_incident(changed)
        return
    taken_back = verdict if verdict.decision == "withdraw" else None
    for one in (replace(changed, taken_back=taken_back), *others):
        case.put_incident(one)
        tell(case, one, entry.at)


def forgotten(case: Case) -> list[Entry]:
    """Return the verdicts to be heard again, now: those that the incidents they were about do not know any more."""
    there, at = _there(case), case.ledger.clock
    entries = []
    for _, told in sorted(case.ledger.told.items()):
        incident = there.get(told.happening.incident_id)
        for verdict in _unheard(told, incident) if incident is not None else ():
            at += 1  # after all that was heard
            statement = Statement(hazard=case.watched.name, area=case.area, said=verdict)
            entries.append(entry_of(statement, at, about=told.happening.incident_id, times=at))
    return entries


def _unheard(told: Told, incident: Incident) -> list[Verdict]:
    """Return what is to be heard again, in order: decisions, and what took back those that an incident still bears."""
    borne = {one.identity for one in incident.decisions}
    withdrawn = [one for one in told.withdrawn if one.withdraws in borne]
    return [one for one in (*told.verdicts, *withdrawn) if one.identity not in incident.heard]


def _there(case: Case) -> dict[str, Incident]:
    return {incident.incident_id: incident for incident in case.ledger.incidents.values()}


def _leads_back(case: Case, verdict: Verdict) -> bool:
    """Tell whether an incident would be part of one that is part of it, as far as is known here."""
    seen: set[str] = set()
    other = verdict.other if verdict.decision == "merge" else ""
    while other in case.ledger.told and other not in seen:
        seen.add(other)
        other = case.ledger.told[other].alert.joins
        if other == verdict.incident_id:
            return True
    return False


def _changed(case: Case, incident: Incident, verdict: Verdict, at: int) -> tuple[Incident, ...]:
    """Return an incident as a verdict has it, then others that it makes or ends."""
    if verdict.decision == "withdraw":
        return _withdrawn(case, incident, verdict, at)
    if verdict.decision in RULINGS:
        return (ruled(case, incident, verdict, at),)
    if verdict.post_keys:
        return split(case, incident, verdict, at)
    return (replace(incident, decisions=in_order((*incident.decisions, verdict))),)


def _withdrawn(case: Case, incident: Incident, verdict: Verdict, at: int) -> tuple[Incident, ...]:
    """Return an incident without a decision; one that comes after what takes it back is not heard."""
    gone = next((one for one in incident.decisions if one.identity == verdict.withdraws), None)
    known = replace(incident, heard=tuple(dict.fromkeys((*incident.heard, verdict.withdraws))))
    if gone is None:
        return (known,)
    left = replace(known, decisions=tuple(one for one in known.decisions if one is not gone))
    if gone.decision in RULINGS:
        return (unruled(case, left, gone, at),)
    return put_back(case, left, gone, verdict, at) if gone.post_keys else (left,)
