"""Delays: how long after its onset people were told of what was true, and how long before an authority spoke.

The onset is Vigie's own estimate, from posts alone: what nobody wrote of began earlier than it knows.

Units   minutes; a lead below zero: the authority spoke first
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from console.trust.raised import Raised

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Quantiles:
    """How some spans are spread; None where there is none."""

    cases: int
    least: float | None
    median: float | None
    nine_in_ten: float | None  # are no longer
    most: float | None


@dataclass(frozen=True)
class Delays:
    """How early people were told of one hazard, or of all."""

    name: str  # "": all
    to_watch: Quantiles
    to_alert: Quantiles
    lead: Quantiles  # of the watch before the first word of an authority, where there was one


def delays(found: Iterable[Raised]) -> list[Delays]:
    """Return how early people were told of what they confirmed, of all hazards together and of each."""
    true = [one for one in found if one.ruling == "true"]
    hazards = sorted({one.hazard for one in true})
    return [
        _delays("", true),
        *(_delays(hazard, [one for one in true if one.hazard == hazard]) for hazard in hazards),
    ]


def _delays(name: str, true: Sequence[Raised]) -> Delays:
    return Delays(
        name,
        quantiles((one.watch_at - one.onset) / MINUTE for one in true),
        quantiles((one.alert_at - one.onset) / MINUTE for one in true if one.alert_at),
        quantiles((one.official_at - one.watch_at) / MINUTE for one in true if one.official_at),
    )


def quantiles(spans: Iterable[float]) -> Quantiles:
    """Return how spans are spread; each is one that was there, none is made up between two."""
    found = sorted(spans)
    if not found:
        return Quantiles(0, None, None, None, None)
    return Quantiles(len(found), found[0], _at(found, 0.5), _at(found, 0.9), found[-1])


def _at(found: Sequence[float], share: float) -> float:
    return found[max(0, ceil(share * len(found)) - 1)]
