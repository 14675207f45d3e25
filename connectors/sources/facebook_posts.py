"""Facebook posts: what the webhook or the Graph API tells of a post or a comment, made into the one shape of a post.

Shape   whichever way it was told, the same post has the same key; a deletion carries nothing else
Errors  MalformedRecord; of a bad value only what names nobody is kept
Source  https://developers.facebook.com/docs/graph-api: webhooks/reference/page (`feed`), reference/page/feed,
        reference/object/comments
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from connectors.pseudonym import Pseudonyms
from records import MalformedRecord, Media, Post
from records.time import in_utc

PLATFORM: Final = "facebook"
COMMENT: Final = "comment"

Verb = Literal["create", "update", "delete"]
VERBS: Mapping[str, Verb] = {
    "add": "create",
    "unhide": "create",
    "edited": "update",
    "edit": "update",  # visitors' posts
    "update": "update",
    "remove": "delete",
    "delete": "delete",
    "hide": "delete",  # nobody but its author's friends sees it any more
}
KEPT_OF_BAD = ("item", "verb", "created_time", "published", "is_hidden")
"""What of a bad value goes to the dead letters; the rest may name somebody."""

MAX_TEXT = 100_000  # characters; Facebook's own limit is 63,206
MAX_MEDIA = 20
NO_PERSONS = frozenset({"page", "event", "group", "application"})  # types of tags that name no person
SHORTEST_NAME = 2  # characters
MILLIS_FROM = 10**11  # a time from here on is in milliseconds

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ID = re.compile(r"[0-9A-Za-z_:-]{1,200}")
_PLAIN_WORD = re.compile(r"[a-z_]{1,32}|[0-9T:+.Z-]{4,40}")
_MASK = "@…"

Id = str | int


class Author(msgspec.Struct, frozen=True):
    """Who wrote it: an id that holds for this Page only."""

    id: Id = ""


class FeedValue(msgspec.Struct, frozen=True, rename={"author": "from"}):
    """News of one post or comment."""

    item: str
    verb: str
    post_id: Id = ""
    comment_id: Id = ""
    parent_id: Id = ""
    message: str | None = None
    message_tags: Any = None
    created_time: int | float | None = None
    author: Author | None = None
    published: int | bool | None = None
    is_hidden: bool | None = None
    photo: Any = None
    photos: Any = None
    video: Any = None


class Node(msgspec.Struct, frozen=True, rename={"author": "from"}):
    """One post or comment as the Graph API gives it."""

    id: str
    created_time: str
    message: str | None = None
    message_tags: Any = None
    updated_time: str | None = None
    author: Author | None = None
    parent: Author | None = None
    attachments: Any = None
    attachment: Any = None
    is_hidden: bool | None = None
    is_published: bool | None = None
    is_private: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing on the Page, whichever way we heard of it."""

    kind: Literal["post", "comment"]
    verb: Verb
    id: str
    post_id: str
    parent_id: str
    author: str
    text: str
    created_at: datetime
    media: tuple[Media, ...]


def told_by_change(value: FeedValue, *, page_id: str, told_at: datetime) -> Told | None:
    """Return what a change tells, or None when it concerns nothing that is public.

    Errors  MalformedRecord when it lacks what a post needs
    """
    verb = VERBS.get(value.verb)
    if verb is None or (value.published is not None and not value.published and verb != "delete"):
        return None
    post_id = full_post_id(value.post_id, page_id)
    is_comment = value.item == COMMENT
    return Told(
        kind="comment" if is_comment else "post",
        verb="delete" if value.is_hidden else verb,
        id=str(value.comment_id) if is_comment else post_id,
        post_id=post_id,
        parent_id=full_post_id(value.parent_id, page_id) or post_id,
        author=str(value.author.id) if value.author else "",
        text=masked(value.message or "", value.message_tags),
        created_at=told_at if value.created_time is None else moment_at(value.created_time),
        media=media_of_change(value),
    )


def told_by_node(node: Node, *, page_id: str, thread: str) -> Told | None:
    """Return what a node of the Graph API holds, or None when it is not public; `thread` is a comment's post.

    Errors  MalformedRecord when its time is none
    """
    if node.is_private or node.is_published is False:
        return None
    own_id = node.id if thread else full_post_id(node.id, page_id)
    return Told(
        kind="comment" if thread else "post",
        verb="delete" if node.is_hidden else "create",
        id=own_id,
        post_id=thread or own_id,
        parent_id=full_post_id(node.parent.id, page_id) if node.parent else thread,
        author=str(node.author.id) if node.author else "",
        text=masked(node.message or "", node.message_tags),
        created_at=moment_from(node.created_time),
        media=media_of_node(node),
    )


def post_from(
    told: Told,
    *,
    page_id: str,
    received_at: datetime,
    pseudonyms: Pseudonyms,
    source: str = PLATFORM,
    is_trusted: bool = False,
) -> Post:
    """Turn what was told into a post; a deletion carries nothing but the key.

    Errors  MalformedRecord when its ids are none, or the text is too long
    """
    for native_id in (told.id, told.post_id):
        if not is_id(native_id):
            raise MalformedRecord(f"a {told.kind} without a usable id", reason="invalid")
    if len(told.text) > MAX_TEXT:
        raise MalformedRecord(f"a text of {len(told.text)} characters", reason="too_long")
    is_gone = told.verb == "delete"
    is_comment = told.kind == COMMENT
    has_author = bool(told.author) and not is_gone
    return Post(
        source=source,
        id=key_of(told.id, page_id, pseudonyms),
        platform=PLATFORM,
        posted_at=told.created_at,
        received_at=received_at,
        author_id=pseudonyms.author(PLATFORM, told.author) if has_author else "",
        author_kind="official" if has_author and told.author == page_id else "unknown",
        text="" if is_gone else unicodedata.normalize("NFC", told.text),
        verb=told.verb,
        kind=told.kind,
        url=None if is_gone else link_to(told),
        thread_id=key_of(told.post_id, page_id, pseudonyms) if is_comment else None,
        reply_to=key_of(told.parent_id or told.post_id, page_id, pseudonyms) if is_comment else None,
        media=() if is_gone else told.media,
        is_trusted=is_trusted,
    )


def key_of(native_id: str, page_id: str, pseudonyms: Pseudonyms) -> str:
    """Return an id as it may leave: one below the Page's own number stays, any other may name a person.

    It depends on nothing but the id, so that a deletion finds its post whichever way the two came.
    """
    if native_id.startswith(f"{page_id}_") and native_id.replace("_", "").isdecimal():
        return native_id
    return pseudonyms.post(PLATFORM, native_id)


def full_post_id(native_id: Id, page_id: str) -> str:
    """Return a post's id with its Page's number before it."""
    found = str(native_id)
    return f"{page_id}_{found}" if found.isdecimal() else found


def is_id(text: str) -> bool:
    """Tell whether a text can be an id of Facebook's, and may stand in an address or a message."""
    return _ID.fullmatch(text) is not None


def link_to(told: Told) -> str:
    """Return the page where it can be read, the one place where an id may name its author."""
    link = f"https://www.facebook.com/{told.post_id}"
    return f"{link}?comment_id={told.id.rpartition('_')[2]}" if told.kind == COMMENT else link


def masked(text: str, tags: object) -> str:
    """Return a text without the names of the people who are tagged in it; Pages and places stay.

    Whether Facebook counts offsets in characters or in UTF-16 is not documented, and a tag may be shortened to a first
    name: so the whole name is masked wherever it stands, and what stands at either offset when the name holds it.
    """
    words: set[str] = set()
    for tag in tags_in(tags):
        name = tag.get("name")
        if isinstance(name, str) and str(tag.get("type")) not in NO_PERSONS:
            words |= {name, *(piece for piece in pieces_at(text, tag) if piece in name)}
    for word in sorted(words, key=len, reverse=True):
        if len(word.strip()) >= SHORTEST_NAME:
            text = text.replace(word, _MASK)
    return text


def pieces_at(text: str, tag: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what stands where a tag says, counted in characters and in UTF-16 units."""
    start, length = tag.get("offset"), tag.get("length")
    if not (isinstance(start, int) and isinstance(length, int) and 0 <= start <= len(text) * 2 and length > 0):
        return ()
    end = start + min(length, len(text) * 2)
    units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
    return text[start:end], units.decode("utf-16-le", "replace")


def tags_in(tags: object) -> list[dict[str, Any]]:
    """Return the tags of a message: a list, or lists by offset as older versions have them."""
    found: list[object] = []
    if isinstance(tags, dict):
        found = [tag for some in tags.values() if isinstance(some, list) for tag in some]
    elif isinstance(tags, list):
        found = tags
    return [tag for tag in found if isinstance(tag, dict)]


def media_of_change(value: FeedValue) -> tuple[Media, ...]:
    """Return that there are pictures, a film or a link; never where."""
    if isinstance(value.photos, list) and value.photos:
        return (Media(type="image"),) * min(len(value.photos), MAX_MEDIA)
    if value.photo or value.item == "photo":
        return (Media(type="image"),)
    if value.video or value.item == "video":
        return (Media(type="video"),)
    return (Media(type="link"),) if value.item in ("share", "link") else ()


def media_of_node(node: Node) -> tuple[Media, ...]:
    """Return that there are pictures, a film or a link; never where."""
    kind = as_table(node.attachment).get("type")
    found = [kind] if kind in ("photo", "video_inline", "video_autoplay") else []
    for attachment in tables_in(node.attachments):
        within = [item.get("media_type") for item in tables_in(attachment.get("subattachments"))]
        found += within or [attachment.get("media_type")]
    return tuple(Media(type=of) for of in map(_media_type, found[:MAX_MEDIA]) if of)


def _media_type(kind: object) -> Literal["image", "video", "link"] | None:
    word = kind if isinstance(kind, str) else ""
    if word in ("photo", "album"):
        return "image"
    if word.startswith("video"):
        return "video"
    return "link" if word in ("link", "share") else None


def tables_in(value: object) -> list[dict[str, Any]]:
    """Return the objects of a `{"data": […]}`."""
    found = as_table(value).get("data")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def as_table(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def moment_at(seconds: float) -> datetime:
    """Return a moment given in seconds since 1970."""
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLIS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedRecord("its time is none", reason="invalid") from error


def moment_from(text: str) -> datetime:
    """Return a moment in the notation of the Graph API: 2026-11-29T07:00:00+0000."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise MalformedRecord("its time is none", reason="invalid") from error


def malformed(error: Exception, value: bytes) -> MalformedRecord:
    """Tell what is wrong with a value, and keep of it what names nobody."""
    reason = "invalid" if isinstance(error, msgspec.ValidationError) else "undecodable"
    if isinstance(error, MalformedRecord):
        reason = error.reason
    return MalformedRecord(f"facebook: {error}", reason=reason, value=scrubbed(value))


def scrubbed(value: bytes) -> bytes:
    """Return a bad value as it may leave: the few fields that hold no words of anybody."""
    try:
        found = as_table(msgspec.json.decode(value))
    except UNREADABLE:
        return b""  # it cannot be seen whom it names
    found = as_table(found.get("value")) or found
    kept = {name: found[name] if is_plain(found[name]) else "..." for name in KEPT_OF_BAD if name in found}
    return msgspec.json.encode(kept)


def is_plain(value: object) -> bool:
    """Tell whether a value is a number, a truth value or a word of the protocol."""
    return isinstance(value, int | float) or (isinstance(value, str) and bool(_PLAIN_WORD.fullmatch(value)))


def why_not_page(page_id: str) -> str | None:
    """Return what is wrong with the number of a Page, or None."""
    return None if page_id.isascii() and page_id.isdecimal() else f"facebook: {page_id!r} is not the number of a Page"
