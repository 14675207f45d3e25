"""Feed memory: what a cursor keeps of each feed, and which entries are news to it.

Units   per feed its validators, the second of the last visit and short hashes of the entries seen, newest last; 9 bytes
        an entry, some 30 kB in all
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from connectors.sources.feeds import Entry

KEY_BYTES, MARK_BYTES = 6, 3
MOST_SEEN, LEAST_SEEN, SEEN_IN_ALL = 200, 40, 2_000
LAST_DATE = datetime.max.replace(tzinfo=UTC)


class Memory(msgspec.Struct, array_like=True):
    """What a cursor keeps of one feed."""

    etag: str = ""
    modified: str = ""
    read_at: int = 0  # seconds since 1970 of the last visit that was answered
    bad: str = ""  # hash of a document that was no feed, so that it is told once
    seen: bytes = b""  # a hash of each entry's id and one of its content, the newest last


class Standing(msgspec.Struct):
    """A cursor taken apart."""

    steps: int = 0  # readings so far
    feeds: dict[str, Memory] = {}

    def cursor_after(self, key: str, memory: Memory) -> str:
        """Return the cursor after one more reading."""
        self.steps += 1
        self.feeds[key] = memory
        return msgspec.json.encode(self).decode()


class Fresh(NamedTuple):
    """An entry to hand over."""

    identity: str
    key: bytes
    mark: bytes
    entry: Entry
    is_known: bool


def most_seen(feeds: int) -> int:
    """Return how many entries of each of so many feeds are remembered."""
    return max(LEAST_SEEN, min(MOST_SEEN, SEEN_IN_ALL // feeds))


def standing_from(cursor: str | None, keys: Iterable[str]) -> Standing:
    """Read a cursor of ours; feeds that it does not know begin anew, those that nobody asks for are dropped."""
    try:
        found = msgspec.json.decode(cursor or "{}", type=Standing)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = Standing()
    return Standing(found.steps, {key: found.feeds.get(key) or Memory() for key in keys})


def seen_in(packed: bytes) -> dict[bytes, bytes]:
    """Return the hashes of ids and contents that a cursor holds."""
    width = KEY_BYTES + MARK_BYTES
    pairs = [packed[at : at + width] for at in range(0, len(packed) - width + 1, width)]
    return {pair[:KEY_BYTES]: pair[KEY_BYTES:] for pair in pairs}


def packed_from(seen: dict[bytes, bytes], most: int) -> bytes:
    """Return the last hashes as a cursor holds them."""
    return b"".join(key + mark for key, mark in list(seen.items())[-most:])


def short_hash(text: str, size: int) -> bytes:
    """Return the beginning of a text's hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:size]


def mark_of(entry: Entry) -> bytes:
    """Return the hash of what an edit would change; links and dates change by themselves."""
    return short_hash(f"{entry.text}\n{entry.geo}", MARK_BYTES)


def identified(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return entries by what tells them apart: their guid, or their link; both where a feed gives one guid to many."""
    entries = list(entries)
    uses = Counter(entry.guid or entry.link for entry in entries)
    found: dict[str, Entry] = {}
    for entry in entries:
        identity = entry.guid or entry.link or entry.title
        if uses[entry.guid or entry.link] > 1 and entry.guid:
            identity = f"{entry.guid}\n{entry.link or entry.title}"
        found.setdefault(identity, entry)
    return found


def fresh_in(entries: dict[str, Entry], seen: dict[bytes, bytes]) -> list[Fresh]:
    """Return the entries that are new or have changed, the last of the document first; those known are remembered."""
    fresh: list[Fresh] = []
    for identity, entry in reversed(entries.items()):
        key, mark = short_hash(identity, KEY_BYTES), mark_of(entry)
        known = seen.pop(key, None)
        if known is not None:
            seen[key] = known  # still in the feed: it must be the last to be forgotten
        if known != mark:
            fresh.append(Fresh(identity, key, mark, entry, known is not None))
    return fresh


def newest(entries: dict[str, Entry], most: int) -> dict[str, Entry]:
    """Return the newest entries, in the order of the document; it may hold the archive of years."""
    if len(entries) <= most:
        return entries
    by_date = sorted(entries, key=lambda identity: entries[identity].said_at or LAST_DATE, reverse=True)
    chosen = set(by_date[:most])
    return {identity: entry for identity, entry in entries.items() if identity in chosen}
