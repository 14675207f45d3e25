"""Retry-After: for how long a server asks to be left alone (RFC 9110, 10.2.3)."""

from datetime import datetime
from email.utils import parsedate_to_datetime

from records import MalformedRecord
from records.time import in_utc


def seconds_in(header: str | None, now: datetime, *, longest_secs: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as a date; None where it says nothing.

    No more than the longest wait: nobody would notice that we never came back.
    """
    if not header:
        return None
    if header.isascii() and header.isdecimal():
        return min(float(header[:9]), longest_secs)
    try:
        seconds = (in_utc(parsedate_to_datetime(header)) - now).total_seconds()
    except (ValueError, OverflowError, TypeError, MalformedRecord):
        return None
    return min(max(seconds, 0.0), longest_secs)
