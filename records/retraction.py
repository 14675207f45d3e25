"""Retraction: what somebody said is to be forgotten, because it was deleted, or changed, or its author has left."""

from hashlib import blake2b

import msgspec

from records.alert import Alert
from records.time import Instant

SHOWN = 280


def words_of(text: str) -> str:
    """Return by what words are known again, without saying them."""
    return blake2b(text[:SHOWN].encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Retraction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="retraction"):
    """The words of one post, or of one author, are to go.

    It lies on every partition of `signals.v1`, for nobody knows which states hold them. With an alert that was told it
    goes to the state of that alert alone, which may have forgotten it long ago.
    """

    at: Instant
    post_key: str = ""
    author_id: str = ""  # a pseudonym; everything of this author
    unless: str = ""  # what the post says now, as `words_of` has it: whoever holds that already has nothing to forget
    told: Alert | None = None  # the newest revision that is known of an incident, where it still shows them

    @property
    def name(self) -> str:
        """Whose words are to go: the post's key, or the author's pseudonym."""
        return self.post_key or self.author_id

    @property
    def key(self) -> str:
        """The state that has told it; without one, whose words they are."""
        return f"{self.told.state_hazard}/{self.told.area}" if self.told else self.name
