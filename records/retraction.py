"""Retraction: what somebody said is to be forgotten, because it was deleted, or changed, or its author has left."""

import msgspec

from records.time import Instant


class Retraction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="retraction"):
    """The words of one post, or of one author, are to go; it lies on every partition of `signals.v1`."""

    at: Instant
    post_key: str = ""
    author_id: str = ""  # a pseudonym; everything of this author

    @property
    def key(self) -> str:
        """Whatever holds it: no state of its own."""
        return "retraction"
