"""Telling: every change of an incident that somebody should know of becomes a revision. What was told stands.

Shape   `tell` after each step; `reconcile` once after a late signal had steps worked out again
Source  docs/detection.md 3
"""

from msgspec.structs import replace

from detectors.case import Case, Passed
from detectors.context import context_of, declaration_of, prior, stated
from detectors.correction import place_of
from detectors.crisis_clock import gone_on
from detectors.evidence import STRONG_RATIO
from detectors.identity import name_of
from detectors.lifecycle import ACTIVE, RANKS
from detectors.moment import MINUTE, instant_from, moment_from
from detectors.revision import Scene, alert_from
from detectors.state import OPEN, Incident, Told, order_of
from detectors.usual import usual_per_hour
from records import Bulletin

UPDATE_EVERY = 5 * MINUTE
NEWS_FACTOR = 1.5


def tell(case: Case, incident: Incident, at: int) -> None:
    """Make a revision, if there is news in it."""
    if case.telling != "at once":
        _note(case, incident, at)
        return
    name, told = name_of(case, incident)
    if told is not None:
        incident = _as_told(incident, told)
    bulletins = stated(case, incident, at)
    if told is not None and not _is_news(incident, told, at) and not _has_more(bulletins, told, incident):
        return
    context = context_of(bulletins, incident)
    weight = case.watched.weight(incident.ground, case.area, case.ledger.nodes[incident.ground])
    likelier = prior(case, at)
    scene = Scene(
        profile=case.watched.profile,
        hazard=case.watched.name,
        area=case.area,
        rates=case.watched.rates,
        weight=weight,
        thresholds=case.watched.thresholds(weight).lowered(likelier),
        incident=replace(incident, incident_id=name),
        prior=likelier,
        context=context,
        declaration=declaration_of(case, incident, context, at),
        usual_per_hour=usual_per_hour(case, incident, at),
    )
    # a level that a late signal shows to have been reached earlier was still not told earlier than the one before
    raised_at = incident.raised_at if told is None else max(incident.raised_at, moment_from(told.alert.raised_at))
    alert = alert_from(scene, revision=told.alert.revision + 1 if told else 1, at=at, raised_at=raised_at)
    case.alerts.append(alert)
    case.ledger.told[name] = Told(
        happening=incident.happening,
        at=at if told is None else max(at, told.at),
        top=incident.top,
        authors=incident.authors,
        nodes=len(incident.parts),
        strongest=_strongest(incident),
        alert=alert,
        verdicts=told.verdicts if told is not None else (),
        withdrawn=told.withdrawn if told is not None else (),
        decided=_decided(incident),
    )


def _note(case: Case, incident: Incident, at: int) -> None:
    """Keep what may have to be told later."""
    if case.telling == "none":
        return
    passed = case.passed.setdefault(incident.incident_id, [])
    if not passed or passed[-1].incident.level != incident.level:
        passed.append(Passed(at, incident, case.watched))


def _has_more(bulletins: list[Bulletin], told: Told, incident: Incident) -> bool:
    """Tell whether an authority or an operator stated something since the last revision."""
    if not bulletins or not incident.is_open:
        return False
    known = {one.bulletin_id for one in told.alert.context}
    return any(one.bulletin_id not in known for one in bulletins)


def _as_told(incident: Incident, told: Told) -> Incident:
    """Return an incident with the word "alert" where it was said once: a late signal does not take it back.

    What a person confirmed, a person may take back.
    """
    if incident.opened_at > told.at or incident.decided_by or told.top == "confirmed":
        return incident
    if RANKS.index(incident.top) >= RANKS.index(told.top):
        return incident
    return replace(incident, top=told.top, level=told.top if incident.level in ACTIVE else incident.level)


def _decided(incident: Incident) -> tuple[str, ...]:
    return tuple(one.identity for one in incident.decisions)


def _is_news(incident: Incident, told: Told, at: int) -> bool:
    if incident.level != told.alert.level or _decided(incident) != told.decided:
        return True
    return incident.level in OPEN and (
        place_of(incident).place_id != told.alert.place.place_id
        or _strongest(incident) > NEWS_FACTOR * max(told.strongest, STRONG_RATIO / NEWS_FACTOR)
        or (at - told.at >= UPDATE_EVERY and _has_grown(incident, told))
        or _has_spoken(incident, told)
    )


def _has_spoken(incident: Incident, told: Told) -> bool:
    """Tell whether the first word of an authority or of an operator has come since the last revision, or a denial."""
    clock, times, rumour = told.alert.clock, incident.times, told.alert.rumour
    if times.denied and (rumour is None or rumour.denied_at is None):
        return True
    if clock is None or not (times.authority or times.operator):
        return False
    return bool(
        (times.authority and clock.first_authority is None) or (times.operator and clock.first_operator is None)
    )


def _has_grown(incident: Incident, told: Told) -> bool:
    return incident.authors >= 2 * told.authors or len(incident.parts) > told.nodes


def _strongest(incident: Incident) -> float:
    return max((slot.likelihood_ratio for slot in incident.slots), default=0.0)


def reconcile(case: Case, at: int) -> None:
    """Tell what a late signal changed in all that was worked out again; take back what it left without ground."""
    case.telling = "at once"
    there = sorted(case.ledger.incidents.values(), key=order_of)
    seen = case.seen()
    names = {incident.incident_id for incident in there}
    for one in _untold(case, seen, names):
        with case.as_of(one.by):
            tell(case, one.incident, one.at)
    for incident in there:
        tell(case, incident, at)
    for name, told in sorted(case.ledger.told.items()):
        if told.happening.incident_id not in seen and told.alert.level in OPEN:
            _withdraw(case, name, told, at)


def _untold(case: Case, seen: dict[str, Incident], there: set[str]) -> list[Passed]:
    """Return what incidents went through that nobody heard of, in its order."""
    untold: list[Passed] = []
    for name, passed in case.passed.items():
        told = name_of(case, seen[name])[1]
        is_gone = name not in there
        if told is None and not (is_gone and seen[name].level == "signal"):
            untold += passed
        elif told is not None and is_gone and told.alert.level in OPEN:
            untold += passed[-1:]  # how it ended
        elif told is not None and not is_gone:
            untold += _higher(passed, seen[name], told)
    return sorted(untold, key=lambda one: (one.at, one.incident.opened_at, one.incident.node))


def _higher(passed: list[Passed], incident: Incident, told: Told) -> list[Passed]:
    """Return when an incident that has fallen since stood higher than was ever told of it."""
    if incident.level in ACTIVE or RANKS.index(incident.top) <= RANKS.index(told.top):
        return []
    return [one for one in passed if one.incident.level == one.incident.top == incident.top][-1:]


def _withdraw(case: Case, incident_id: str, told: Told, at: int) -> None:
    raised_at = instant_from(max(at, moment_from(told.alert.raised_at)))
    alert = replace(
        told.alert,
        revision=told.alert.revision + 1,
        level="resolved",
        raised_at=raised_at,
        clock=gone_on(told.alert.clock, told.alert.onset, raised_at),
        urgency="Past",
        explanation={
            "fr": "Clos : des messages arrivés en retard enlèvent à ceux-ci leur poids.",
            "en": "Closed: posts that came late take the weight from these.",
        },
    )
    case.alerts.append(alert)
    case.ledger.told[incident_id] = replace(told, at=at, alert=alert)
