"""Life cycle: from watch to resolved, and back within some hours. Levels rise on posts and fall on silence.

Every fall has a moment that follows from the state alone, so it does not matter when anybody asks.

    (signal) -> watch -> alert -> confirmed -> monitoring -> resolved -> (forgotten)
                  ^_______^___________^____________|____________|
    any -> rejected -> (forgotten), or alert

Units   moments in microseconds since 1970; paces in counted posts a minute
Source  docs/detection.md 3
"""

from math import exp, log

from detectors.moment import MINUTE, SECOND, whole_second_after
from detectors.profile import HazardProfile
from detectors.state import Incident
from detectors.statistic import Rates, seconds_until_below
from detectors.thresholds import Thresholds

QUIET_SHARE = 0.2
"""An incident falls quiet when its pace, less the usual one, is under this share of its peak."""
LOUD_SHARE = 0.5
"""It is on again when its pace is back at this share: far from quiet, so that it does not flap."""
MOST_DOUBLINGS = 5

ACTIVE = ("watch", "alert", "confirmed")
RANKS = ("", "signal", "rejected", "watch", "alert", "confirmed")
"""What may lift an incident to what: a rejected one only to an alert."""


def pace_after(pace: float, silence: float, pace_minutes: float) -> float:
    """Return the pace of counted posts after so many minutes of silence and one post."""
    return pace * exp(-silence / pace_minutes) + 1.0 / pace_minutes


def quiet_at(incident: Incident, hazard: HazardProfile) -> int:
    """Return when the incident falls quiet, if nobody says anything more."""
    quiet = incident.background + QUIET_SHARE * max(incident.peak - incident.background, 0.0)
    if incident.pace <= quiet:
        return whole_second_after(incident.counted_at)
    return whole_second_after(incident.counted_at + hazard.pace_minutes * log(incident.pace / quiet) * MINUTE)


def patience_after(returns: int, hazard: HazardProfile) -> int:
    """Return how much longer a quiet incident stays on its level: the more often it came back, the longer."""
    minutes = hazard.hold_minutes * (2 ** min(returns, MOST_DOUBLINGS) - 1)
    return int(min(minutes, hazard.reopen_hours * 60.0) * MINUTE)


def held_until(incident: Incident, hazard: HazardProfile) -> int:
    """Return when a quiet incident may be over at the earliest."""
    return max(incident.raised_at, quiet_at(incident, hazard)) + int(hazard.hold_minutes * MINUTE)


def resolved_at(incident: Incident, hazard: HazardProfile, rates: Rates, thresholds: Thresholds) -> int:
    """Return when a quiet incident is over: held, and the statistic low again; or the longest hold has passed."""
    held = held_until(incident, hazard)
    longest = int(hazard.reopen_hours * 60 * MINUTE)
    if held >= incident.counted_at + longest:
        return held
    seconds = seconds_until_below(incident.values, thresholds.close, rates, at_most=longest // SECOND)
    return max(held, whole_second_after(incident.counted_at + seconds * SECOND))


def due_at(incident: Incident, hazard: HazardProfile, rates: Rates, thresholds: Thresholds) -> int:
    """Return when the incident moves on by itself: to monitoring, to resolved, or out of memory."""
    if incident.level in ACTIVE:
        quiet = quiet_at(incident, hazard) + patience_after(incident.returns, hazard)
        return max(quiet, _stands_until(incident, hazard))
    if incident.level == "monitoring":
        return resolved_at(incident, hazard, rates, thresholds)
    if incident.level == "signal":
        return incident.counted_at + int(hazard.reopen_hours * 60 * MINUTE)
    return incident.raised_at + int(hazard.reopen_hours * 60 * MINUTE)


def _stands_until(incident: Incident, hazard: HazardProfile) -> int:
    """Return until when a level stands although nobody says anything: what a person decided is not undone at once."""
    is_said = incident.level == "confirmed" or incident.raised_at == incident.decided_at
    return incident.raised_at + (int(hazard.hold_minutes * MINUTE) if is_said else 0)


def level_after(incident: Incident, reached: str | None, pace: float) -> str | None:
    """Return the level that a counted post lifts an open incident to, None where it stays.

    `reached` is what the statistic and the gate allow at this moment.
    """
    if reached == "alert" and RANKS.index(incident.top) < RANKS.index("alert"):
        return "alert"
    if incident.level == "monitoring" and pace >= LOUD_SHARE * incident.peak:
        return incident.top
    return None
