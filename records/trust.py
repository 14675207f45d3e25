"""Trust: figures by which people know how far to believe what is raised, as they go between the rooms.

Units   days of watching, false ones counted; log is the natural one
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec

from records.signal import Hazard
from records.time import Instant

Standstill = Literal["", "too_short", "too_few", "nobody_ruled", "unjudged", "as_budgeted", "at_bound", "not_watched"]
"""Why an eta is left as it is; "": it is not."""
Score = Literal["likelihood_ratio", "probability"]
SCORES: Final[tuple[Score, ...]] = ("likelihood_ratio", "probability")


class Labelled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people made of the watches of one hazard that a profile raised."""

    hazard: Hazard
    false_ones: int
    true_ones: int
    unjudged: int  # nobody confirmed or rejected them


class EtaFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the budget controller makes of one hazard."""

    hazard: Hazard
    false_ones: int
    unjudged: int
    budgeted: float  # false watches that the budget allows in that time
    eta: float  # as it is
    ratio: float  # that eta is divided by; 1 where it stays
    proposed: float  # the eta that would do; as it is where it stays
    why: Standstill


class EtaProposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the budget controller would change, and the profile that would do so; nothing runs by it."""

    profile: str  # name/version that it is about
    days: float  # that were watched by it
    figures: tuple[EtaFigure, ...]
    toml: str = ""  # the profile with these etas and another version; "": nothing is to be changed


class Heard(NamedTuple):
    """As much of a signal as tells how what comes in has changed."""

    hazard: Hazard
    area: str
    at: datetime  # event time
    likelihood_ratio: float
    probability: float


class Spell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span in which an incident was on, so that its posts say nothing of what is usual."""

    hazard: Hazard
    area: str
    since: Instant
    until: Instant


class ScoreDrift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a score of this week's posts is spread as it was in the weeks before."""

    hazard: Hazard
    score: Score
    posts: int  # this week
    before: int  # in the weeks before
    index: float | None  # population stability index; None where there are too few posts to tell
    told_from: float | None  # from which index on it is a warning


class BaselineDrift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether as many weak posts came from an area as is usual there."""

    hazard: Hazard
    area: str
    posts: int  # weak ones of this week
    days: int  # of it without an incident
    usual: float | None  # that were to be expected in these days; None where too little is known
    low: int | None  # fewer than that are a warning, ...
    high: int | None  # ... and more than that


class Drift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has changed in what comes in, as far as a recording shows it."""

    since: Instant  # the week that is looked at
    until: Instant
    recorded_since: Instant | None  # the first post in the recording of it and the weeks before; None: there is none
    scores: tuple[ScoreDrift, ...]
    baselines: tuple[BaselineDrift, ...]


def is_drifting(one: ScoreDrift | BaselineDrift) -> bool:
    """Tell whether a change is worth a warning."""
    if isinstance(one, ScoreDrift):
        return one.index is not None and one.told_from is not None and one.index >= one.told_from
    return one.low is not None and one.high is not None and not one.low <= one.posts <= one.high
