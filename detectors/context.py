"""Context: what authorities and operators state. It moves what we expect and what we say, and never silences.

A vigilance or a rising river makes an incident of its hazard likelier beforehand, so a watch takes less. An operator's
notice, a siren test or an exercise may explain what people see: whether it fits is said, with the reasons, beside the
incident; it changes neither its level nor who is told.

Source  docs/detection.md 2.4 and 3
"""

from datetime import datetime, timedelta

from detectors.case import Case
from detectors.ledger import BULLETIN
from detectors.moment import LATEST, instant_from, moment_from
from detectors.profile import kilometres_between
from records import Bulletin, Context, Place

EXPLAINING = ("operator_notice", "siren_test", "exercise")
PRIORS = {"yellow": 3.0, "orange": 10.0, "red": 30.0}
MOST_PRIOR = 10.0
"""A threshold is never lowered further: the budget of a quiet year is not to be spent in one night."""
USUAL_SPAN = timedelta(hours=24)
EARLY, LATE = timedelta(minutes=30), timedelta(hours=2)
REACH_KM = 5.0
FOR_EVER = instant_from(LATEST)
MOST_TEXT = 280
MOST_BULLETINS = 32


def heed(case: Case, bulletin: Bulletin, at: int) -> None:
    """Keep a bulletin for as long as it holds, and let go those that hold no longer."""
    case.ledger.put(BULLETIN, bulletin.bulletin_id, bulletin)
    by_age = sorted(case.ledger.bulletins.values(), key=lambda one: (one.issued_at, one.bulletin_id))
    gone = [one for one in by_age if moment_from(_ends_at(one) + USUAL_SPAN) < at]
    for old in [*gone, *[one for one in by_age if one not in gone][:-MOST_BULLETINS]]:
        case.ledger.put(BULLETIN, old.bulletin_id, None)


def prior(case: Case, at: int) -> float:
    """Return how many times likelier than on a usual day an incident is now, as authorities see it."""
    bulletins = case.ledger.bulletins
    if not bulletins:
        return 1.0
    now = instant_from(at)
    factors = [PRIORS.get(one.colour or "", 1.0) for one in bulletins.values() if _holds(one, now)]
    return min(max(factors, default=1.0), MOST_PRIOR)


def context_of(case: Case, place: Place, onset_at: int, at: int) -> tuple[Context, ...]:
    """Return what was stated that bears on an incident, oldest first."""
    if not case.ledger.bulletins:
        return ()
    onset, now = instant_from(onset_at), instant_from(at)
    shown = [
        _shown(bulletin, place, onset)
        for bulletin in case.ledger.bulletins.values()
        if bulletin.issued_at <= now and now <= _ends_at(bulletin) + USUAL_SPAN and _says_something(bulletin)
    ]
    return tuple(sorted(shown, key=lambda one: (one.issued_at, one.bulletin_id)))


def _says_something(bulletin: Bulletin) -> bool:
    return bulletin.kind in EXPLAINING or bulletin.colour in PRIORS or bulletin.kind == "other"


def _shown(bulletin: Bulletin, place: Place, onset: datetime) -> Context:
    fits, because = _judged(bulletin, place, onset) if bulletin.kind in EXPLAINING else (None, {})
    return Context(
        bulletin_id=bulletin.bulletin_id,
        source=bulletin.source,
        kind=bulletin.kind,
        text=bulletin.text[:MOST_TEXT],
        issued_at=bulletin.issued_at,
        fits=fits,
        because=because,
        url=bulletin.url,
    )


def _judged(bulletin: Bulletin, place: Place, onset: datetime) -> tuple[bool, dict[str, str]]:
    """Return whether a statement fits as an explanation, and what fits or does not."""
    against_fr, against_en = [], []
    if bulletin.place is not None:
        apart = kilometres_between(bulletin.place.lat, bulletin.place.lon, place.lat, place.lon)
        if apart > bulletin.place.radius_km + place.radius_km + REACH_KM:
            against_fr.append(f"à {apart:.0f} km de là")
            against_en.append(f"{apart:.0f} km away")
    starts_at = bulletin.starts_at or bulletin.issued_at
    if onset < starts_at - EARLY:
        against_fr.append("ne commence qu’après")
        against_en.append("begins only later")
    if onset > _ends_at(bulletin) + LATE:
        against_fr.append("était déjà fini")
        against_en.append("was over by then")
    if against_fr:
        return False, {"fr": ", ".join(against_fr), "en": ", ".join(against_en)}
    where_fr, where_en = ("même endroit, ", "same place, ") if bulletin.place is not None else ("", "")
    return True, {"fr": f"{where_fr}même moment", "en": f"{where_en}same time"}


def _ends_at(bulletin: Bulletin) -> datetime:
    return min(bulletin.ends_at or (bulletin.starts_at or bulletin.issued_at) + USUAL_SPAN, FOR_EVER)


def _holds(bulletin: Bulletin, now: datetime) -> bool:
    return (bulletin.starts_at or bulletin.issued_at) <= now <= _ends_at(bulletin)
