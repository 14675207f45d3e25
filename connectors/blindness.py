"""Blindness: by which ways no witness would reach us now. "No alert" must never look the same as "not looking".

Shape   statuses of all sources in, one line for each way that is not listened to, the worst first
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, get_args

from records import SourceStatus
from records.source_status import STALE, Way


class Blind(NamedTuple):
    """A way by which nothing reaches us."""

    way: Way
    since: datetime | None  # None: nothing listens there by our own settings
    sources: tuple[str, ...]  # that should listen
    why: str
    is_unsure: bool = False  # it may be that there is nothing to hear


def blindness(statuses: Iterable[SourceStatus], now: datetime) -> tuple[Blind, ...]:
    """Return the ways that are not listened to at this moment; empty where each has a source that listens."""
    by_way: dict[Way, list[SourceStatus]] = {way: [] for way in get_args(Way)}
    for status in statuses:
        by_way[status.way].append(status)
    found = [blind for way, there in by_way.items() if (blind := _blind(way, there, now)) is not None]
    return tuple(sorted(found, key=lambda one: (one.is_unsure, one.since is None, one.way)))


def _blind(way: Way, statuses: list[SourceStatus], now: datetime) -> Blind | None:
    if not statuses:
        return Blind(way, None, (), "no source of this kind is set")
    statuses = [status for status in statuses if status.state != "off"]
    if not statuses:
        return Blind(way, None, (), "every source of this kind has been read to its end")
    fresh = [status for status in statuses if now - status.at <= STALE]
    if any(status.state == "listening" for status in fresh):
        return None
    names = tuple(sorted(status.source for status in statuses))
    unsure = [status for status in fresh if status.state == "unsure"]
    if len(unsure) == len(statuses):  # one that waits to be told hides none that cannot be read
        return Blind(way, min(status.since for status in unsure), names, "nobody has told us anything", is_unsure=True)
    last = max((status for status in statuses if status not in unsure), key=_lost_at)
    why = last.why if last in fresh else "the process that reads it says nothing any more"
    return Blind(way, _lost_at(last), names, why)


def _lost_at(status: SourceStatus) -> datetime:
    """Return when a source was last listened to, as far as is known."""
    return status.since if status.state == "blind" else status.at
