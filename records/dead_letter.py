"""DeadLetter: a value that could not be handled, kept whole with its reason."""

import msgspec

from records.post import NonEmpty, Whole
from records.time import Instant


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value from a topic or a source that nobody could handle."""

    topic: NonEmpty  # the topic, or "source:<name>"
    reason: NonEmpty  # a metric label: few, fixed values
    detail: str
    value: bytes  # whole, base64 on the wire
    died_at: Instant
    partition: Whole = -1
    offset: Whole = -1

    @property
    def key(self) -> str:
        """The topic it came from."""
        return self.topic
