"""Baseline: how many posts are usual for a node, all of them, strong and weak.

The likelihood ratio of a post is relative to all signals of its node, so the level counts all of them: those that are
no relay and no repeat of the same author. What counts as evidence is a part of it (`1 - weak_share`).

Shape   values that never change; each step returns the next one. `rolled` before anything is read or counted; and what
        is expected is read before a post is counted: a post is no part of its own background
Units   rates in posts a minute, moments in microseconds since 1970
Source  docs/detection.md 2.2
"""

from math import exp, sqrt

import msgspec

from detectors.moment import MINUTE

DAY_MINUTES = 1440.0
DAY = int(DAY_MINUTES) * MINUTE
KEPT_PER_DAY = 0.5 ** (1.0 / 28.0)  # half-life of 28 days
PRIOR_MINUTES = 14 * DAY_MINUTES  # what we believe beforehand weighs as much as two weeks of looking
FAST_MINUTES, FAST_START = 45.0, 2.0
SLOW_MINUTES, SLOW_START = 1440.0, 1.0
BEYOND_DOUBT = 3.0  # standard deviations


class Baseline(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a node has learned of its own background. Posts enter the level after one to two days."""

    day_at: int  # when the running day began, for this node
    posts: float = 0.0  # settled, forgotten with a half-life of 28 days
    minutes: float = 0.0
    yesterday_posts: int = 0
    yesterday_minutes: float = 0.0
    today_posts: int = 0
    frozen_at: int = 0
    open_incidents: int = 0  # on the branch; while there are any, nothing is learned
    low_at: int = 0
    low_fast: float = 0.0  # weak posts, exponential windows of 45 minutes and of a day
    low_slow: float = 0.0

    @property
    def is_frozen(self) -> bool:
        """Tell whether learning has stopped: an incident's posts must not become the usual."""
        return self.open_incidents > 0

    def level(self, prior_rate: float) -> float:
        """Return the mean rate of posts: what was believed beforehand, moved by what was seen."""
        return (prior_rate * PRIOR_MINUTES + self.posts) / (PRIOR_MINUTES + self.minutes)


def rolled(baseline: Baseline, at: int, *, patience: int) -> Baseline:
    """Let time pass: whole days settle, each a day after its end.

    An incident that outlasts our patience is what is usual here, or our level is wrong: learn again.
    """
    if baseline.is_frozen:
        if at - baseline.frozen_at < patience:
            return baseline
        baseline = _restarted(baseline, at)
    days = (at - baseline.day_at) // DAY
    if days < 1:
        return baseline
    posts, minutes = _settled(baseline.posts, baseline.minutes, baseline.yesterday_posts, baseline.yesterday_minutes)
    yesterday = baseline.today_posts
    if days > 1:
        posts, minutes = _settled(posts, minutes, yesterday, DAY_MINUTES)
        yesterday = 0
        kept = KEPT_PER_DAY ** (days - 2)
        posts *= kept
        minutes = minutes * kept + DAY_MINUTES * (1.0 - kept) / (1.0 - KEPT_PER_DAY)
    return msgspec.structs.replace(
        baseline,
        day_at=baseline.day_at + days * DAY,
        posts=posts,
        minutes=minutes,
        yesterday_posts=yesterday,
        yesterday_minutes=DAY_MINUTES,
        today_posts=0,
    )


def _settled(posts: float, minutes: float, more_posts: int, more_minutes: float) -> tuple[float, float]:
    return posts * KEPT_PER_DAY + more_posts, minutes * KEPT_PER_DAY + more_minutes


def frozen(baseline: Baseline, at: int, *, posts: int) -> Baseline:
    """Stop learning for one incident more, and take back its first posts."""
    return msgspec.structs.replace(
        baseline,
        open_incidents=baseline.open_incidents + 1,
        frozen_at=baseline.frozen_at if baseline.is_frozen else at,
        today_posts=max(baseline.today_posts - posts, 0),
    )


def thawed(baseline: Baseline, at: int) -> Baseline:
    """Learn again once the last incident is over; the time in between never was."""
    if baseline.open_incidents > 1:
        return msgspec.structs.replace(baseline, open_incidents=baseline.open_incidents - 1)
    return _restarted(baseline, at) if baseline.is_frozen else baseline


def _restarted(baseline: Baseline, at: int) -> Baseline:
    return msgspec.structs.replace(baseline, open_incidents=0, day_at=baseline.day_at + at - baseline.frozen_at)


def counted(baseline: Baseline) -> Baseline:
    """Take one post into the level."""
    if baseline.is_frozen:
        return baseline
    return msgspec.structs.replace(baseline, today_posts=baseline.today_posts + 1)


def counted_weak(baseline: Baseline, at: int) -> Baseline:
    """Take one post that is no evidence into the level and into the control series."""
    silence = (at - baseline.low_at) / MINUTE
    return msgspec.structs.replace(
        baseline,
        today_posts=baseline.today_posts + (not baseline.is_frozen),
        low_fast=baseline.low_fast * exp(-silence / FAST_MINUTES) + 1.0,
        low_slow=baseline.low_slow * exp(-silence / SLOW_MINUTES) + 1.0,
        low_at=at,
    )


def busier(baseline: Baseline, at: int, *, weak_rate: float, shape: float) -> float:
    """Return how many times more weak posts there are of late than usual, at least 1."""
    silence = (at - baseline.low_at) / MINUTE
    fast = baseline.low_fast * exp(-silence / FAST_MINUTES)
    slow = baseline.low_slow * exp(-silence / SLOW_MINUTES)
    return max(
        1.0,
        (FAST_START + fast) / (FAST_START + weak_rate * shape * FAST_MINUTES),
        (SLOW_START + slow) / (SLOW_START + weak_rate * SLOW_MINUTES),
        (slow - BEYOND_DOUBT * sqrt(slow)) / (weak_rate * SLOW_MINUTES),  # where the level is wrong by far
    )
