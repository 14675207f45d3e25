"""Notification: who was to be told of what, and what became of it."""

from typing import Annotated, Literal

import msgspec

from records.alert import Level
from records.post import LARGEST, NonEmpty, Whole
from records.time import Instant

NotificationState = Literal["waiting", "held", "sent", "failed", "superseded", "needless"]
"""`waiting`: goes out at its turn, or at the next attempt; `held`: something keeps it back; `superseded`: a newer
revision stands for it; `needless`: its receiver need not be told."""

Attempts = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class Notification(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="notification"
):
    """One revision of an incident, or one digest, on its way to one receiver; the newest of a key holds.

    Two workers may each have been about to tell the same: that is two notifications.
    """

    notification_id: NonEmpty  # the same whatever becomes of it
    receiver: NonEmpty  # the receiver's name in the settings, never an address
    state: NotificationState
    at: Instant  # when that became of it
    incident_id: str = ""  # "" for a digest
    revision: Whole = 0  # 0 for a digest
    level: Level | None = None  # None for a digest, and for a revision that only takes words of posts back
    digest_id: str = ""  # "" for an incident
    route: str = ""  # by which it went, "" where none fits any more
    why: str = ""  # not told, or not yet; no address, no secret, no words of posts
    attempts: Attempts = 0

    @property
    def key(self) -> str:
        """The notification, whatever became of it."""
        return self.notification_id

    @property
    def is_digest(self) -> bool:
        """Whether it tells of a digest, and of no single incident."""
        return bool(self.digest_id)
