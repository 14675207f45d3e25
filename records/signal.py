"""Signal: a post read as evidence of one hazard at one place; Tick: time passing for an area."""

from typing import Annotated, Literal

import msgspec

from records.doubt import Doubt
from records.place import Place
from records.post import AuthorKind, NonEmpty, Whole
from records.time import Instant

HAZARDS = ("fire", "flood", "industrial", "other")
"""What Vigie looks for; `other` is a sudden disaster outside its three hazards (blast, quake, storm)."""

ACTUALITIES = ("now", "past", "exercise", "figurative", "forecast", "other")
"""When or how a post speaks of its hazard."""

Hazard = Literal["fire", "flood", "industrial", "other"]
Actuality = Literal["now", "past", "exercise", "figurative", "forecast", "other"]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Tier = Annotated[int, msgspec.Meta(ge=0, le=2)]


class Signal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="signal"):
    """One post, read as evidence of one hazard at one place; weak ones keep the baseline honest."""

    post_key: NonEmpty
    source: NonEmpty
    hazard: Hazard
    place: Place
    event_time: Instant
    received_at: Instant
    probability: Probability  # calibrated: the post speaks of this hazard, really, now
    likelihood_ratio: Annotated[float, msgspec.Meta(ge=0)]  # unclipped; 1 says nothing
    witness_probability: Probability
    chatter: Annotated[float, msgspec.Meta(ge=1)] = 1.0  # how many times more than usual others talk of it elsewhere
    actuality: Actuality
    author_id: str
    author_tier: Tier = 0  # 0 unknown account, 1 established, 2 trusted
    author_kind: AuthorKind = "unknown"
    is_relay: bool = False  # repost or quote: never evidence of its own
    cluster_ids: tuple[str, ...] = ()  # content it shares: repost root, link, normalised text
    fingerprint: Whole = 0  # 64-bit simhash of the normalised text, signed; 0 where too short
    doubts: tuple[Doubt, ...] = ()
    is_denial: bool = False  # says that it is not so
    has_image: bool = False
    platform: str = ""
    language: str | None = None
    url: str | None = None
    text: str = ""
    candidates: tuple[Place, ...] = ()
    versions: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The state that this signal changes: one hazard in one area."""
        return f"{self.hazard}/{self.place.area}"


class Tick(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tick"):
    """Time has passed for one hazard in one area: quiet incidents there may move on."""

    hazard: Hazard
    area: NonEmpty
    at: Instant

    @property
    def key(self) -> str:
        """The state that this tick may change."""
        return f"{self.hazard}/{self.area}"
