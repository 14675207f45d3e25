"""Reporting: what became of a notification, as others may know it.

Shape   a row of the outbox in, a record out; pure. Its id is made of the outbox, the incident or digest, the revision
        and the receiver, and not of the row's number, which the file gives anew once it has forgotten all rows
"""

from datetime import UTC, datetime
from typing import Final, cast

from connectors.sinks.needless import NEWER, WORDS
from connectors.sinks.outbox_changes import Changed
from records import Level, Notification, NotificationState

DIGEST: Final = "digest"
"""Stands in the place of the level of what is a digest."""


def notification_from(changed: Changed, outbox_id: str) -> Notification:
    """Return what became of a notification."""
    state = state_of(changed)
    is_digest = changed.level == DIGEST
    return Notification(
        notification_id=f"{outbox_id}/{changed.incident_id}/{changed.revision}/{changed.receiver}",
        receiver=changed.receiver,
        state=state,
        at=datetime.fromtimestamp(changed.at, UTC),
        incident_id="" if is_digest else changed.incident_id,
        revision=0 if is_digest else changed.revision,
        level=None if changed.level in (DIGEST, WORDS) else cast(Level, changed.level),
        digest_id=changed.incident_id if is_digest else "",
        route=changed.route,
        why=changed.held if state == "held" else changed.detail,
        attempts=changed.attempts,
    )


def state_of(changed: Changed) -> NotificationState:
    """Return what a row is: the file has one state for all that waits, and one for all that is passed over."""
    if changed.state == "pending":
        return "held" if changed.held else "waiting"
    if changed.state == "superseded":
        return "superseded" if changed.detail == NEWER else "needless"
    return cast(NotificationState, changed.state)
