"""Verdict: what a person decided about an incident."""

from typing import Literal

import msgspec

from records.post import NonEmpty
from records.signal import Hazard
from records.time import Instant


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="verdict"):
    """A person's decision on one incident; the latest one holds."""

    incident_id: NonEmpty
    hazard: Hazard
    area: NonEmpty  # as its alerts name it
    decision: Literal["acknowledge", "confirm", "reject", "close"]
    decided_at: Instant
    decided_by: NonEmpty  # a role or an account of the crisis cell, never an author of posts
    reason: str = ""

    @property
    def key(self) -> str:
        """The incident decided on."""
        return self.incident_id
