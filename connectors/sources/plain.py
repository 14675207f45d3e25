"""Plain posts: the shape in which files and webhooks hand posts over.

Shape   `{"id","source","author","ts","text","lang"?,"url"?,"geo"?,"repost_of"?}` and, where known, the verb, the kind
        and what the post answers; fields that we do not know are ignored
Units   ts in ISO 8601, UTC where it names no zone; geo in degrees WGS84
Errors  MalformedRecord: `undecodable` when it is not JSON, `invalid` when a field is missing or out of range
"""

import re
import unicodedata
from datetime import datetime
from typing import Literal

import msgspec

from connectors.pseudonym import Pseudonyms
from records import Geo, MalformedRecord, Media, Post
from records.time import in_utc

AuthorKind = Literal["person", "press", "official", "operator", "volunteer", "bot", "unknown"]
MAX_LAT, MAX_LON = 90, 180
MAX_LETTER_BYTES = 65_536
"""No more than this of a bad value goes to the dead letters."""

_NAMES_AUTHOR = frozenset({"author", "author_id", "user", "username", "user_name", "name", "handle", "screen_name"})
_AUTHOR_IN_TEXT = re.compile(
    rb'("(?:author|user|name|handle|screen_name)[a-z_]*"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}\s]+)', re.IGNORECASE
)


class PlainGeo(msgspec.Struct, frozen=True):
    """A position as files and webhooks give it."""

    lat: float
    lon: float
    provenance: Literal["point", "place"] = "point"


class PlainPost(msgspec.Struct, frozen=True):
    """One post as files and webhooks give it."""

    id: str | int
    text: str
    ts: datetime
    author: str | int = ""
    source: str = ""
    lang: str | None = None
    url: str | None = None
    geo: PlainGeo | None = None
    repost_of: str | int | None = None
    platform: str = ""
    verb: Literal["create", "update", "delete", "purge"] = "create"
    kind: Literal["post", "comment", "article"] = "post"
    author_kind: AuthorKind = "unknown"
    thread_id: str | int | None = None
    reply_to: str | int | None = None
    quote_of: str | int | None = None
    media: tuple[Media, ...] = ()
    received_at: datetime | None = None


FIELDS = frozenset(PlainPost.__struct_fields__)
_decoder = msgspec.json.Decoder(PlainPost)


def plain_from(value: bytes) -> PlainPost:
    """Return the plain post that a JSON object holds."""
    try:
        return _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise MalformedRecord(str(error), reason="invalid", value=scrubbed(value)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecord(str(error), reason="undecodable", value=scrubbed(value)) from error


def post_from(
    plain: PlainPost,
    *,
    source: str,
    received_at: datetime | None,
    pseudonyms: Pseudonyms,
    is_trusted: bool,
    value: bytes = b"",
) -> Post:
    """Turn a plain post into a post; without a time of receipt, the post's own stands in for it.

    A purge names an author, not a post: its id is made of the author's pseudonym.
    """
    platform = (plain.platform or plain.source or source).replace(":", "_")  # a post's key is cut at its first colon
    author_id = pseudonyms.author(platform, str(plain.author))
    post_id = f"author:{author_id}" if plain.verb == "purge" else str(plain.id)
    try:
        posted_at = in_utc(plain.ts)
        post = Post(
            source=source,
            id=post_id,
            posted_at=posted_at,
            received_at=received_at or (in_utc(plain.received_at) if plain.received_at else posted_at),
            author_id=author_id,
            text=unicodedata.normalize("NFC", plain.text),
            platform=platform,
            verb=plain.verb,
            kind=plain.kind,
            author_kind=plain.author_kind,
            lang=plain.lang or None,
            url=plain.url if is_link(plain.url) else None,
            geo=geo_from(plain.geo),
            thread_id=_id(plain.thread_id),
            reply_to=_id(plain.reply_to),
            repost_of=_id(plain.repost_of),
            quote_of=_id(plain.quote_of),
            media=plain.media,
            is_trusted=is_trusted,
        )
    except (ValueError, MalformedRecord) as error:
        raise MalformedRecord(str(error), reason="invalid", value=scrubbed(value)) from error
    if not post_id or (plain.verb == "purge" and not author_id):
        raise MalformedRecord("the id is empty", reason="invalid", value=scrubbed(value))
    return post


def is_link(url: str | None) -> bool:
    """Tell whether a link may be shown: a page, never a script."""
    return url is not None and url[:8].lower().startswith(("http://", "https://"))


def geo_from(geo: PlainGeo | None) -> Geo | None:
    """Return a position, or None without one.

    Errors  ValueError when it is not on Earth
    """
    if geo is None:
        return None
    if not (abs(geo.lat) <= MAX_LAT and abs(geo.lon) <= MAX_LON):  # not a number is no position either
        raise ValueError(f"no such position: lat {geo.lat}, lon {geo.lon}")
    return Geo(lat=geo.lat, lon=geo.lon, provenance=geo.provenance)


def scrubbed(value: bytes) -> bytes:
    """Return a bad value as it may leave the connector: without its author's name."""
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _AUTHOR_IN_TEXT.sub(rb'\1"..."', value[:MAX_LETTER_BYTES])
    if not isinstance(found, dict):
        return value[:MAX_LETTER_BYTES]
    kept = {name: "..." if name in _NAMES_AUTHOR else found[name] for name in found if name in FIELDS}
    return msgspec.json.encode(kept)[:MAX_LETTER_BYTES]


def _id(native_id: str | int | None) -> str | None:
    return None if native_id is None or native_id == "" else str(native_id)
