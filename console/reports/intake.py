"""Intake: what somebody was told, or saw himself, becomes a post that is believed as it is stated.

Units   degrees, kilometres
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from msgspec.structs import replace

from console.access.roles import Role
from console.catalogue import Language
from console.distance import kilometres
from console.messages.facts import Worded
from console.messages.filling import contracted
from records import Alert, Geo, Place, Post, Report
from records.post import AuthorKind
from records.report import Credibility
from records.signal import Hazard

SOURCE, PLATFORM = "intake", "vigie"
AUTHOR_DIGITS = 16

What = Literal["fire", "flood", "smoke", "smell", "noise", "other"]
SeenBy = Literal[
    "own_eyes", "colleague", "caller", "emergency_services", "authority", "site_operator", "press", "online"
]
Accuracy = Literal["point", "place"]
WHATS: tuple[What, ...] = get_args(What)
SEEN_BY: tuple[SeenBy, ...] = get_args(SeenBy)

HAZARDS: Mapping[What, Hazard] = {
    "fire": "fire",
    "flood": "flood",
    "smoke": "industrial",
    "smell": "industrial",
    "noise": "industrial",
    "other": "other",
}
SAID: Mapping[What, Worded] = {
    "fire": {"fr": "Incendie", "en": "Fire"},
    "flood": {"fr": "Inondation", "en": "Flood"},
    "smoke": {"fr": "Fumée industrielle", "en": "Industrial smoke"},
    "smell": {"fr": "Odeur industrielle", "en": "Industrial smell"},
    "noise": {"fr": "Bruit industriel", "en": "Industrial noise"},
    "other": {"fr": "Autre danger", "en": "Other danger"},
}
"""What is seen, as it stands in the post: in the language of who fills in the form."""
SEEN: Mapping[SeenBy, Worded] = {
    "own_eyes": {"fr": "la personne qui saisit", "en": "whoever reports"},
    "colleague": {"fr": "un collègue", "en": "a colleague"},
    "caller": {"fr": "un appelant", "en": "a caller"},
    "emergency_services": {"fr": "les secours", "en": "the emergency services"},
    "authority": {"fr": "une autorité", "en": "an authority"},
    "site_operator": {"fr": "l’exploitant", "en": "the site’s operator"},
    "press": {"fr": "la presse", "en": "the press"},
    "online": {"fr": "un message en ligne", "en": "a post online"},
}
"""Who saw it: a role, never anybody's name."""

USUAL: Mapping[SeenBy, Credibility] = {
    "own_eyes": "high",
    "colleague": "high",
    "caller": "medium",
    "emergency_services": "high",
    "authority": "high",
    "site_operator": "high",
    "press": "medium",
    "online": "medium",
}
"""How sure it is, unless who takes it in says otherwise."""
FIRST_HAND = frozenset({"own_eyes", "colleague", "caller", "emergency_services", "site_operator"})
KINDS: Mapping[SeenBy, AuthorKind] = {
    "emergency_services": "official",
    "authority": "official",
    "site_operator": "operator",
    "press": "press",
}
"""Whose word staff passes on. That staff takes it down makes a caller's word no authority's."""

RADIUS_KM: Mapping[Accuracy, float] = {"point": 0.3, "place": 5.0}
POINTS = frozenset({"point", "site", "quartier"})  # levels of a place that is taken for a spot

MEMORY: Mapping[Hazard, timedelta] = {"flood": timedelta(hours=24)}
USUAL_MEMORY = timedelta(hours=6)
"""What was seen before that raises nothing: detectors let it go."""

NEAR_KM, NEAR_TIME, MOST_NEAR = 10.0, timedelta(hours=24), 5

_PHONE = re.compile(r"(?<![\d.])(?:\+|00)?\d(?:[ .-]?\d){8,13}(?![\d.])")


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where it is, as a point and how exact that is."""

    name: str
    lat: float
    lon: float
    accuracy: Accuracy

    @property
    def radius_km(self) -> float:
        """How far around the point it may be."""
        return RADIUS_KM[self.accuracy]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was told: checked, as far as can be without looking outside."""

    report_id: str
    what: What
    words: str
    spot: Spot
    seen_by: SeenBy
    credibility: Credibility
    seen_at: datetime
    url: str
    photo_note: str
    meant: tuple[Place, ...] = ()  # what the name of the place may mean, the one that was taken first

    @property
    def hazard(self) -> Hazard:
        """What it is evidence of."""
        return HAZARDS[self.what]

    @property
    def has_number(self) -> bool:
        """Tell whether a number stands in it that looks like a telephone's."""
        return any(_PHONE.search(text) for text in (self.words, self.spot.name, self.photo_note))

    def is_old(self, now: datetime) -> bool:
        """Tell whether it was seen so long ago that it raises nothing any more."""
        return now - self.seen_at > MEMORY.get(self.hazard, USUAL_MEMORY)


def text_of(told: Told, language: Language) -> str:
    """Return the text of a report's post: what, where, the words, and who saw it."""
    what, where, who = SAID[told.what][language], told.spot.name, SEEN[told.seen_by][language]
    if where:
        what = contracted(f"{what} à ", where) if language == "fr" else f"{what} in {where}"
    end = f"(Saisi à la main ; vu par : {who}.)" if language == "fr" else f"(Typed in by hand; seen by: {who}.)"
    return "\n".join(part for part in (f"{what}.", told.words, end) if part)


def post_from(
    told: Told, *, post_id: str, author_id: str, role: Role | None, language: Language, now: datetime
) -> Post:
    """Return a report as a post."""
    spot = told.spot
    return Post(
        source=SOURCE,
        platform=PLATFORM,
        id=post_id,
        posted_at=told.seen_at,
        received_at=now,
        author_id=author_id,
        author_kind=author_kind_of(told.seen_by, role),
        text=text_of(told, language),
        lang=language,
        url=told.url or None,
        geo=Geo(lat=spot.lat, lon=spot.lon, provenance=spot.accuracy),
        rule_tags=Report(told.hazard, told.credibility, told.seen_by in FIRST_HAND).tags,
        is_trusted=True,
    )


def corrected(post: Post) -> Post:
    """Return a post as the corrected version of itself."""
    return replace(post, verb="update")


def taken_back(post_id: str, *, author_id: str, now: datetime) -> Post:
    """Return what takes a report's post back."""
    return Post(
        source=SOURCE,
        platform=PLATFORM,
        id=post_id,
        posted_at=now,
        received_at=now,
        author_id=author_id,
        text="",
        verb="delete",
        is_trusted=True,
    )


def is_elsewhere(before: Told, after: Told) -> bool:
    """Tell whether a correction makes it another report: another hazard, or another place.

    Who counts posts knows a post again and counts it where it was; so this one must be a new one.
    """
    moved = kilometres(before.spot, after.spot)
    return before.hazard != after.hazard or before.spot.accuracy != after.spot.accuracy or moved > RADIUS_KM["point"]


def author_kind_of(seen_by: SeenBy, role: Role | None) -> AuthorKind:
    """Return whose word a report is: a volunteer speaks for nobody else, and is no authority."""
    return "volunteer" if role in (None, "volunteer") else KINDS.get(seen_by, "person")


def pseudonym(key: bytes, account_id: str, at: datetime) -> str:
    """Return what stands for who reports: the same all day, another tomorrow; without the key it leads to nobody."""
    return hmac.new(key, f"{account_id}\n{at:%Y-%m-%d}".encode(), hashlib.sha256).hexdigest()[:AUTHOR_DIGITS]


def near(alerts: Sequence[Alert], told: Told) -> list[tuple[Alert, float]]:
    """Return the incidents that a report may belong to, with how far they are, the nearest first."""
    found = []
    for alert in alerts:
        km = kilometres(told.spot, alert.place)
        is_near = km <= NEAR_KM + alert.place.radius_km + told.spot.radius_km
        if is_near and abs(told.seen_at - alert.onset) <= NEAR_TIME:
            found.append((alert, km))
    return sorted(found, key=lambda one: (one[1], one[0].incident_id))[:MOST_NEAR]
