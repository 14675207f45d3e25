"""SourceStatus: whether a source is being listened to, and since when it is not."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from records.post import LARGEST, NonEmpty
from records.time import Instant

Way = Literal["network", "page", "press", "people", "authorities"]
"""How a first witness, or word of the danger, reaches the cell: an open network, the town's own page, a newspaper,
somebody who tells it us, a gauge or a warning."""

STALE = timedelta(minutes=5)
"""A status that nobody has renewed for so long is worth nothing: the process that reads that source is gone."""

State = Literal["listening", "unsure", "blind", "off"]
"""`unsure`: it tells by itself and has said nothing for long; nobody can know whether there was nothing to say."""

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One source at one moment, as the process that reads it knows; the newest one holds."""

    source: NonEmpty
    way: Way
    state: State
    at: Instant  # UTC, our clock
    since: Instant  # when this state began
    why: str = ""  # in words, where it is blind or off
    last_sign_at: Instant | None = None  # of life: a heartbeat, a poll without news, anything
    last_post_at: Instant | None = None
    lag_secs: Seconds = 0.0  # between the saying and the hearing of the last post
    gap_secs: Seconds = 0.0  # that nobody will ever have seen, since the process was started
    failures: Count = 0  # times that it could not be read
    read: Count = 0  # values, whatever became of them
    refused: Count = 0  # of them
    spent_usd: float | None = None  # this month, where posts cost money
    ceiling_usd: float | None = None

    @property
    def key(self) -> str:
        """The source."""
        return self.source
