"""Ruling: what becomes of an incident that a person confirms, rejects or closes, and of one that he no longer does.

Of several rulings the latest holds. Taken back, the one before it holds again; where there is none, the level is what
the posts have made of it since, as if nobody had ruled.

Shape   incidents in and out; the nodes of an incident learn, or do not, as it opens and closes
Source  docs/detection.md 3
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from detectors.case import Case
from detectors.context import prior
from detectors.corroboration import Tally
from detectors.incidents import MOST_VOICES, close, freeze, level_reached, thaw
from detectors.lifecycle import ACTIVE, RANKS
from detectors.moment import MINUTE
from detectors.state import RULINGS, Belief, Incident
from detectors.statistic import decayed
from records import Verdict
from records.verdict import Decision

LEVELS: Final[dict[Decision, str]] = {"confirm": "confirmed", "reject": "rejected", "close": "resolved"}


def in_order(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return decisions in the order in which they were made."""
    return tuple(sorted(verdicts, key=_order))


def _order(verdict: Verdict) -> tuple[float, str]:
    return verdict.decided_at.timestamp(), verdict.identity


def ruled(case: Case, incident: Incident, verdict: Verdict, at: int) -> Incident:
    """Return an incident with a ruling on its level; the same where that says nothing."""
    if verdict.decision == "close" and not incident.is_open:
        return incident
    belief = incident.belief or Belief(
        level=incident.level,
        top=incident.top,
        counted_at=incident.counted_at,
        values=incident.values,
        voices=incident.voices,
        grounds=incident.grounds,
    )
    said = replace(incident, belief=belief, decisions=in_order((*incident.decisions, verdict)))
    return _applied(case, said, verdict, at) if _latest(said) is verdict else said


def unruled(case: Case, incident: Incident, gone: Verdict, at: int) -> Incident:
    """Return an incident as it stands without a ruling that is in force no more."""
    left = _latest(incident)
    if left is not None and _order(left) > _order(gone):
        return incident
    if left is not None and left.decision == gone.decision:
        return replace(incident, decided_by=left.decided_by, reason=left.reason)
    believed = _as_posts_say(case, incident, gone, at)
    if left is None:
        return replace(believed, belief=None, decided_by="", reason="")
    return _applied(case, believed, left, at)


def _latest(incident: Incident) -> Verdict | None:
    return next((one for one in reversed(incident.decisions) if one.decision in RULINGS), None)


def _applied(case: Case, incident: Incident, verdict: Verdict, at: int) -> Incident:
    said = replace(
        incident, decided_by=verdict.decided_by, decided_at=at, reason=verdict.reason, raised_at=at, fresh=[]
    )
    if verdict.decision == "confirm":
        changed = replace(said, level="confirmed", top="confirmed")
    elif verdict.decision == "reject":  # what was said of it is only what people usually say
        idle = case.watched.rates.idle
        changed = replace(said, level="rejected", top="rejected", values=idle, voices=(), grounds="")
    else:
        changed = replace(said, level="resolved")
    _let_learn(case, incident, changed, at)
    return changed


def _as_posts_say(case: Case, incident: Incident, gone: Verdict, at: int) -> Incident:
    """Return an incident with the level of its posts, those from before it was ruled on among them."""
    belief = incident.belief
    if belief is None:
        return incident
    rates = case.watched.rates
    before = decayed(belief.values, (incident.counted_at - belief.counted_at) / MINUTE, rates)
    values = [max(one, other) for one, other in zip(before, incident.values, strict=True)]
    voices = (*(one for one in belief.voices if one not in incident.voices), *incident.voices)[-MOST_VOICES:]
    now = decayed(values, max(at - incident.counted_at, 0) / MINUTE, rates)
    thresholds = case.thresholds_of(incident).lowered(prior(case, at))
    so_far = Tally(incident.strong, incident.witnesses, incident.copies)
    reached, grounds = level_reached(case, now, voices, thresholds, so_far)
    own = "" if incident.top in ("confirmed", "rejected") else incident.top
    top = max(belief.top, reached or "", own, key=RANKS.index)
    is_ruled = incident.level == LEVELS[gone.decision]  # and not moved on by silence or by posts
    level = _level_of(incident, belief, top) if is_ruled else incident.level
    believed = replace(
        incident,
        values=values,
        voices=voices,
        grounds=grounds or belief.grounds,
        level=level,
        top=top,
        raised_at=at if is_ruled else incident.raised_at,
        decided_at=at,
        fresh=[],
    )
    _let_learn(case, incident, believed, at)
    return believed


def _level_of(incident: Incident, belief: Belief, top: str) -> str:
    """Return the level to go back to: the highest that posts reached, but where it had fallen and is silent since."""
    is_silent = incident.counted_at == belief.counted_at
    return belief.level if is_silent and belief.level not in ACTIVE else top


def _let_learn(case: Case, before: Incident, after: Incident, at: int) -> None:
    """Have the nodes of an incident learn what is usual as long as it is not open, and then only."""
    if after.level == "resolved" and before.is_open:
        close(case, after, at)
    elif after.is_open != before.is_open:
        for part in after.parts:
            if after.is_open:
                freeze(case, part.path, at, posts=0)
            else:
                thaw(case, part.path, at)
