"""Differences: what one revision of an incident says that the one before did not.

Shape   two alerts in, differences out, what matters most first; codes and values, no words
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from records import Alert

COUNTS = ("posts", "authors", "witnesses", "copies")
FIRSTS = ("first_witness", "first_picture", "first_press", "first_operator", "first_authority")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was."""

    what: str
    before: Any = None
    after: Any = None


def differences(before: Alert | None, after: Alert) -> tuple[Difference, ...]:
    """Return what a revision changes; the first one changes all, so it says at which level it began."""
    if before is None:
        return (Difference("began", after=after.level),)
    return tuple(difference for find in _FINDERS for difference in find(before, after))


def _values(before: Alert, after: Alert) -> Iterator[Difference]:
    for what, read in _READ.items():
        old, new = read(before), read(after)
        if old != new:
            yield Difference(what, old, new)


def _counts(before: Alert, after: Alert) -> Iterator[Difference]:
    for what in COUNTS:
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            yield Difference(what, old, new)


def _firsts(before: Alert, after: Alert) -> Iterator[Difference]:
    for what in FIRSTS:
        old, new = (getattr(one.clock, what) if one.clock else None for one in (before, after))
        if new is not None and old != new:
            yield Difference(what, old, new)


def _unknowns(before: Alert, after: Alert) -> Iterator[Difference]:
    yield from (Difference("known_now", before=code) for code in before.unknowns if code not in after.unknowns)
    yield from (Difference("unknown_now", after=code) for code in after.unknowns if code not in before.unknowns)


def _statements(before: Alert, after: Alert) -> Iterator[Difference]:
    known = {one.bulletin_id: one for one in before.context}
    for one in after.context:
        old = known.get(one.bulletin_id)
        if old is None:
            yield Difference("statement", after=one)
        elif old.fits != one.fits:
            yield Difference("fits", old.fits, one)


def _removed(before: Alert, after: Alert) -> Iterator[Difference]:
    old, new = (sum(one.is_removed for one in alert.evidence) for alert in (before, after))
    if new > old:
        yield Difference("removed", old, new)


def _rumour(before: Alert, after: Alert) -> Iterator[Difference]:
    old, new = (alert.rumour.signs if alert.rumour else () for alert in (before, after))
    if set(old) != set(new):
        yield Difference("rumour", old, new)


def _corrections(before: Alert, after: Alert) -> Iterator[Difference]:
    yield from (Difference("corrected", after=one) for one in after.corrections if one not in before.corrections)
    yield from (Difference("uncorrected", before=one) for one in before.corrections if one not in after.corrections)


_READ: dict[str, Callable[[Alert], Any]] = {
    "level": lambda alert: alert.level,
    "hazard": lambda alert: alert.hazard,
    "place": lambda alert: alert.place.name,
    "onset": lambda alert: alert.onset,
    "severity": lambda alert: alert.severity,
    "joins": lambda alert: alert.joins,
    "profile": lambda alert: alert.profile,
}
_FINDERS = (_values, _corrections, _counts, _firsts, _statements, _rumour, _unknowns, _removed)
