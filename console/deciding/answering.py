"""Answering: whether the detectors have said anew, since a decision that asks them to, what an incident is.

Shape   a decision and what is known of its incident in, the code of what people should know out
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from console.archive.dossier import Decided, Dossier
from records import ANSWERING

Waiting = Literal["unsent", "sent", "silent"]

SOON = timedelta(minutes=1)
"""So long an answer may take; who has none by then may wait for ever: nothing changes by it, or nobody works."""
ANSWERED = ANSWERING - {"acknowledge"}
"""Decisions that a revision answers."""


def waiting_for(decided: Decided, dossier: Dossier, now: datetime, *, is_unsent: bool) -> Waiting | None:
    """Return what a decision waits for; None where it was answered, or has no answer to wait for."""
    if _kind(decided, dossier.decisions) not in ANSWERED:
        return None
    if any(one.sequence > decided.sequence for one in dossier.revisions):
        return None
    if is_unsent:
        return "unsent"
    return "sent" if now - decided.recorded_at < SOON else "silent"


def _kind(decided: Decided, decisions: Iterable[Decided]) -> str:
    """Return what was decided: what takes another decision back is answered like that one."""
    verdict = decided.verdict
    known = {one.verdict.decision_id: one.verdict.decision for one in decisions}
    return known.get(verdict.withdraws, "") if verdict.withdraws else verdict.decision
