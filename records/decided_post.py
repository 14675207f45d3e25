"""Decided post: what a decision on an incident says of one post that was shown with it: an example to learn from."""

from typing import Annotated, Literal

import msgspec

from records.post import NonEmpty
from records.signal import Actuality, Hazard

DecidedAs = Literal["confirmed", "exercise", "figurative", "old"]


class DecidedPost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One post without author, key, link, time and place: its words, and what was decided.

    It is made anew from the archive at each training, and is kept nowhere.
    """

    text: NonEmpty  # masked, as it is kept
    known_by: NonEmpty  # a hash of its words: two trainings know the same post again
    group: NonEmpty  # a hash of its incident: what was decided once is one decision, however many posts it had
    decided_as: DecidedAs
    hazard: Hazard | None = None  # of what is confirmed; None of what was rejected
    weight: Annotated[float, msgspec.Meta(gt=0, le=1)]  # of a post that somebody labelled by itself

    @property
    def actuality(self) -> Actuality:
        """When or how it speaks of a hazard, as the decision has it."""
        return _ACTUALITIES[self.decided_as]


_ACTUALITIES: dict[DecidedAs, Actuality] = {
    "confirmed": "now",
    "exercise": "exercise",
    "figurative": "figurative",
    "old": "past",
}
