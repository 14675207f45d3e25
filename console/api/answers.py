"""Answers: what programs get, in JSON. No link of a post: it names whoever wrote it; people open it on the page.

Units   degrees WGS84, kilometres; moments in UTC
"""

from datetime import datetime
from typing import Any

import msgspec

from console.archive.dossier import Decided, Dossier, Recorded
from console.live.listening import Deaf, Trouble
from console.live.rows import Precision, precision_of
from records import Alert, Evidence, Silence, SourceStatus
from records.alert import Certainty, Context, CrisisClock, Level, RumourSign, Severity, Urgency
from records.bulletin import BulletinKind
from records.doubt import Doubt
from records.notification import NotificationState
from records.place import PlaceSource
from records.signal import Hazard
from records.source_status import State, Way
from records.time import in_utc
from records.verdict import Decision


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers are: whole, with every field."""


class Problem(Answer, frozen=True, kw_only=True):
    """Why something was not done."""

    error: str
    fields: dict[str, str] = {}  # which part of what was sent is wrong, and a code of what is wrong with it


class PlaceAnswer(Answer, frozen=True, kw_only=True):
    """Where an incident is, as far as is known."""

    name: str
    precision: Precision  # unknown: one place among several, so neither lat nor lon
    lat: float | None
    lon: float | None
    radius_km: float
    source: PlaceSource  # whence it is known
    confidence: float
    place_id: str
    insee: str | None
    dep: str | None


class IncidentAnswer(Answer, frozen=True, kw_only=True):
    """One incident, in its newest revision."""

    incident_id: str
    revision: int
    level: Level
    hazard: Hazard
    area: str
    place: PlaceAnswer
    onset: datetime
    raised_at: datetime
    score: float
    probability: float
    severity: Severity
    urgency: Urgency
    certainty: Certainty
    posts: int
    authors: int
    witnesses: int
    copies: int
    unknowns: tuple[str, ...]
    rumour_signs: tuple[RumourSign, ...]
    explanation: dict[str, str]
    joins: str


class Unheard(Answer, frozen=True, kw_only=True):
    """A source that should listen and, as far as is known, does not."""

    source: str
    state: Trouble  # stale: whoever reads it has said nothing for minutes
    since: datetime


class Incidents(Answer, frozen=True, kw_only=True):
    """Incidents, and what must be known of their absence: an empty list from a blind watch says nothing."""

    incidents: tuple[IncidentAnswer, ...]
    next_offset: int | None  # null: there are no more, or more than can be asked for
    listening: int  # sources that are listened to
    blind: tuple[Unheard, ...]
    is_filling: bool  # what was told before the start is still being read: what is not here may be there all the same


class EvidenceAnswer(Answer, frozen=True, kw_only=True):
    """One post behind an incident."""

    post_key: str
    event_time: datetime
    platform: str
    text: str
    is_removed: bool
    is_witness: bool
    has_image: bool
    author_tier: int
    likelihood_ratio: float
    contribution: float
    copies: int
    doubts: tuple[Doubt, ...]


class ContextAnswer(Answer, frozen=True, kw_only=True):
    """What an authority or an operator states beside it."""

    bulletin_id: str
    source: str
    kind: BulletinKind
    text: str
    issued_at: datetime
    fits: bool | None
    because: dict[str, str]


class RevisionAnswer(Answer, frozen=True, kw_only=True):
    """One revision, and when it was told."""

    revision: int
    level: Level
    raised_at: datetime
    recorded_at: datetime


class DecisionAnswer(Answer, frozen=True, kw_only=True):
    """What somebody decided."""

    decision_id: str
    decision: Decision
    decided_at: datetime
    decided_by: str
    reason: str
    withdrawn_by: str  # "": it stands


class NotificationAnswer(Answer, frozen=True, kw_only=True):
    """Who was told, or was not."""

    receiver: str
    revision: int
    state: NotificationState
    at: datetime
    why: str


class IncidentWhole(Answer, frozen=True, kw_only=True):
    """One incident with all that belongs to it."""

    incident: IncidentAnswer
    evidence: tuple[EvidenceAnswer, ...]
    context: tuple[ContextAnswer, ...]
    clock: CrisisClock | None
    thresholds: dict[str, float]
    profile: str
    versions: dict[str, str]
    revisions: tuple[RevisionAnswer, ...]
    decisions: tuple[DecisionAnswer, ...]
    notifications: tuple[NotificationAnswer, ...]


class SourceAnswer(Answer, frozen=True, kw_only=True):
    """One source, and whether it is listened to."""

    source: str
    way: Way
    state: State | Trouble
    since: datetime
    at: datetime
    why: str
    last_sign_at: datetime | None
    last_post_at: datetime | None
    lag_secs: float
    gap_secs: float


class Sources(Answer, frozen=True, kw_only=True):
    """All sources."""

    sources: tuple[SourceAnswer, ...]


class MatcherAnswer(Answer, frozen=True, kw_only=True):
    """One condition of a silence."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool


class SilenceAnswer(Answer, frozen=True, kw_only=True):
    """One silence: it hides nothing, here or elsewhere; it keeps notifications back."""

    silence_id: str
    matchers: tuple[MatcherAnswer, ...]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    is_in_force: bool
    origin: str


class Silences(Answer, frozen=True, kw_only=True):
    """Silences that are not over, and those that have been for a day at most."""

    silences: tuple[SilenceAnswer, ...]


class Done(Answer, frozen=True, kw_only=True):
    """What was done, and the id by which it can be taken back."""

    id: str


def place_from(alert: Alert) -> PlaceAnswer:
    """Return where an incident is."""
    place = alert.place
    precision = precision_of(alert)
    is_known = precision != "unknown"
    return PlaceAnswer(
        name=place.name,
        precision=precision,
        lat=place.lat if is_known else None,
        lon=place.lon if is_known else None,
        radius_km=place.radius_km,
        source=place.source,
        confidence=place.confidence,
        place_id=place.place_id,
        insee=place.insee,
        dep=place.dep,
    )


def incident_from(alert: Alert) -> IncidentAnswer:
    """Return an incident in its newest revision."""
    return IncidentAnswer(
        **_same(alert, IncidentAnswer, but=("place", "area", "rumour_signs")),
        place=place_from(alert),
        area=alert.area or alert.place.area,
        rumour_signs=alert.rumour.signs if alert.rumour else (),
    )


def whole_from(dossier: Dossier) -> IncidentWhole:
    """Return an incident with all that belongs to it."""
    alert = dossier.alert
    return IncidentWhole(
        incident=incident_from(alert),
        evidence=tuple(_evidence(one) for one in alert.evidence),
        context=tuple(_context(one) for one in alert.context),
        clock=CrisisClock(**_same(alert.clock, CrisisClock)) if alert.clock else None,
        thresholds=alert.thresholds,
        profile=alert.profile,
        versions=alert.versions,
        revisions=tuple(_revision(one) for one in dossier.revisions),
        decisions=tuple(_decision(one) for one in dossier.decisions),
        notifications=tuple(NotificationAnswer(**_same(one, NotificationAnswer)) for one in dossier.notifications),
    )


def source_from(status: SourceStatus, deaf: Deaf | None) -> SourceAnswer:
    """Return a source, and what is wrong with it where something is."""
    return SourceAnswer(
        **_same(status, SourceAnswer, but=("state", "since")),
        state=deaf.trouble if deaf else status.state,
        since=in_utc((deaf or status).since),
    )


def unheard_from(deaf: Deaf) -> Unheard:
    """Return a source that does not listen."""
    return Unheard(**_same(deaf, Unheard, but=("state",)), state=deaf.trouble)


def silence_from(silence: Silence, now: datetime) -> SilenceAnswer:
    """Return a silence."""
    return SilenceAnswer(
        **_same(silence, SilenceAnswer, but=("matchers", "is_in_force")),
        matchers=tuple(MatcherAnswer(**_same(one, MatcherAnswer)) for one in silence.matchers),
        is_in_force=silence.starts_at <= now < silence.ends_at,
    )


def _evidence(one: Evidence) -> EvidenceAnswer:
    return EvidenceAnswer(**_same(one, EvidenceAnswer))


def _context(one: Context) -> ContextAnswer:
    return ContextAnswer(**_same(one, ContextAnswer))


def _revision(one: Recorded) -> RevisionAnswer:
    return RevisionAnswer(**_same(one.alert, RevisionAnswer, but=("recorded_at",)), recorded_at=one.recorded_at)


def _decision(one: Decided) -> DecisionAnswer:
    withdrawn_by = one.withdrawn_by.decided_by if one.withdrawn_by else ""
    return DecisionAnswer(**_same(one.verdict, DecisionAnswer, but=("withdrawn_by",)), withdrawn_by=withdrawn_by)


def _same(record: object, shape: type[msgspec.Struct], *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields that a record and an answer have by the same name, moments in UTC."""
    found = {name: getattr(record, name) for name in shape.__struct_fields__ if name not in but}
    return {name: in_utc(one) if isinstance(one, datetime) else one for name, one in found.items()}
