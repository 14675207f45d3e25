"""Retraction: what somebody said is to be forgotten, because it was deleted, or changed, or its author has left."""

from hashlib import blake2b

import msgspec

from records.time import Instant

SHOWN = 280


def words_of(text: str) -> str:
    """Return by what words are known again, without saying them."""
    return blake2b(text[:SHOWN].encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Retraction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="retraction"):
    """The words of one post, or of one author, are to go; it lies on every partition of `signals.v1`."""

    at: Instant
    post_key: str = ""
    author_id: str = ""  # a pseudonym; everything of this author
    unless: str = ""  # what the post says now, as `words_of` has it: whoever holds that already has nothing to forget

    @property
    def key(self) -> str:
        """Whatever holds it: no state of its own."""
        return "retraction"
