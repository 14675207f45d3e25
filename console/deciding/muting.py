"""Muting: which silences keep notifications of an incident back now. What they mute is shown all the same."""

from collections.abc import Iterable
from datetime import datetime

from records import Alert, Silence
from records.labels import labels_of


def muting(silences: Iterable[Silence], alert: Alert, now: datetime) -> tuple[Silence, ...]:
    """Return the silences in force that hold for an incident."""
    labels = labels_of(alert)
    return tuple(one for one in silences if one.holds(labels, now))
