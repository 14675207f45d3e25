"""Needless: what a receiver need not be told, and why; and words that were taken back, out of what still waits.

Shape   revisions in, a judgement or the same revision without words out; no clock, no state
"""

from typing import Final

from msgspec.structs import replace

from records import Alert, decode, encode

WORDS: Final = "words"
"""Stands in the place of the level of a revision in which only words of posts were taken back."""
ONLY_WORDS: Final = "words: only words were taken back"
NEWER: Final = "a newer revision stands for it"
NEVER_TOLD: Final = "never_told: of an incident of which this receiver was never told, it is not told the end"


def says_only_less(alert: Alert, before: Alert | None) -> bool:
    """Tell whether a revision says what the one before it said, but for words of posts that were taken back."""
    if before is None or not removed_in(alert):
        return False
    joins = alert.joins or before.joins  # whoever joins incidents may have forgotten, over a restart
    return replace(alert, revision=before.revision, evidence=(), joins=joins) == replace(before, evidence=())


def removed_in(alert: Alert) -> frozenset[str]:
    """Return the keys of the posts whose words a revision has no more."""
    return frozenset(item.post_key for item in alert.evidence if item.is_removed)


def unsaid(value: bytes, later: Alert) -> bytes:
    """Return an earlier revision, as it waits to be told, without the words that a later one has no more."""
    return encode(without(decode(value, Alert), later))


def without(alert: Alert, later: Alert) -> Alert:
    """Return an earlier revision without the words that a later one has no more."""
    gone = {item.post_key: item for item in later.evidence if item.is_removed}
    evidence = tuple(
        replace(item, text="", url=None, author_id=gone[item.post_key].author_id, is_removed=True)
        if item.post_key in gone
        else item
        for item in alert.evidence
    )
    return replace(alert, evidence=evidence)
