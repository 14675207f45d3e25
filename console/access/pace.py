"""Pace: how often somebody may ask for something; a bucket that fills again by the second.

Units   tokens, tokens per second; moments by the clock that is passed in
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

MOST_KEYS = 20_000  # the least recently seen is forgotten first, which only makes it free again


@dataclass(frozen=True, kw_only=True)
class Pace:
    """So many at once, and so many a second from then on."""

    burst: int
    per_second: float


class Buckets:
    """A bucket for each of those who ask."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._levels: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def wait(self, key: str, now: datetime) -> float:
        """Return how many seconds from now somebody may take one; 0.0: now."""
        return max(0.0, (1.0 - self._level(key, now)) / self._pace.per_second)

    def take(self, key: str, now: datetime) -> float:
        """Take one, where there is one; return what `wait` says."""
        wait = self.wait(key, now)
        if not wait:
            self._put(key, self._level(key, now) - 1.0, now)
        return wait

    def give_back(self, key: str, now: datetime) -> None:
        """Give back what was taken: it was not for nothing."""
        self._put(key, min(float(self._pace.burst), self._level(key, now) + 1.0), now)

    def _level(self, key: str, now: datetime) -> float:
        level, at = self._levels.get(key, (float(self._pace.burst), now))
        waited = max(0.0, (now - at).total_seconds())  # a clock that is set back gives nothing
        return min(float(self._pace.burst), level + waited * self._pace.per_second)

    def _put(self, key: str, level: float, now: datetime) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)
