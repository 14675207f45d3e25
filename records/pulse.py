"""Pulse: what a source read in one minute and did not keep, counted and forgotten."""

from typing import Annotated

import msgspec

from records.post import LARGEST, NonEmpty
from records.time import Instant

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class Pulse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One minute of one source, in one language: every value read, by its outcome."""

    source: NonEmpty
    minute: Instant  # start of the minute, our clock
    language: str  # as the platform says, "" where it does not
    area: str  # coarse area, "" where unknown
    outcomes: dict[str, Count]  # "kept", "gated", "not_a_post", "refused", …; they add up to what was read

    @property
    def key(self) -> str:
        """The source."""
        return self.source
