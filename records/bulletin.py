"""Bulletin: what an authority or an operator states; context, never evidence by itself."""

from typing import Literal

import msgspec

from records.place import Place
from records.post import NonEmpty
from records.signal import Hazard
from records.time import Instant

Colour = Literal["green", "yellow", "orange", "red"]
BulletinKind = Literal["vigilance", "river_level", "operator_notice", "siren_test", "exercise", "other"]
Phenomenon = Literal["flare", "smoke", "noise", "odour", "maintenance", "incident"]


class Bulletin(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="bulletin"
):
    """One statement by an authority or an operator, for an area and a span of time."""

    bulletin_id: NonEmpty
    source: NonEmpty
    kind: BulletinKind
    area: NonEmpty  # département code; what concerns several is as many bulletins
    issued_at: Instant
    received_at: Instant
    text: str
    hazard: Hazard | None = None  # None: whichever it may be taken for
    colour: Colour | None = None  # of a vigilance, or of the river level it stands for
    phenomenon: Phenomenon | None = None  # what a notice announces; None: only its text says
    place: Place | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    is_denial: bool = False  # says that what is told is not so
    url: str | None = None

    @property
    def key(self) -> str:
        """The area it speaks of."""
        return self.area
