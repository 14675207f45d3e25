"""Near-duplicates: which posts say the same thing, so that copies are not counted as witnesses.

Source  docs/decisions/0010: what was measured, and why not MinHash
"""

import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from models.links import LINK

_MENTION = re.compile(r"@[\w.-]+(?:@[\w.-]+)?")
_RELAY_PREFIX = re.compile(r"^\W*(?:RT|MT|QT)\b[\s:]*(?=@|:)|^\W*RT\s", re.IGNORECASE)
_RELAY_START = re.compile(r"\W*(?:RT\s*:|(?:forwarded message|message transféré)\b)", re.IGNORECASE)
_RELAY_OF = re.compile(  # of somebody who is named
    r"(?:^|\s|[\"“«(])(?:RT|MT|QT|HT)\s*+(?::\s*+)?@\w"  # RT @someone, anywhere; never takes spaces twice
    r"|\bvia\s+@\w"
    r"|^\s*[\"“«'‘]\s*@\w+[^\"”»]*:",  # "@someone: the old way to quote
    re.IGNORECASE,
)
_RELAY_WORDS = re.compile(
    r"\b(?:repost|reposted|regram|forwarded|transféré|relayé)\s+(?:from|de|par|by|depuis)\b", re.IGNORECASE
)
_RELAYED = ("repost", "regram", "forwarded", "transféré", "relayé")
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|igshid|igsh|mc_\w+|ref|ref_src|ref_url|cmpid|s|t|si)=", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www|m|mobile|amp)\.")
_WORD = re.compile(r"\w+")

_FEWEST_WORDS_ALIKE = 4
_FEWEST_WORDS_PRINTED = 5
_MOST_WORDS = 120  # a longer text is known by its beginning; two prints a word must stay below 256
_BITS = 64
_LANE_BITS = 8 * _BITS  # one byte a bit, so that prints are counted by adding large numbers
_LANES = (1 << _LANE_BITS) - 1

NEAR_BITS = 3
"""Fingerprints that differ in so few bits are of one text; the detectors use the same number."""
_BANDS = NEAR_BITS + 1  # bits that differ fall into at most three bands: one band at least is equal
_BAND_BITS = _BITS // _BANDS
_BUCKET_BITS = 12  # of a band's 16: less memory, for some hundred comparisons at 100,000 posts
_ALL_BITS = (1 << _BITS) - 1

_PASSAGE_WORDS = 5
_FEWEST_WORDS_QUOTED = 8  # so many in a row have four runs of five words, and so two passages
_FEWEST_SHARED = 2
_MOST_IDS = 8


def content_ids(text: str, *, repost_of: str | None = None) -> tuple[str, ...]:
    """Return what a post shares with its copies: repost root, links, wording.

    Shape   ("r:<id of the original>", "u:<hash of a link>", …, "t:<hash of the wording, from 4 words on>")
    Errors  none on any text
    """
    ids = [f"r:{repost_of}"] if repost_of else []
    pages = filter(_is_page, map(_plain_link, filter(_is_whole, LINK.findall(text))))
    ids += dict.fromkeys(f"u:{_digest(page)}" for page in pages)
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


def passages(text: str) -> tuple[int, ...]:
    """Return marks of a text's runs of words, by which a quoted or truncated copy is found.

    Of each two neighbouring runs of five words the smaller hash is kept. So a text of 8 words or more that stands whole
    in another has all its passages there, whatever is written before and behind.

    Shape   about one number for two words, none below 8 words; each once
    Source  Schleimer, Wilkerson, Aiken (winnowing), SIGMOD 2003, doi:10.1145/872757.872770
    """
    words = _wording(text)[:_MOST_WORDS]
    if len(words) < _FEWEST_WORDS_QUOTED:
        return ()
    starts = range(len(words) - _PASSAGE_WORDS + 1)
    runs = [_hash(" ".join(words[start : start + _PASSAGE_WORDS])) for start in starts]
    return tuple(dict.fromkeys(min(pair) for pair in pairwise(runs)))


def is_relay(text: str) -> bool:
    """Return whether the text itself says that it passes on somebody else's words."""
    if _RELAY_START.match(text) or ("@" in text and _RELAY_OF.search(text)):
        return True
    folded = text.casefold()
    return any(word in folded for word in _RELAYED) and _RELAY_WORDS.search(text) is not None


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What is remembered of one post: its cluster, and the names by which others are recognised as its copies."""

    cluster: str
    names: tuple[str | int, ...]  # content ids and passages
    passages: int
    fingerprint: int
    at: datetime | None


class ContentClusters:
    """Gives each post of a stream the cluster of those that say the same: reposts, quotes, copies, the same link.

    A post joins by its strongest tie to one remembered: repost, wording, link, then at least half of the passages of
    the shorter of both (two or more), then a fingerprint within `NEAR_BITS`. All that are so near are found. An answer
    once given stays: a post that ties two clusters joins the one of the stronger tie, and the two remain two.

    Shape   one post after the other; the same posts in the same order give the same clusters. In another order a
            cluster may bear another post's name, and posts between two clusters may fall to the other
    Units   at most `most_posts` are remembered, none `memory` older than the newest; the first come are forgotten
            first, a cluster when no post of it is left. Bytes a post: docs/decisions/0010
    """

    def __init__(self, *, most_posts: int = 100_000, memory: timedelta = timedelta(hours=24)) -> None:
        if most_posts < 1:
            raise ValueError(f"most_posts={most_posts}: at least 1 post must be remembered")
        self.most_posts = most_posts
        self.memory = memory
        self._posts: deque[_Kept] = deque()
        self._by_name: dict[str | int, _Kept] = {}
        self._by_print: dict[int, _Kept] = {}
        self._buckets: dict[int, list[int]] = {}
        self._newest: datetime | None = None

    def __len__(self) -> int:
        """Return how many posts are remembered."""
        return len(self._posts)

    def observe(
        self,
        post_id: str,
        content_ids: Iterable[str],
        fingerprint: int = 0,
        *,
        passages: Sequence[int] = (),
        at: datetime | None = None,
    ) -> str:
        """Take in one post; return its cluster, which bears the id of its first post.

        A post that comes again gets the same answer while it is remembered. `post_id` may be `platform:id`, as in
        `Signal.post_key`; reposts may name it by either form.
        """
        own, native = f"r:{post_id}", f"r:{post_id.partition(':')[2] or post_id}"
        ids = (own, *sorted(set(content_ids))[:_MOST_IDS])
        marks, print_ = tuple(passages[:_MOST_WORDS]), fingerprint & _ALL_BITS
        if at is not None:
            self._forget_before(at)
        like = self._same(ids) or self._quoted(marks) or self._near(print_)
        cluster = like.cluster if like else post_id
        self._keep(_Kept(cluster, (*dict.fromkeys((*ids, native)), *marks), len(marks), print_, at))
        if len(self._posts) > self.most_posts:
            self._forget_first()
        return cluster

    def _same(self, ids: Iterable[str]) -> _Kept | None:
        """Return a post that shares an id: "r:" before "t:" before "u:", as they sort."""
        return next((self._by_name[name] for name in ids if name in self._by_name), None)

    def _quoted(self, marks: Sequence[int]) -> _Kept | None:
        """Return the post that shares most passages, if they are half of those of the shorter of both."""
        shared = Counter(self._by_name[mark] for mark in marks if mark in self._by_name)
        enough = [
            (count, kept)
            for kept, count in shared.items()
            if count >= _FEWEST_SHARED and 2 * count >= min(len(marks), kept.passages)
        ]
        return max(enough, key=lambda found: found[0])[1] if enough else None

    def _near(self, print_: int) -> _Kept | None:
        """Return the post with the nearest fingerprint within `NEAR_BITS`."""
        known = {known for bucket in _buckets_of(print_) for known in self._buckets.get(bucket, ())}
        apart, nearest = min((((one ^ print_).bit_count(), one) for one in known), default=(_BITS, 0))
        return self._by_print[nearest] if apart <= NEAR_BITS else None

    def _keep(self, kept: _Kept) -> None:
        """Remember a post; names that lead to another cluster go on leading there."""
        self._posts.append(kept)
        for name in kept.names:
            if self._by_name.setdefault(name, kept).cluster == kept.cluster:
                self._by_name[name] = kept
        print_ = kept.fingerprint
        if print_ and print_ not in self._by_print:
            for bucket in _buckets_of(print_):
                self._buckets.setdefault(bucket, []).append(print_)
        if print_ and self._by_print.setdefault(print_, kept).cluster == kept.cluster:
            self._by_print[print_] = kept

    def _forget_before(self, at: datetime) -> None:
        """Forget the first posts while they are too old, at the time of a new one."""
        self._newest = max(self._newest or at, at)
        while self._posts and (oldest := self._posts[0].at) and self._newest - oldest > self.memory:
            self._forget_first()

    def _forget_first(self) -> None:
        kept = self._posts.popleft()
        for name in kept.names:
            if self._by_name.get(name) is kept:
                del self._by_name[name]
        if self._by_print.get(kept.fingerprint) is not kept:
            return
        del self._by_print[kept.fingerprint]
        for bucket in _buckets_of(kept.fingerprint):
            self._buckets[bucket].remove(kept.fingerprint)
            if not self._buckets[bucket]:
                del self._buckets[bucket]


def _buckets_of(print_: int) -> Iterator[int]:
    """Yield the bucket of each band of a fingerprint; none for 0, which is like nothing."""
    if print_:
        for band in range(_BANDS):
            yield band << _BUCKET_BITS | print_ >> band * _BAND_BITS & (1 << _BUCKET_BITS) - 1


def _wording(text: str) -> list[str]:
    text = _RELAY_PREFIX.sub(" ", text)
    if "@" in text:
        text = _MENTION.sub(" ", text)
    if "://" in text or "www." in text.lower():
        text = LINK.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.casefold())


def _is_whole(link: str) -> bool:
    """Return whether a link was not cut short: "https://t.co/…" stands for thousands of pages."""
    return not link.endswith(("…", "..."))


def _is_page(plain_link: str) -> bool:
    """Return whether a link names a page, not a mere site ("t.co", "lemonde.fr") or what is left of one ("t")."""
    host, slash, _ = plain_link.replace("?", "/", 1).partition("/")
    return "." in host and bool(slash)


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


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
