"""Claim: one thing that a post says is needed or offered; Claimed: all that one post claims."""

from typing import Annotated, Literal

import msgspec

from records.place import Place
from records.post import NonEmpty, Whole
from records.time import Instant

Kind = Literal["need", "offer"]


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One need or one offer, as a post states it; nobody has checked it, and it does not say who states it."""

    kind: Kind
    thing: NonEmpty  # one of the things of models/solidarity_words.py: "shelter", "tools", …
    post_key: NonEmpty
    source: NonEmpty
    platform: str = ""
    event_time: Instant
    received_at: Instant
    place: Place | None = None  # None only where it closes what it answers
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]  # an order, no probability
    quantity: Whole | None = None  # pieces, persons or places, as the measure says
    measure: str = ""  # the words of the quantity, in plain letters
    is_closed: bool = False  # found, full, enough: it is needed or offered no more
    is_call: bool = False  # by an institution, or to the public: a collection, a fund
    answers: tuple[str, ...] = ()  # keys of the posts that it answers: the one before it, and the first
    text: str = ""  # private persons masked
    url: str | None = None
    version: str = ""  # of the reader

    @property
    def key(self) -> str:
        """What makes it one claim of its post."""
        return f"{self.post_key}/{self.kind}/{self.thing}"

    @property
    def area(self) -> str:
        """The area of its place; "" without one."""
        return self.place.area if self.place else ""


class Claimed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="claimed"):
    """All that one post claims: an edit takes its place as a whole, and one deletion takes all of it away."""

    post_key: NonEmpty
    claims: Annotated[tuple[Claim, ...], msgspec.Meta(min_length=1)]

    @property
    def key(self) -> str:
        """The post's key, so that whoever deletes the post need not know what it claimed."""
        return self.post_key
