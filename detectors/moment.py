"""Moments: event times as whole microseconds since 1970, so that state holds them exactly and compares them fast."""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment_from(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_from(moment: int) -> datetime:
    """Return a moment as an instant, UTC."""
    return _EPOCH + timedelta(microseconds=moment)


def whole_second_after(moment: float) -> int:
    """Return the first whole second that is not before a moment: times we work out are shown to the second."""
    return -int(-moment // SECOND) * SECOND


EARLIEST = moment_from(datetime(2000, 1, 1, tzinfo=UTC))
LATEST = moment_from(datetime(2100, 1, 1, tzinfo=UTC))
"""Outside these two a claimed time is a mistake, and no calendar sum with it is safe."""
