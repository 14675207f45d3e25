"""Lessons: what the model learns from, the corpus's and public posts in one shape, each with its weight."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec

from models.folding import folded
from models.links import without_links
from models.posts_corpus import CorpusPost
from models.public_posts import PublicPost, read_set, without_copies
from records import HAZARDS


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One post to learn from.

    Shape   None: not known, so nothing is learned from it about that question
    """

    text: str
    group: str  # its author or incident: never split between learning and checking
    weight: float
    hazards: dict[str, bool | None]
    actuality: str | None = None
    is_witness: bool | None = None
    is_related: bool | None = None  # to a disaster of these days, be it in sympathy alone
    is_corpus: bool = False
    language: str | None = None


WEIGHTS = {
    "informative": 0.03,
    "on topic": 0.02,
    "unrelated": 0.02,
    "IDRISI": 0.01,
    "background": 0.2,
    "everyday": 0.5,
}
"""A post of the corpus weighs 1; public ones are many, noisy, and from few incidents."""

_MOST_PER_INCIDENT = {  # and of everyday posts, per line
    "t26/*": 300,
    "t6/*": 1000,
    "idrisi/*": 100,
    "background/umsab_e[n]*": 1000,
    "background/umsab_fr*": 1000,
    "background/umsab_[dip]*": 500,
}
_OTHER_DISASTERS = (
    *(
        "seisme",
        "tremblement de terre",
        "secousse",
        "tempete",
        "ouragan",
        "cyclone",
        "tornade",
        "avalanche",
        "eruption",
    ),
    *("attentat", "fusillade", "effondre", "deraille", "crash", "tsunami", "typhon", "glissement de terrain", "grele"),
    *("earthquake", "quake", "tremor", "storm", "hurricane", "tornado", "twister", "volcano", "typhoon", "landslide"),
    *("bombing", "shooting", "terror", "collapse", "derail", "wreck", "blizzard", "hailstorm", "mudslide", "sinkhole"),
)
"""Beginnings of words, in plain letters, by which a post may speak of a disaster outside the corpus's labels."""

_NO_REPORT = (
    "Sympathy and support",
    "Donations and volunteering",
    "rescue_volunteering_or_donation_effort",
)
"""Themes that speak of an incident without reporting it; they come days later and teach the wrong words."""


def lessons_from_corpus(posts: Sequence[CorpusPost]) -> list[Lesson]:
    """Return the corpus's posts as lessons; an only author of a language is split into five groups."""
    sources: dict[str, set[str]] = {}
    for post in posts:
        sources.setdefault(post.language, set()).add(post.source)
    return [
        Lesson(
            text=without_links(post.text),
            group=post.source if len(sources[post.language]) > 1 else f"{post.source}/{post.line * 5 // 700}",
            weight=1.0,
            hazards=_corpus_hazards(post),
            actuality=post.actuality,
            is_witness=post.is_witness if post.hazards else None,
            is_related=_is_related(post),
            is_corpus=True,
            language=post.language,
        )
        for post in posts
    ]


def lessons_from_everyday(posts: Sequence[CorpusPost]) -> list[Lesson]:
    """Return posts of ordinary life as lessons: none speaks of an incident."""
    return [
        Lesson(
            text=without_links(post.text),
            group=f"everyday/{post.source}",
            weight=WEIGHTS["everyday"],
            hazards=dict.fromkeys(HAZARDS, False),
            is_related=False,
            language=post.language,
        )
        for post in posts
    ]


def _is_related(post: CorpusPost) -> bool | None:
    """Return whether the post is about a disaster; memories, drills and warnings are, in a way: that stays open."""
    if post.hazards:
        return True
    return False if post.actuality in ("figurative", "other") and not _speaks_of_another(post) else None


def _corpus_hazards(post: CorpusPost) -> dict[str, bool | None]:
    """Return the post's labels; it has none for other disasters, so where it may speak of one that stays open."""
    known: dict[str, bool | None] = {hazard: hazard in post.hazards for hazard in HAZARDS}
    if not post.hazards and _speaks_of_another(post):
        known["other"] = None
    return known


def _speaks_of_another(post: CorpusPost) -> bool:
    words = folded(post.text)
    return any(f" {word}" in words for word in _OTHER_DISASTERS)


def lessons_from_public(folder: Path) -> list[Lesson]:
    """Return the public posts as lessons: a fixed sample of each incident, and of the everyday posts."""
    return [lesson for pattern, most in _MOST_PER_INCIDENT.items() for lesson in _sample(folder, pattern, most)]


def _sample(folder: Path, pattern: str, most: int) -> Iterator[Lesson]:
    by_file: dict[str, list[Lesson]] = {}
    for number, post in enumerate(without_copies(read_set(folder, pattern))):
        by_file.setdefault(post.incident or pattern, []).append(_lesson_from(post, number))
    for _, lessons in sorted(by_file.items()):
        yield from Random(len(lessons)).sample(lessons, min(most, len(lessons)))  # noqa: S311  a fixed sample


def _lesson_from(post: PublicPost, number: int) -> Lesson:
    is_report = not post.hazards or (post.theme not in _NO_REPORT and post.is_informative is not False)
    return Lesson(
        text=without_links(post.text),
        group=post.incident or f"background/{number % 5}",
        weight=WEIGHTS[_kind(post)],
        hazards=_hazards(post) if is_report else dict.fromkeys(HAZARDS),
        is_witness=post.is_witness if post.hazards and is_report else None,
        is_related=bool(post.hazards),
        language=post.language,
    )


def _kind(post: PublicPost) -> str:
    if not post.incident:
        return "background"
    if not post.hazards:
        return "unrelated"
    if post.set_name.startswith("IDRISI"):
        return "IDRISI"
    return "informative" if post.is_informative else "on topic"


def _hazards(post: PublicPost) -> dict[str, bool | None]:
    """Return what the post is known to speak of: a storm's posts may well speak of floods and fires."""
    known: dict[str, bool | None] = {hazard: hazard in post.hazards for hazard in HAZARDS}
    words = folded(post.text)
    for hazard, hints in (("flood", ("flood", "surge", "water", "inond")), ("fire", ("fire", "burn", "smoke"))):
        if "other" in post.hazards and any(hint in words for hint in hints):
            known[hazard] = None
    if set(post.hazards) == {"industrial", "fire"}:
        known["fire"] = True if any(word in words for word in ("fire", "incendi", "fuego", "llamas")) else None
    return known
