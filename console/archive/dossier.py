"""Dossier: all that is known of one incident, put together for whoever asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from records import Alert, Notification, Verdict


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One revision, and when it was told."""

    sequence: int
    recorded_at: datetime
    alert: Alert


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision, and whether it was taken back since."""

    sequence: int
    recorded_at: datetime
    verdict: Verdict
    withdrawn_by: Verdict | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back."""
        return self.withdrawn_by is not None


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that somebody answers for."""

    message_id: str
    incident_id: str
    template_id: str
    channel: str
    language: str
    text: str
    map_version: str
    signed_by: str
    signed_at: datetime
    state: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What volunteers were asked to verify, and what they found."""

    verification_id: str
    incident_id: str
    report_id: str
    question: str
    state: str
    finding: str
    answer: str
    url: str | None
    asked_by: str
    asked_at: datetime
    taken_by: str
    taken_at: datetime | None
    answered_by: str
    answered_at: datetime | None
    passed_on_by: str
    passed_on_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What watch staff and volunteers were told, or saw."""

    report_id: str
    post_key: str
    what: str
    text: str
    place: dict[str, Any]
    seen_by: str
    credibility: str
    seen_at: datetime
    url: str | None
    photo_note: str
    made_by: str
    made_at: datetime
    is_withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How much was said in ten minutes of one hazard in one area."""

    begins_at: datetime
    posts: int
    strong: int  # of them, such as say a lot
    weight: float  # sum of their likelihood ratios


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """When a source began to be listened to, or not."""

    source: str
    since: datetime
    state: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """One incident: as it stands, how it came to that, who decided what, and who was told."""

    alert: Alert
    revisions: tuple[Recorded, ...]  # by their numbers
    decisions: tuple[Decided, ...]  # as they were made
    notifications: tuple[Notification, ...]  # as they were told
    messages: tuple[Message, ...]
    verifications: tuple[Verification, ...]
    rates: tuple[Rate, ...]  # of its hazard and area, from some hours before the onset on
