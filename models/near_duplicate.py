"""Near-duplicates: which posts say the same thing, so that copies are not counted as witnesses."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'»”]+", re.IGNORECASE)
_MENTION = re.compile(r"@[\w.-]+(?:@[\w.-]+)?")
_RELAY_PREFIX = re.compile(r"^\W*(?:RT|MT|QT)\b[\s:]*(?=@|:)|^\W*RT\s", re.IGNORECASE)
_RELAY = re.compile(
    r"(?:^|\s|[\"“«(])(?:RT|MT|QT|HT)\s*:?\s*@\w"  # RT @someone, anywhere
    r"|^\W*RT\s*:"
    r"|\bvia\s+@\w"
    r"|^\s*[\"“«'‘]\s*@\w+[^\"”»]*:"  # "@someone: the old way to quote
    r"|\b(?:repost|reposted|regram|forwarded|transféré|relayé)\s+(?:from|de|par|by|depuis)\b"
    r"|^\W*(?:forwarded message|message transféré)\b",
    re.IGNORECASE,
)
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|igshid|igsh|mc_\w+|ref|ref_src|ref_url|cmpid|s|t|si)=", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www|m|mobile|amp)\.")
_WORD = re.compile(r"\w+")

_FEWEST_WORDS_ALIKE = 4
_FEWEST_WORDS_PRINTED = 5
_MOST_WORDS = 120  # a longer text is known by its beginning; two prints a word must stay below 256
_BITS = 64
_LANE_BITS = 8 * _BITS  # one byte a bit, so that prints are counted by adding large numbers
_LANES = (1 << _LANE_BITS) - 1


def content_ids(text: str, *, repost_of: str | None = None) -> tuple[str, ...]:
    """Return what a post shares with its copies: repost root, links, wording.

    Shape   ("r:<id of the original>", "u:<hash of a link>", …, "t:<hash of the wording, from 4 words on>")
    Errors  none on any text
    """
    ids = [f"r:{repost_of}"] if repost_of else []
    links = _LINK.findall(text)
    ids += dict.fromkeys(f"u:{_digest(_plain_link(link))}" for link in links)
    words = _wording(text)
    if len(words) >= _FEWEST_WORDS_ALIKE:
        ids.append(f"t:{_digest(' '.join(words))}")
    return tuple(ids)


def fingerprint(text: str) -> int:
    """Return the 64-bit simhash of a text's words and word pairs, as a signed number.

    Units   copies with small changes differ in few bits (up to about 8 of 64), strangers in about 32;
            0 where the text has fewer than 5 words
    Source  Charikar, STOC 2002, doi:10.1145/509907.509965
    """
    words = _wording(text)[:_MOST_WORDS]
    if len(words) < _FEWEST_WORDS_PRINTED:
        return 0
    lanes = [_lanes_of(word) for word in words]
    pairs = [((one << 8) & _LANES | one >> (_LANE_BITS - 8)) ^ two for one, two in pairwise(lanes)]
    counts = np.frombuffer((sum(lanes) + sum(pairs)).to_bytes(_BITS, "little"), dtype=np.uint8)
    half = (len(lanes) + len(pairs)) // 2
    return int(np.packbits(counts > half).view("<i8")[0]) or 1


def is_relay(text: str) -> bool:
    """Return whether the text itself says that it passes on somebody else's words."""
    return _RELAY.search(text) is not None


def _wording(text: str) -> list[str]:
    text = _RELAY_PREFIX.sub(" ", text)
    if "@" in text:
        text = _MENTION.sub(" ", text)
    if "://" in text or "www." in text.lower():
        text = _LINK.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.casefold())


def _plain_link(link: str) -> str:
    rest = link.partition("://")[2] or link
    rest = rest.partition("#")[0].rstrip(".,;:!?)…")
    address, _, query = rest.partition("?")
    host, slash, path = address.partition("/")
    kept = sorted(part for part in query.split("&") if part and not _TRACKING.match(part))
    plain = f"{_HOST_PREFIX.sub('', host.lower())}{slash}{path}".rstrip("/")
    return f"{plain}?{'&'.join(kept)}" if kept else plain


@lru_cache(maxsize=1 << 15)
def _lanes_of(word: str) -> int:
    """Return the 64 bits of a word's hash, each in a byte of its own."""
    digest = blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))
    return int.from_bytes(bits.tobytes(), "little")


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
