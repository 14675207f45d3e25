"""Post: one public message, in the one shape that every connector produces."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from records.time import Instant

Verb = Literal["create", "update", "delete", "purge"]
Kind = Literal["post", "comment", "article"]
AuthorKind = Literal["person", "press", "official", "operator", "volunteer", "bot", "unknown"]
LONGEST_NAME = 1024  # characters
NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
LARGEST = (1 << 63) - 1
Whole = Annotated[int, msgspec.Meta(ge=-LARGEST - 1, le=LARGEST)]
"""A number that every store of ours can hold: whoever writes JSON can write larger ones."""
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Geo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the platform says the post was sent from, in degrees WGS84."""

    lat: Latitude
    lon: Longitude
    provenance: Literal["point", "place"] = "point"


class Media(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One picture, film or sound attached to a post; never the file itself."""

    type: Literal["image", "video", "audio", "link"]
    alt: str = ""


class Post(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One public message, or news of one: an edit, a deletion, an author's departure.

    Everything here came from outside: text and times are claims, not facts.
    """

    source: NonEmpty  # the connector's name in the settings
    id: NonEmpty  # native id, unique where it was published
    posted_at: Instant  # UTC, by the author's clock
    received_at: Instant  # UTC, by ours
    author_id: str  # rotating keyed hash; "" where nobody is named
    text: str  # as published, Unicode NFC
    platform: str = ""  # where people publish, when the source carries several
    verb: Verb = "create"
    kind: Kind = "post"
    author_kind: AuthorKind = "unknown"
    lang: str | None = None  # as the platform says, BCP 47
    url: str | None = None
    geo: Geo | None = None
    thread_id: str | None = None
    reply_to: str | None = None
    repost_of: str | None = None
    quote_of: str | None = None
    media: tuple[Media, ...] = ()
    rule_tags: tuple[str, ...] = ()
    is_trusted: bool = False  # came through a source that skips the gate
    cursor: str | None = None  # where the connector stood
    raw_sha256: str | None = None

    def __post_init__(self) -> None:
        """Refuse a post whose key no signal could bear: it would be read, and lost on the way."""
        if len(self.key) > LONGEST_NAME:
            raise ValueError(f"a post's key has {len(self.key)} characters, more than {LONGEST_NAME}")

    @property
    def key(self) -> str:
        """The post's identity: where it was published and its id there. A deletion carries the same key.

        So a post that two connectors bring is one post, and a recording may hold posts of several platforms.
        """
        return f"{self.platform or self.source}:{self.id}"

    @property
    def event_time(self) -> datetime:
        """When it was said, UTC: the author's time, unless that lies in our future."""
        return min(self.posted_at, self.received_at)
