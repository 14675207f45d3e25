"""Truth: what really happened in a stretch of time, by which what was raised in it is judged."""

import msgspec

from records.place import Place
from records.post import NonEmpty
from records.signal import Hazard
from records.time import Instant


class TrueIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that happened, as somebody knows who looked afterwards; or that did not, where a truth calls it false.

    The posts of a false one are those that made believe in it.
    """

    incident_id: NonEmpty
    hazard: Hazard
    began_at: Instant
    ended_at: Instant | None = None
    place: Place | None = None  # where nobody knows better than the posts, the posts alone tell
    first_post_at: Instant | None = None  # when it was first spoken of
    official_at: Instant | None = None  # when an authority first said so
    post_ids: frozenset[str] = frozenset()  # as the platform numbers them: those that speak of it
    has_other_posts: bool = False  # these are some of them only: where and when others speak tells as well
    label: dict[str, str] = {}  # language -> what people call it


class Truth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known to have happened and not to have happened."""

    incidents: tuple[TrueIncident, ...] = ()
    false_ones: tuple[TrueIncident, ...] = ()
    is_complete: bool = False  # nothing else happened: whatever else was raised is false
