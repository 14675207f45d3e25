"""Bulletin: what an authority or an operator states; context, never evidence by itself."""

from typing import Literal

import msgspec

from records.place import Place
from records.post import NonEmpty
from records.time import Instant

BulletinKind = Literal["vigilance", "river_level", "operator_notice", "siren_test", "exercise", "other"]


class Bulletin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One statement by an authority or an operator, for an area and a span of time."""

    bulletin_id: NonEmpty
    source: NonEmpty
    kind: BulletinKind
    area: NonEmpty  # département code, or wider
    issued_at: Instant
    received_at: Instant
    text: str
    hazard: str | None = None
    place: Place | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    url: str | None = None

    @property
    def key(self) -> str:
        """The area it speaks of."""
        return self.area
