"""Verdict: what a person decided about an incident."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from records.place import Place
from records.post import NonEmpty
from records.signal import Hazard
from records.time import Instant

Decision = Literal[
    "acknowledge",
    "confirm",
    "reject",
    "close",
    "relocate",
    "change_hazard",
    "merge",
    "split",
    "note",
    "withdraw",
]
ANSWERING: Final[frozenset[Decision]] = frozenset(
    ("acknowledge", "confirm", "reject", "close", "relocate", "change_hazard", "merge", "split")
)
"""Whoever decides one of these has looked at the incident, and answers for it."""

_SAID_IN: Final[Mapping[Decision, tuple[str, ...]]] = {
    "relocate": ("place",),
    "change_hazard": ("read_as",),
    "merge": ("other",),
    "split": ("other", "post_keys"),
    "withdraw": ("withdraws",),
}
"""In which field a decision says what it decides: in one of them, and in no other."""
_FIELDS: Final = ("withdraws", "place", "read_as", "other", "post_keys")


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="verdict"):
    """A person's decision on one incident; of those that say the same kind of thing the latest one holds.

    Errors  ValueError where it does not say what it decides, says something else, or speaks of itself
    """

    incident_id: NonEmpty
    hazard: Hazard  # of the state that has the incident: `Alert.state_hazard`
    area: NonEmpty  # as its alerts name it
    decision: Decision
    decided_at: Instant
    decided_by: NonEmpty  # a role or an account of the crisis cell, never an author of posts
    reason: str = ""
    decision_id: str = ""  # what it is known by; what has none cannot be withdrawn
    withdraws: str = ""  # withdraw: the decision that is taken back
    place: Place | None = None  # relocate: where the incident is
    read_as: Hazard | None = None  # change_hazard: what it is
    other: str = ""  # merge: the incident that it is part of; split: one that it is not part of
    post_keys: tuple[NonEmpty, ...] = ()  # split: posts that speak of something else

    def __post_init__(self) -> None:
        """Refuse what decides nothing, or two things."""
        allowed = _SAID_IN.get(self.decision, ())
        said = [name for name in _FIELDS if getattr(self, name)]
        wrong = next((name for name in said if name not in allowed), "")
        if wrong:
            raise ValueError(f"`{wrong}` says nothing in a {self.decision}; leave it out")
        if allowed and len(said) != 1:
            raise ValueError(f"a {self.decision} gives {' or '.join(f'`{name}`' for name in allowed)}, and one only")
        if self.other == self.incident_id:
            raise ValueError(f"`other` is {self.other!r}, the incident itself; give another one")

    @property
    def key(self) -> str:
        """The decision, so that compaction keeps each; without an id, the incident decided on."""
        return f"{self.incident_id}/{self.decision_id}" if self.decision_id else self.incident_id

    @property
    def identity(self) -> str:
        """What it is known by among those on its incident."""
        return self.decision_id or f"{self.decision}\n{self.decided_at.isoformat()}"
