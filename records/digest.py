"""Digest: what whoever comes on duty should know: what is new, on, over, refuted, not known, and not seen."""

import msgspec

from records.alert import Alert, Level
from records.post import NonEmpty
from records.signal import Hazard
from records.source_status import State, Way
from records.time import Instant


class Unseen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A source that was not listened to for some of the time."""

    source: NonEmpty
    minutes: int  # without a sign that it was read
    way: Way | None = None
    state: State | None = None  # now, as far as is known
    why: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that is needed or offered, as posts state it: neither their words nor who wrote them."""

    thing: NonEmpty
    place: str
    at: Instant  # of the newest post that says so
    quantity: int | None = None
    measure: str = ""
    voices: int = 1  # posts that say so in nearly the same words


class Solidarity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is needed and offered around one incident and not known to be over; nobody has checked it."""

    incident_id: NonEmpty
    hazard: Hazard
    place: str
    needs: tuple[Listed, ...] = ()
    offers: tuple[Listed, ...] = ()
    calls: tuple[Listed, ...] = ()  # by institutions, or to everybody
    left_out: int = 0  # lines there was no room for


class Digest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="digest"):
    """One span of time, as it stands at its end; the alerts are newest revisions, without the posts behind them."""

    digest_id: NonEmpty
    since: Instant
    until: Instant
    new: tuple[Alert, ...]  # began in this span and are still on
    ongoing: tuple[Alert, ...]  # began before
    refuted: tuple[Alert, ...]
    over: tuple[Alert, ...]
    unseen: tuple[Unseen, ...]
    unheard_ways: tuple[Way, ...]  # by which no witness would reach us now
    figures: dict[str, int]  # "read", "kept", "gated", "refused", "signals", …
    rumours: tuple[Alert, ...] = ()  # what goes round and may be none of it so; what is for the map alone, too
    claims: tuple[Solidarity, ...] = ()  # around what is new, ongoing or recently over
    last_until: Instant | None = None  # the end of the last digest, where shifts since then have had none

    @property
    def key(self) -> str:
        """Which span of time it is of."""
        return self.digest_id


class End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of an incident; one that comes back and ends again has two."""

    incident_id: NonEmpty
    level: Level
    at: Instant


class DigestMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="digest_made"):
    """That a shift has had its digest, and which ends it told of: the next one tells of all others."""

    digest_id: NonEmpty
    since: Instant
    until: Instant
    ends: tuple[End, ...]

    @property
    def key(self) -> str:
        """The same for all: they stay in order, and go in it."""
        return "digests"
