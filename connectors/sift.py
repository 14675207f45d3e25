"""Sift: what of a post may go on, by the gate."""

import msgspec

from connectors.contract import Gate
from connectors.pseudonym import OBJECTED
from records import Post

ALWAYS_ON = frozenset({"delete", "purge"})
"""Verbs that pass without the gate: they take away, and carry no text."""


def everything(_: str) -> bool:
    """Let all texts pass: the gate of a source whose posts need none."""
    return True


def sifted(post: Post, gate: Gate) -> Post | None:
    """Return the post when it could matter, else None.

    An edit that no longer matters goes on without its words: an earlier version may have mattered, and whoever keeps
    that one must let go of it.
    """
    if post.author_id == OBJECTED and post.verb not in ALWAYS_ON:
        return None
    if post.verb in ALWAYS_ON or gate(post.text):
        return post
    if post.media and any(gate(item.alt) for item in post.media if item.alt):  # most have none, and all come by here
        return post
    if post.verb == "update":
        return msgspec.structs.replace(post, text="", media=())
    return None
