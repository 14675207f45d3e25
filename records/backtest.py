"""Backtest: what profiles would have made of a recorded past, judged by what is known of it."""

from typing import Literal

import msgspec

from records.alert import Evidence, Level
from records.place import Place
from records.post import NonEmpty
from records.share import Share
from records.signal import Hazard
from records.time import Instant

Judgement = Literal["true", "false", "unjudged"]
"""Unjudged: nobody knows. It counts neither as true nor as false; but people were told of it, which costs them."""
Better = Literal["better", "worse", "same", "exchange", "unknown"]
"""Exchange: better in one respect for worse in another. Unknown: nothing is known to have happened."""
ChangeKind = Literal[
    "watch_found",
    "watch_missed",
    "watch_earlier",
    "watch_later",
    "alert_found",
    "alert_missed",
    "alert_earlier",
    "alert_later",
    "watches_a_day",
    "alerts_a_day",
    "false_watches",
    "false_alerts",
    "notifications",
]


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signal that speaks of something that was missed."""

    post_key: NonEmpty
    at: Instant
    likelihood_ratio: float
    text: str = ""


class Raised(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One incident as a profile would have raised it."""

    incident_id: NonEmpty
    hazard: Hazard
    place: Place
    onset: Instant
    level: Level  # the highest that it reached
    watch_at: Instant | None = None  # when people would have been told, whatever its level then
    alert_at: Instant | None = None
    ended_at: Instant | None = None
    watch_is: Judgement = "unjudged"  # of the revision that people were first told of
    alert_is: Judgement = "unjudged"
    speaks_of: tuple[str, ...] = ()  # true incidents that it is about
    notifications: int = 0  # revisions that tell people something new: a level, another place
    score: float = 0.0  # the highest
    probability: float = 0.0
    posts: int = 0
    authors: int = 0
    evidence: tuple[Evidence, ...] = ()  # the strongest, of the revision that people were first told of
    first_source: str = ""  # of the first post that people would have been shown
    weight_by_source: dict[str, float] = {}  # nats


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What became of one true incident.

    Units   minutes since it was first spoken of, or since it began where nobody noted that
    """

    incident_id: NonEmpty
    hazard: Hazard
    label: dict[str, str] = {}
    since: Instant
    length_minutes: float  # with which it counts where it was missed
    watch_at: Instant | None = None
    alert_at: Instant | None = None
    watch_minutes: float | None = None  # None, here and below: missed
    alert_minutes: float | None = None
    lead_minutes: float | None = None  # before the first word of an authority; below zero: after it
    raised: tuple[str, ...] = ()  # the incidents that are about it, the first one first
    seen: tuple[Seen, ...] = ()  # the strongest signals of it, where it was missed
    signals: int = 0  # of it, in the recording


class SourceShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one source gave."""

    source: str
    signals: int
    true_weight: float  # nats of evidence in what was true
    false_weight: float
    first: int  # true incidents of which it had the first evidence
    alone: int  # true incidents of which all that was raised rests on it alone


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one profile would have made of a recording.

    Units   delays in minutes; a missed incident counts with its whole length, and one found after its end as well, so
            that missing is never quick
    """

    profile: str
    version: str
    watches: int  # incidents that people would have been told of
    alerts: int
    false_watches: int
    false_alerts: int
    watches_a_day: float
    alerts_a_day: float
    false_watches_a_day: float
    false_alerts_a_day: float
    unjudged_watches_a_day: float = 0.0
    unjudged_alerts_a_day: float = 0.0
    watch_precision: Share  # of those judged
    alert_precision: Share
    watch_recall: Share
    alert_recall: Share
    watch_delay: float | None  # mean; None where nothing is known to have happened
    alert_delay: float | None
    notifications: int
    failed: int = 0  # values that the detector could not take: a defect of it
    raised: tuple[Raised, ...]
    found: tuple[Found, ...]
    by_source: tuple[SourceShare, ...]


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile would have made of it with another budget."""

    factor: float  # of its budget
    false_watches_a_day: float
    false_alerts_a_day: float
    unjudged_watches_a_day: float = 0.0
    unjudged_alerts_a_day: float = 0.0
    watch_recall: Share
    alert_recall: Share
    watch_delay: float | None
    alert_delay: float | None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that a candidate changes; `amount` is how much more, in minutes, a day, or in number."""

    kind: ChangeKind
    amount: float = 0.0
    incident_id: str = ""
    label: dict[str, str] = {}


class OnFrontier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A candidate beside what the profile in force could do with another budget, with no more false ones a day.

    What nobody judged counts with the false ones here: where only some of what happened is known, what more was said
    would cost nothing otherwise.
    """

    level: Level
    false_a_day: float
    delay: float
    delay_in_force: float  # the least with no more false ones, whatever the budget
    factor: float  # of the budget with which it does that


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a candidate is better than the profile in force, and what it changes."""

    is_: Better
    changes: tuple[Change, ...]
    on_frontier: tuple[OnFrontier, ...]


class Backtest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Profiles on one recording, the one in force first."""

    starts_at: Instant
    ends_at: Instant
    days: float
    signals: int
    true_incidents: int
    is_complete: bool  # all that happened is known: what else was raised is false
    outcomes: tuple[Outcome, ...]
    frontiers: tuple[tuple[FrontierPoint, ...], ...] = ()  # one a profile, where they were asked for
    comparison: Comparison | None = None  # of the second with the first
