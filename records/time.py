"""Event time and clocks: when something was said, and when we handle it.

Event time never runs ahead of our clock: a post that claims to come from our future counts as said now.
Code that decides takes times as arguments; only shells around it ask a Clock.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

import msgspec

from records.errors import MalformedRecord

_WITH_ZONE = msgspec.Meta(tz=True)
Instant = Annotated[datetime, _WITH_ZONE]
"""A moment with a time zone; UTC on the wire."""


def in_utc(moment: datetime) -> datetime:
    """Return a moment from outside in UTC; one without a zone is in UTC already.

    Errors  MalformedRecord at the ends of time
    """
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise MalformedRecord(f"not a time: {moment}", reason="invalid") from error


class Clock(Protocol):
    """Anything that knows what time it is."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for tests and replays."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return where the clock was put."""
        return self.at

    def advance(self, span: timedelta) -> None:
        """Move the clock forward."""
        self.at += span
