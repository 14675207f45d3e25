"""Typed moment: a moment as somebody types it into a form, on the clock of the console's zone, and back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def moment_from(text: str, zone: str) -> datetime | None:
    """Return the moment that was typed, None where it is none; without a zone of its own it is on this one's clock.

    An hour that a clock put back shows twice is the first of the two.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def typed(at: datetime, zone: str) -> str:
    """Return a moment as a field for moments wants it."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
