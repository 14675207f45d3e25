"""Claims: what posts say is needed or offered, beside the danger that they speak of. Plain functions over a batch.

Shape   a post that says nothing of a hazard may claim; one that passes on what others said claims nothing
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.solidarity import SURE
from models.solidarity import Claim as Read
from records import Claim, Claimed, Place, Post

CHANGING = frozenset({"update", "delete"})
"""Verbs after which what a post claimed before holds no more."""


class ClaimReader(Protocol):
    """Reads offers and needs; what claims nothing costs it little."""

    version: str

    def read(self, text: str, lang: str | None = None, keep: Iterable[str] = ()) -> list[Read]:
        """Return what a text claims, its private persons masked; `keep` are names of places."""


@dataclass(frozen=True)
class Claiming:
    """The step from a post to its claims.

    Errors  none on any text
    """

    reader: ClaimReader

    def is_any_in(self, post: Post, language: str | None) -> bool:
        """Tell whether a post claims anything: only then it is worth placing for that."""
        return any(one.confidence >= SURE for one in self.reader.read(post.text, language))

    def claims_of(
        self, post: Post, language: str | None, place: Place | None, named: Sequence[str]
    ) -> tuple[Claim, ...]:
        """Return a post's claims at a place; `named` are the places found in its words.

        Nobody could list what is nowhere, so it is not kept, but for what closes something that it answers.
        """
        answers = answered_by(post)
        found = [one for one in self.reader.read(post.text, language, named) if one.confidence >= SURE]
        return tuple(
            Claim(
                kind=one.kind,
                thing=one.thing,
                post_key=post.key,
                source=post.source,
                platform=post.platform or post.source,
                event_time=post.event_time,
                received_at=post.received_at,
                place=place,
                confidence=one.confidence,
                quantity=one.quantity,
                measure=one.measure,
                is_closed=one.is_closed,
                is_call=one.is_call,
                answers=answers,
                text=one.shown,
                url=post.url,
                version=self.reader.version,
            )
            for one in found
            if place is not None or (one.is_closed and answers)
        )


def answered_by(post: Post) -> tuple[str, ...]:
    """Return the keys of the posts that a post answers: the one before it and the first, as far as they are told."""
    known = dict.fromkeys(one for one in (post.reply_to, post.thread_id) if one)
    return tuple(f"{post.platform or post.source}:{one}" for one in known)


def changes(said: Iterable[tuple[Post, Sequence[Claim]]]) -> dict[str, Claimed | None]:
    """Return what a batch of posts changes on `claims.v1`, by the post's key: the last word; None takes all away.

    All that a post claims lies under its own key, so nobody needs to remember what it claimed to take it back.
    """
    found: dict[str, Claimed | None] = {}
    for post, claims in said:
        if claims:
            found[post.key] = Claimed(post_key=post.key, claims=tuple(claims))
        elif post.verb in CHANGING or post.key in found:
            found[post.key] = None
    return found
