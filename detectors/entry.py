"""Entry: a signal, a statement or a change of profile, kept for as long as a late one may still come.

Names are short numbers, so that what is kept holds no pseudonym but those of posts that may be shown.

Units   `at` in microseconds since 1970
"""

from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from detectors.crisis_clock import WORD_RATIO, word_of
from detectors.evidence import Weights, is_first_hand, likelihood_ratio_of, tier_of
from detectors.tree import path_of
from records import Bulletin, Doubt, Place, Signal, Statement, Verdict, words_of
from records.retraction import SHOWN

MOST_CLUSTERS = 8
MOST_URL = 500
DENYING = ("operator", "authority")
"""Whose denial is heard: whoever should know. What the press denies, it has from them."""
DENIAL_RATIO = 0.5
"""What a denial weighs at most: it speaks of the hazard as a witness does, and is no evidence of it."""
REMOVED = "removed"
"""Stands for the author of what was taken back: somebody signed it, nobody is to know who."""


class Said(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a post of weight says, to be shown."""

    post_key: str
    author_id: str
    platform: str
    tier: int
    is_first_hand: bool
    has_image: bool
    place: Place
    url: str | None
    text: str
    versions: dict[str, str]
    is_removed: bool = False  # taken back by its author
    doubts: tuple[Doubt, ...] = ()  # what speaks against it


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One signal, statement or change. `odds` are what became of it, worked out anew if an earlier one comes late."""

    at: int
    post: int
    author: int
    path: tuple[str, ...] = ()
    ratio: float = 0.0  # clipped likelihood ratio
    population: int = 0
    lat: float = 0.0
    lon: float = 0.0
    is_relay: bool = False
    chatter: float = 1.0  # how many times more than usual it is talked of elsewhere
    contents: tuple[int, ...] = ()
    fingerprint: int = 0
    said: Said | None = None  # None for what is never shown
    statement: Verdict | Bulletin | None = None  # what a person decided or an authority says, instead of a post
    odds: tuple[float, ...] = ()  # one a node of the path: ratio over background, 0 where it did not count
    original: int = 0  # the post that this one copies, 0 where it copies none that counted
    about: str = ""  # the incident that a verdict is about
    word: str = ""  # "press", "operator" or "authority", where one of them speaks
    denier: str = ""  # "operator" or "authority", where one of them says that it is not so
    change_id: str = ""  # of the profile by which all after it is worked out, instead of a post

    @property
    def order(self) -> tuple[int, int]:
        """Return what entries are sorted by: time, then the post."""
        return (self.at, self.post)

    @property
    def is_post(self) -> bool:
        """Tell whether somebody wrote it, and nobody decided or stated it."""
        return self.statement is None and not self.change_id

    @property
    def names(self) -> tuple[str, ...]:
        """Return by what its words are found, where it has any: its post, and its author."""
        said = self.said
        if said is None or said.is_removed:
            return ()
        return tuple({said.post_key, said.author_id} - {""})

    def says(self, words: str) -> bool:
        """Tell whether these are its words."""
        return self.said is not None and words_of(self.said.text) == words

    def retract(self) -> None:
        """Forget its words and its author; that somebody said it has counted."""
        if self.said is not None:
            author_id = REMOVED if self.said.author_id else ""
            self.said = replace(self.said, text="", url=None, author_id=author_id, is_removed=True)

    @property
    def is_weak(self) -> bool:
        """Tell whether it is no evidence, only background."""
        return self.ratio < 1.0

    def counted_at(self, node: str) -> bool:
        """Tell whether it counted for a node."""
        return any(odds > 0.0 and name == node for name, odds in zip(self.path, self.odds, strict=False))

    @property
    def has_counted(self) -> bool:
        """Tell whether it counted anywhere."""
        return any(self.odds)


def entry_from(signal: Signal, at: int, *, population: int, weights: Weights) -> Entry:
    """Return what is kept of a signal that counts at a moment, from a place of so many people."""
    ratio = likelihood_ratio_of(signal, weights)
    word = word_of(signal.author_kind, ratio)
    denier = word_of(signal.author_kind, WORD_RATIO) if signal.is_denial else ""  # it may hardly name the hazard
    if denier in DENYING:
        ratio = min(ratio, DENIAL_RATIO)
    post = _number_of("post", signal.post_key)
    place = signal.place
    is_weak = ratio < 1.0
    return Entry(
        at=at,
        post=post,
        author=_number_of("author", signal.author_id) if signal.author_id else post,
        path=path_of(place),
        ratio=ratio,
        population=population,
        lat=place.lat,
        lon=place.lon,
        is_relay=signal.is_relay,
        chatter=signal.chatter,
        contents=() if is_weak else _contents_of(signal),
        fingerprint=0 if is_weak else signal.fingerprint,
        said=None if is_weak or signal.is_relay else _said(signal),
        word=word,
        denier=denier if denier in DENYING else "",
    )


def entry_of(statement: Statement, at: int, *, about: str = "", times: int = 1) -> Entry:
    """Return what is kept of a bulletin, or of a verdict about an incident; of one that is stated again, how often."""
    number = _number_of("statement", statement.identity if times == 1 else f"{statement.identity}\n{times}")
    return Entry(at=at, post=number, author=number, statement=statement.said, about=about)


def entry_of_change(change_id: str, at: int) -> Entry:
    """Return what is kept of a change of the profile."""
    number = _number_of("profile", change_id)
    return Entry(at=at, post=number, author=number, change_id=change_id)


def _contents_of(signal: Signal) -> tuple[int, ...]:
    return tuple(_number_of("content", name) for name in sorted(set(signal.cluster_ids))[:MOST_CLUSTERS])


def _said(signal: Signal) -> Said:
    return Said(
        post_key=signal.post_key,
        author_id=signal.author_id[:128],
        platform=(signal.platform or signal.source)[:64],
        tier=tier_of(signal),
        is_first_hand=is_first_hand(signal),
        has_image=signal.has_image,
        place=signal.place,
        url=signal.url if signal.url and len(signal.url) <= MOST_URL else None,
        text=signal.text[:SHOWN],
        versions=signal.versions,
        doubts=signal.doubts,
    )


def _number_of(kind: str, identity: str) -> int:
    digest = blake2b(f"{kind}\n{identity}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
