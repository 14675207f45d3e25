"""Context: what authorities and operators state. It moves what we expect and what we say, and never silences.

A vigilance or a rising river makes an incident of its hazard likelier beforehand, so a watch takes less. An operator's
notice, a siren test or an exercise may explain what people see: whether it fits is said, with the reasons, beside the
incident; it changes neither its level nor who is told.

Source  docs/detection.md 2.4 and 3
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from detectors.case import Case
from detectors.correction import place_of
from detectors.crisis_clock import denied, spoken
from detectors.declared import USUAL_SPAN, ends_at, is_in_time, is_near, judged, starts_at
from detectors.duty import duty_for
from detectors.ledger import BULLETIN
from detectors.moment import MINUTE, instant_from, moment_from
from detectors.perceived import Perceived, perceived_in
from detectors.state import Incident
from records import Bulletin, Context, Declaration, Place

EXPLAINING = ("operator_notice", "siren_test", "exercise")
OF_AIR = ("flare", "smoke", "noise", "odour")
"""What is announced of these explains no water in the streets."""
PRIORS = {"yellow": 3.0, "orange": 10.0, "red": 30.0}
MOST_PRIOR = 10.0
"""A threshold is never lowered further: the budget of a quiet year is not to be spent in one night."""
MOST_TEXT = 280
MOST_BULLETINS = 32
"""Of those that may explain something, and of the others."""
SOON = timedelta(minutes=30)
"""So long before the estimated onset, an authority's word may still be of the same incident."""
UNSAID = ("signal", "rejected")


def heed(case: Case, bulletin: Bulletin, at: int) -> None:
    """Keep a bulletin for as long as it holds or an incident may need it, and let go those that nobody asks for."""
    case.ledger.put(BULLETIN, bulletin.bulletin_id, bulletin)
    by_age = sorted(case.ledger.bulletins.values(), key=lambda one: (one.issued_at, one.bulletin_id))
    oldest = min((incident.onset_at for incident in case.open_incidents()), default=at)
    gone = [one for one in by_age if moment_from(ends_at(one) + USUAL_SPAN) < min(at, oldest)]
    left = [one for one in by_age if one not in gone]
    for are_candidates in (True, False):
        gone += [one for one in left if (one.kind in EXPLAINING) == are_candidates][:-MOST_BULLETINS]
    for old in gone:
        case.ledger.put(BULLETIN, old.bulletin_id, None)


def prior(case: Case, at: int) -> float:
    """Return how many times likelier than on a usual day an incident is now, as authorities see it."""
    bulletins = case.ledger.bulletins
    if not bulletins:
        return 1.0
    now = instant_from(at)
    factors = [PRIORS.get(one.colour or "", 1.0) for one in bulletins.values() if _holds(one, now)]
    return min(max(factors, default=1.0), MOST_PRIOR)


def with_authorities(case: Case, incident: Incident) -> Incident:
    """Return an incident that knows since when authorities have spoken of it; the same one where that is no news."""
    times = incident.times
    for bulletin in case.ledger.bulletins.values():
        word = _word_of(case, bulletin, incident)
        at = moment_from(min(bulletin.issued_at, bulletin.received_at))
        if word:
            times = spoken(times, word, at)
        if bulletin.is_denial and _denies(bulletin, incident):
            times = denied(times, bulletin.source, at)
    return incident if times is incident.times else replace(incident, times=times)


def stated(case: Case, incident: Incident, at: int) -> list[Bulletin]:
    """Return what bears on an incident, oldest first."""
    if not case.ledger.bulletins:
        return []
    now, onset, place = instant_from(at), instant_from(incident.onset_at), place_of(incident)
    bears = [
        one
        for one in case.ledger.bulletins.values()
        if one.issued_at <= now and (_may_explain(case, one, place, onset) or _says_something(one, now))
    ]
    return sorted(bears, key=lambda one: (one.issued_at, one.bulletin_id))


def context_of(bulletins: Sequence[Bulletin], incident: Incident) -> tuple[Context, ...]:
    """Return what was stated as it is shown: what may explain the incident, with what fits and what does not."""
    if not bulletins:
        return ()
    perceived = perceived_in(slot.text for slot in incident.slots)
    onset = instant_from(incident.onset_at)
    return tuple(_shown(bulletin, place_of(incident), onset, perceived) for bulletin in bulletins)


def declaration_of(case: Case, incident: Incident, context: Sequence[Context], at: int) -> Declaration | None:
    """Return whether somebody has declared what people perceive, or whom to ask; None where nobody would."""
    candidates = [one for one in context if one.fits is not None]
    if incident.level in UNSAID or (case.watched.name == "flood" and not candidates):
        return None
    fitting = next((one for one in candidates if one.fits), None)
    if fitting is not None:
        return Declaration(outcome="declared", bulletin_id=fitting.bulletin_id)
    places = [place_of(incident), *(vote.place for vote in incident.votes)]
    duty = duty_for(case.watched.duties, places, case.area)
    is_of_site = case.watched.name == "industrial" or any(place.level == "site" for place in places)
    if not candidates and duty is None and not is_of_site:
        return None
    return Declaration(
        outcome="does_not_fit" if candidates else "undeclared",
        minutes=max(at - incident.onset_at, 0) // MINUTE,
        duty=duty.name if duty is not None else "",
        number=duty.number if duty is not None else "",
    )


def announced_at(context: Sequence[Context]) -> int:
    """Return when an operator first announced what people perceive, 0 where none did."""
    fitting = [moment_from(one.issued_at) for one in context if one.fits and one.kind == "operator_notice"]
    return min(fitting, default=0)


def _may_explain(case: Case, bulletin: Bulletin, place: Place, onset: datetime) -> bool:
    """Tell whether a notice is worth comparing: of something like it, not both elsewhere and at another time."""
    if bulletin.kind not in EXPLAINING or onset > ends_at(bulletin) + USUAL_SPAN:
        return False
    if case.watched.name == "flood" and bulletin.phenomenon in OF_AIR:
        return False
    return is_near(bulletin, place) or is_in_time(bulletin, onset)


def _says_something(bulletin: Bulletin, now: datetime) -> bool:
    is_told = bulletin.colour in PRIORS or bulletin.kind == "other"
    return is_told and bulletin.kind not in EXPLAINING and now <= ends_at(bulletin) + USUAL_SPAN


def _word_of(case: Case, bulletin: Bulletin, incident: Incident) -> str:
    """Return whose word on an incident a bulletin is: of an authority, where it speaks of this one; "" for none's.

    What an operator announces is one only if it fits, and that is judged anew in each revision.
    """
    place, onset = place_of(incident), instant_from(incident.onset_at)
    if not is_near(bulletin, place):
        return ""
    if bulletin.kind == "other":
        return "authority" if bulletin.issued_at >= onset - SOON else ""
    is_of_water = bulletin.hazard == case.watched.name == "flood" and bulletin.colour in PRIORS
    return "authority" if is_of_water and is_in_time(bulletin, onset) else ""


def _denies(bulletin: Bulletin, incident: Incident) -> bool:
    """Tell whether a denial is of this incident: of its surroundings, and not from before it."""
    since = incident.opened_at if incident.returns else incident.onset_at
    is_since = bulletin.issued_at >= instant_from(since) - SOON
    return is_since and is_near(bulletin, place_of(incident))


def _shown(bulletin: Bulletin, place: Place, onset: datetime, perceived: Perceived) -> Context:
    judgement = judged(bulletin, place, onset, perceived) if bulletin.kind in EXPLAINING else None
    return Context(
        bulletin_id=bulletin.bulletin_id,
        source=bulletin.source,
        kind=bulletin.kind,
        text=bulletin.text[:MOST_TEXT],
        issued_at=bulletin.issued_at,
        fits=judgement.fits if judgement is not None else None,
        because=judgement.because if judgement is not None else {},
        url=bulletin.url,
    )


def _holds(bulletin: Bulletin, now: datetime) -> bool:
    return starts_at(bulletin) <= now <= ends_at(bulletin)
