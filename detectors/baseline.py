"""Baseline: how many posts are usual for a place and hazard at this hour, all of them, strong and weak.

The likelihood ratio of a post is relative to all signals of its key, so the level counts all of them: those that are
no relay and no repeat of the same author. What counts as evidence is a part of it (`1 - weak_share`).

Shape   `roll` before anything is read or counted; then `expected_rate` before `count`: a post is no part of its own
        background
Units   rates in posts a minute, moments in microseconds since 1970
Source  docs/detection.md 2.2; the learned hour-of-week shape and the national factor kappa come later
"""

from datetime import datetime, timedelta
from math import exp, sqrt
from zoneinfo import ZoneInfo

import msgspec

from detectors.moment import MINUTE

DAY_MINUTES = 1440.0
KEPT_PER_DAY = 0.5 ** (1.0 / 28.0)  # half-life of 28 days
PRIOR_MINUTES = 14 * DAY_MINUTES  # what we believe beforehand weighs as much as two weeks of looking
FAST_MINUTES, FAST_START = 45.0, 2.0
SLOW_MINUTES, SLOW_START = 1440.0, 4.0
BEYOND_DOUBT = 3.0  # standard deviations

_POSTS_BY_HOUR = (
    *(0.55, 0.35, 0.25, 0.20, 0.20, 0.25, 0.40, 0.70, 0.95, 1.10, 1.20, 1.25),
    *(1.35, 1.30, 1.20, 1.20, 1.25, 1.35, 1.45, 1.50, 1.60, 1.55, 1.30, 0.90),
)
SHAPE = tuple(24.0 * posts / sum(_POSTS_BY_HOUR) for posts in _POSTS_BY_HOUR)
"""A guess at how posts spread over the local hours, mean 1, until each class of places has learned its own."""


class Baseline(msgspec.Struct, array_like=True):
    """What a node has learned of its own background. Posts enter the level after one to two days."""

    day_at: int  # when the running day began, for this node
    posts: float = 0.0  # settled, exponentially forgotten
    minutes: float = 0.0
    yesterday_posts: int = 0
    yesterday_minutes: float = 0.0
    today_posts: int = 0
    frozen_at: int = 0
    is_frozen: bool = False  # an incident is open here: its posts must not become the usual
    low_at: int = 0
    low_fast: float = 0.0  # weak posts, exponential windows of 45 minutes and of a day
    low_slow: float = 0.0

    def roll(self, at: int, *, patience: int) -> None:
        """Let time pass: whole days settle, each a day after its end.

        An incident that outlasts our patience is what is usual here, or our level is wrong: learn again.
        """
        if self.is_frozen and at - self.frozen_at >= patience:
            self.thaw(at)
        if self.is_frozen or at - self.day_at < DAY_MINUTES * MINUTE:
            return
        days = int((at - self.day_at) // (DAY_MINUTES * MINUTE))
        self.day_at += int(days * DAY_MINUTES * MINUTE)
        self._settle(self.yesterday_posts, self.yesterday_minutes)
        self.yesterday_posts, self.yesterday_minutes, self.today_posts = self.today_posts, DAY_MINUTES, 0
        if days > 1:
            self._settle(self.yesterday_posts, self.yesterday_minutes)
            self.yesterday_posts = 0
            kept = KEPT_PER_DAY ** (days - 2)
            self.posts *= kept
            self.minutes = self.minutes * kept + DAY_MINUTES * (1.0 - kept) / (1.0 - KEPT_PER_DAY)

    def _settle(self, posts: int, minutes: float) -> None:
        self.posts = self.posts * KEPT_PER_DAY + posts
        self.minutes = self.minutes * KEPT_PER_DAY + minutes

    def freeze(self, at: int, *, posts: int) -> None:
        """Stop learning, and take back the incident's first posts."""
        self.is_frozen, self.frozen_at = True, at
        self.today_posts = max(self.today_posts - posts, 0)

    def thaw(self, at: int) -> None:
        """Learn again, if learning had stopped; the time in between never was."""
        if self.is_frozen:
            self.is_frozen = False
            self.day_at += at - self.frozen_at

    def count(self) -> None:
        """Take one post into the level."""
        if not self.is_frozen:
            self.today_posts += 1

    def count_weak(self, at: int) -> None:
        """Take one post that is no evidence into the control series."""
        silence = (at - self.low_at) / MINUTE
        self.low_fast = self.low_fast * exp(-silence / FAST_MINUTES) + 1.0
        self.low_slow = self.low_slow * exp(-silence / SLOW_MINUTES) + 1.0
        self.low_at = at

    def level(self, prior_rate: float) -> float:
        """Return the mean rate of posts: what was believed beforehand, moved by what was seen."""
        return (prior_rate * PRIOR_MINUTES + self.posts) / (PRIOR_MINUTES + self.minutes)

    def expected_rate(self, at: int, *, prior_rate: float, shape: float, weak_share: float) -> float:
        """Return the rate of posts to expect now: level, hour, and how busy the control series is."""
        level = self.level(prior_rate)
        weak_rate = level * weak_share
        silence = (at - self.low_at) / MINUTE
        fast = self.low_fast * exp(-silence / FAST_MINUTES)
        slow = self.low_slow * exp(-silence / SLOW_MINUTES)
        busier = max(
            1.0,
            (FAST_START + fast) / (FAST_START + weak_rate * shape * FAST_MINUTES),
            (SLOW_START + slow) / (SLOW_START + weak_rate * SLOW_MINUTES),
            (slow - BEYOND_DOUBT * sqrt(slow)) / (weak_rate * SLOW_MINUTES),  # where the level is wrong by far
        )
        return level * shape * busier


def shape_at(instant: datetime, *, zone: ZoneInfo, degrees_east: float) -> float:
    """Return the hour's factor: by the zone's clock, shifted by the sun for places east or west of home."""
    local = instant.astimezone(zone) + timedelta(minutes=4.0 * degrees_east)
    return SHAPE[local.hour]
