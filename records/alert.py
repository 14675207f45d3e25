"""Alert: one revision of one incident, complete in itself."""

from typing import Annotated, Literal

import msgspec

from records.bulletin import BulletinKind
from records.doubt import Doubt
from records.place import Place
from records.post import LARGEST, NonEmpty, Whole
from records.signal import Hazard
from records.time import Instant

Level = Literal["signal", "watch", "alert", "confirmed", "monitoring", "resolved", "rejected"]
Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]  # CAP 1.2
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
RumourSign = Literal["only_relays", "doubtful", "denied"]
Outcome = Literal["declared", "does_not_fit", "undeclared"]
Corrected = Literal["place", "hazard", "merge", "split"]

OPEN: frozenset[Level] = frozenset({"signal", "watch", "alert", "confirmed", "monitoring"})
OVER: frozenset[Level] = frozenset({"resolved", "rejected"})
"""Levels of what is not over, and of what is."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One post behind an incident, with what it weighed."""

    post_key: NonEmpty
    event_time: Instant
    author_id: str
    likelihood_ratio: float  # after the clip of the author's tier
    contribution: float  # nats added to the statistic, at the event rate that explains the incident best
    is_witness: bool
    platform: str = ""
    author_tier: Whole = 0
    has_image: bool = False
    url: str | None = None
    text: str = ""
    copies: Whole = 0  # posts with the same content folded into this one
    doubts: tuple[Doubt, ...] = ()  # what speaks against it
    is_removed: bool = False  # its author took it back or changed it: it counted, its words are gone


class Context(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an authority or an operator states that bears on an incident: shown beside it, never instead of it."""

    bulletin_id: NonEmpty
    source: NonEmpty
    kind: BulletinKind
    text: str
    issued_at: Instant
    fits: bool | None = None  # as an explanation of what is seen; None where it is none
    because: dict[str, str] = {}  # language -> what fits, or does not
    url: str | None = None


class CrisisClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When who first spoke of an incident, and how long no authority has.

    Units   event time; whole minutes, from the estimated onset until the revision that bears them
    """

    first_post: Instant | None = None  # that counted; None, here and below: none yet
    first_witness: Instant | None = None
    first_picture: Instant | None = None
    first_press: Instant | None = None
    first_operator: Instant | None = None  # a post of one, or a notice that fits; a notice may come before the onset
    first_authority: Instant | None = None
    minutes: Whole = 0  # since the onset
    silent_minutes: Whole = 0  # from the onset until the first word of an authority; while there is none, until now


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether somebody announced what people perceive: beside the incident; it changes neither level nor routing."""

    outcome: Outcome
    bulletin_id: str = ""  # of the notice that fits best
    minutes: Whole = 0  # since the onset, without a notice that fits
    duty: str = ""  # who may be called about it, ...
    number: str = ""  # ... under which number


class Rumour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What speaks for a rumour: beside the incident, whose watch it never silences."""

    signs: tuple[RumourSign, ...]  # it is all relays; what carries it is doubtful; somebody who should know denies it
    doubts: dict[Doubt, Whole] = {}  # posts of it that carry one, among those shown
    relays: Whole = 0  # posts that only pass it on
    first_hand: Whole = 0  # authors who were there
    denied_by: str = ""  # the source of the statement or the post, ...
    denied_at: Instant | None = None  # ... and when it came
    is_held: bool = False  # the word "alert" waits for somebody who was there, or who is known


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person said of an incident otherwise than posts do, and that holds in its revision."""

    what: Corrected  # merge: that it is part of another one; split: that it is not
    by: NonEmpty
    at: Instant
    reason: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One revision of one incident: what is believed, where, since when, why, and what is not known."""

    incident_id: NonEmpty
    revision: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
    level: Level
    hazard: Hazard
    place: Place
    onset: Instant  # estimated start, event time
    raised_at: Instant  # event time at which this level was reached
    score: float  # log10(R / threshold of the alert level)
    probability: float  # posterior that an incident is on
    severity: Severity
    urgency: Urgency
    certainty: Certainty
    evidence: tuple[Evidence, ...]  # the strongest, in order of weight
    posts: Whole  # all that counted as evidence
    authors: Whole  # distinct ones among them
    witnesses: Whole
    copies: Whole  # posts folded as repeats or relays
    explanation: dict[str, str]  # language -> sentences
    unknowns: tuple[str, ...]  # codes of what is not known: "no_official_word", "place_uncertain", …
    thresholds: dict[str, float]  # level -> minutes of the statistic
    profile: str
    versions: dict[str, str]
    area: str = ""
    context: tuple[Context, ...] = ()
    also: tuple[str, ...] = ()  # names of other places that posts of it name
    clock: CrisisClock | None = None  # None in alerts of versions before it
    declaration: Declaration | None = None  # None where nobody is expected to declare anything
    rumour: Rumour | None = None  # None where nothing speaks for one
    joins: str = ""  # the incident that it belongs to, as a person said, or as far as who reads all areas can tell
    apart_from: tuple[str, ...] = ()  # incidents that it does not belong to, as a person said
    owned_as: Hazard | None = None  # the hazard of the state that has it, where a person reads it as another one
    corrections: tuple[Correction, ...] = ()  # what people said otherwise than posts do
    usual_per_hour: float = 0.0  # posts of evidence that are usual at its nodes now, without an incident

    @property
    def state_hazard(self) -> Hazard:
        """The hazard of the state that has it: by this and by its area a state is addressed, whatever is shown."""
        return self.owned_as or self.hazard

    @property
    def key(self) -> str:
        """The incident's id: all revisions of an incident stay in order."""
        return self.incident_id
