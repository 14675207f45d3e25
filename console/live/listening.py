"""Listening: what reaches us just now, and what would not. "No alert" must never look the same as "not looking".

Shape   statuses of all sources in, newest of each; out what a page says of them
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal, NamedTuple, get_args

from records import SourceStatus
from records.source_status import STALE, Way

Trouble = Literal["blind", "stale", "unsure"]
"""`stale`: the process that reads it says nothing any more."""


class Deaf(NamedTuple):
    """A source that should listen and, as far as is known, does not."""

    source: str
    way: Way
    trouble: Trouble
    since: datetime
    why: str


@dataclass(frozen=True)
class Listening:
    """How well Vigie hears at one moment."""

    hearing: int  # sources that listen
    deaf: tuple[Deaf, ...]  # the worst first
    lost_ways: tuple[Way, ...]  # by which nothing reaches us, although something should
    absent_ways: tuple[Way, ...]  # by which nothing is set to reach us, or all of it has ended
    silence: timedelta | None  # the longest one, of the sources that listen
    is_filling: bool = False  # what was told is still being read: what is not shown may be there all the same

    @property
    def is_blind(self) -> bool:
        """Whether nothing reaches us at all: then that nothing is shown means nothing."""
        return self.hearing == 0

    @property
    def heard_within(self) -> timedelta:
        """The whole minutes within which each source that listens was heard."""
        return timedelta(minutes=ceil((self.silence or timedelta(minutes=1)) / timedelta(minutes=1)) or 1)

    @property
    def blind_since(self) -> datetime | None:
        """When the last source was lost; None where there was none."""
        return max((one.since for one in self.deaf), default=None) if self.is_blind else None


def listening(statuses: Iterable[SourceStatus], now: datetime, *, is_filling: bool = False) -> Listening:
    """Return how well Vigie hears."""
    known = list(statuses)
    wanted = [status for status in known if status.state != "off"]
    deaf = [found for status in wanted if (found := _deaf(status, now)) is not None]
    names = {one.source for one in deaf}
    hearing = [status for status in wanted if status.source not in names]
    heard_ways = {status.way for status in hearing}
    return Listening(
        hearing=len(hearing),
        deaf=tuple(sorted(deaf, key=lambda one: (get_args(Trouble).index(one.trouble), one.since, one.source))),
        lost_ways=tuple(way for way in get_args(Way) if way in {one.way for one in deaf} - heard_ways),
        absent_ways=tuple(way for way in get_args(Way) if way not in {status.way for status in wanted}),
        silence=max((now - (status.last_sign_at or status.since) for status in hearing), default=None),
        is_filling=is_filling,
    )


def _deaf(status: SourceStatus, now: datetime) -> Deaf | None:
    if now - status.at > STALE:
        return Deaf(status.source, status.way, "stale", status.at, "")
    if status.state == "blind":
        return Deaf(status.source, status.way, "blind", status.since, status.why)
    if status.state == "unsure":
        return Deaf(status.source, status.way, "unsure", status.since, status.why)
    return None
