"""Revision: one alert, made of an incident; complete in itself."""

from dataclasses import dataclass
from math import log, log10
from typing import get_args

from detectors.context import announced_at
from detectors.correction import apart_of, corrections_of, hazard_of, is_placed, joins_of, place_of
from detectors.corroboration import without_strongest
from detectors.crisis_clock import clock_of
from detectors.explanation import Facts, explanation_from
from detectors.lifecycle import ACTIVE
from detectors.moment import MINUTE, instant_from
from detectors.profile import Profile
from detectors.rumour import rumour_of
from detectors.state import Incident, Slot
from detectors.statistic import Rates, best, decayed, mixture
from detectors.thresholds import MINUTES_PER_WEEK, Thresholds
from detectors.tree import fineness
from records import (
    Alert,
    BrokenInvariant,
    Certainty,
    Context,
    CrisisClock,
    Declaration,
    Evidence,
    Level,
    Place,
    Rumour,
    Severity,
    Urgency,
)
from records.signal import Hazard

DETECTOR = "marked-sr/2"
SEVERE_AUTHORS = 15
UNSURE_PLACE = 0.6
COMMUNE_FINENESS = 3
CERTAINTIES: dict[str, Certainty] = {"confirmed": "Observed", "alert": "Likely", "rejected": "Unlikely"}


@dataclass(frozen=True)
class Scene:
    """All that one revision is made of."""

    profile: Profile
    hazard: Hazard
    area: str
    rates: Rates
    weight: float  # omega of the incident's node
    thresholds: Thresholds
    incident: Incident
    prior: float  # how many times likelier than usual incidents are now
    context: tuple[Context, ...]
    declaration: Declaration | None
    usual_per_hour: float


def alert_from(scene: Scene, *, revision: int, at: int, raised_at: int) -> Alert:
    """Return the incident's present revision, as believed at this moment."""
    incident = scene.incident
    values = decayed(incident.values, max(at - incident.counted_at, 0) / MINUTE, scene.rates)
    statistic = mixture(values)
    prior = scene.profile.incidents_per_week * scene.weight * scene.prior / MINUTES_PER_WEEK
    probability = prior * statistic / (1.0 + prior * statistic)
    place, hazard = place_of(incident), hazard_of(incident, scene.hazard)
    rate = scene.rates.per_minute[best(values)]
    clock = clock_of(incident.times, incident.onset_at, at, announced_at=announced_at(scene.context))
    rumour = rumour_of(incident, is_loud=statistic >= scene.thresholds.alert)
    slots = sorted(incident.slots, key=lambda slot: (-slot.odds, slot.event_at, slot.post_key))
    return Alert(
        incident_id=incident.incident_id,
        revision=revision,
        level=_level_from(incident.level),
        hazard=hazard,
        place=place,
        onset=instant_from(incident.onset_at),
        raised_at=instant_from(raised_at),
        score=round(log10(statistic / scene.thresholds.alert), 3),
        probability=round(probability, 4),
        severity=_severity_of(incident),
        urgency=_urgency_of(incident),
        certainty=_certainty_of(incident),
        evidence=tuple(_evidence_from(slot, rate) for slot in slots),
        posts=incident.posts,
        authors=incident.authors,
        witnesses=incident.witnesses,
        copies=incident.copies,
        explanation=explanation_from(_facts_of(scene, statistic, probability, clock, rumour)),
        unknowns=_unknowns_of(scene, place, clock),
        thresholds={
            "watch": float(f"{scene.thresholds.watch:.6g}"),
            "alert": float(f"{scene.thresholds.alert:.6g}"),
        },
        profile=f"{scene.profile.name}/{scene.profile.version}",
        versions={**incident.versions, "detector": DETECTOR},
        area=scene.area,
        context=scene.context,
        clock=clock,
        declaration=scene.declaration,
        rumour=rumour,
        also=tuple(vote.place.name for vote in incident.votes if vote.place.place_id != place.place_id),
        joins=joins_of(incident),
        apart_from=apart_of(incident),
        owned_as=None if hazard == scene.hazard else scene.hazard,
        corrections=corrections_of(incident),
        usual_per_hour=scene.usual_per_hour,
    )


def _evidence_from(slot: Slot, rate: float) -> Evidence:
    return Evidence(
        post_key=slot.post_key,
        event_time=instant_from(slot.event_at),
        author_id=slot.author_id,
        likelihood_ratio=round(slot.likelihood_ratio, 3),
        contribution=round(log(1.0 + rate * slot.odds), 3),
        is_witness=slot.is_first_hand,
        platform=slot.platform,
        author_tier=slot.tier,
        has_image=slot.has_image,
        url=slot.url,
        text=slot.text,
        copies=slot.copies,
        doubts=slot.doubts,
        is_removed=slot.is_removed,
    )


def _facts_of(scene: Scene, statistic: float, probability: float, clock: CrisisClock, rumour: Rumour | None) -> Facts:
    incident = scene.incident
    left = without_strongest(incident.values, incident.voices, scene.rates) if incident.voices else 0.0
    return Facts(
        level=incident.level,
        grounds=incident.grounds,
        posts=incident.posts,
        authors=incident.authors,
        witnesses=incident.witnesses,
        copies=incident.copies,
        onset_at=instant_from(incident.onset_at),
        last_at=instant_from(incident.counted_at),
        expected_per_minute=incident.background,
        false_alarm_minutes=statistic * scene.profile.hazard[scene.hazard].eta,
        probability=probability,
        would_hold=left >= scene.thresholds.watch,
        zone=scene.profile.zone,
        decided_by=incident.decided_by,
        reason=incident.reason,
        context=scene.context,
        clock=clock,
        declaration=scene.declaration,
        rumour=rumour,
        corrections=corrections_of(incident),
        taken_back=incident.taken_back,
    )


def _unknowns_of(scene: Scene, place: Place, clock: CrisisClock) -> tuple[str, ...]:
    incident = scene.incident
    unsure = place.confidence < UNSURE_PLACE or fineness(place) > COMMUNE_FINENESS
    unsure = unsure and not is_placed(incident)
    codes = {
        "no_official_word": incident.top != "confirmed" and clock.first_authority is None,
        "place_uncertain": unsure,
        "no_image": incident.images == 0,
        "single_witness": incident.authors <= 1,
        "single_platform": len(incident.platforms) <= 1,
    }
    return tuple(code for code, holds in codes.items() if holds)


def _level_from(level: str) -> Level:
    for known in get_args(Level):
        if known == level:
            result: Level = known
            return result
    raise BrokenInvariant(f"an incident has the level {level!r}, which is none")


def _severity_of(incident: Incident) -> Severity:
    """Return how bad it may be. Posts say how many speak of it, no more: an honest scale has few steps."""
    if incident.top not in ("alert", "confirmed"):
        return "Unknown"
    return "Severe" if incident.authors >= SEVERE_AUTHORS else "Moderate"


def _urgency_of(incident: Incident) -> Urgency:
    if incident.level in ("resolved", "rejected"):
        return "Past"
    return "Immediate" if incident.level in ACTIVE else "Expected"


def _certainty_of(incident: Incident) -> Certainty:
    return CERTAINTIES.get(incident.top, "Possible")
