"""Chatter: how many times more than usual a hazard is talked of, elsewhere in the country, without being there.

A film, a distant catastrophe or an anniversary makes people everywhere say "fire". Where a commune has one such post a
week its own control series cannot tell; the whole country's can. Only weak posts are asked, so that a real storm over
half the country does not hide itself; and the area that asks is left out.

Shape   `note` every weak post, roughly in event time; `excess` before a post is taken as evidence
Units   seconds of event time; excess is a factor, at least 1
Source  docs/detection.md 2.2, kappa
"""

from collections import Counter, deque
from math import exp

WINDOW_SECS = 3600.0
USUAL_SECS = 3 * 86_400.0
LEAST_WATCHED_SECS = 6 * 3600.0
"""Before that nobody can say what is usual."""
START = 10.0
BUCKET_SECS = 60.0
NEGLIGIBLE = 1e-3  # posts


class Chatter:
    """The weak posts of the last hour, by subject and area, and how many an hour are usual."""

    def __init__(self) -> None:
        self._by_subject: dict[str, _Series] = {}

    def note(self, subject: str, area: str, author: str, at: float) -> None:
        """Count one weak post on a subject (a hazard in a country), once an author and hour: nobody shall blind us."""
        self._by_subject.setdefault(subject, _Series(at)).note(area, author, at)

    def excess(self, subject: str, area: str, at: float) -> float:
        """Return how many times more weak posts than usual came from other areas within the last hour."""
        series = self._by_subject.get(subject)
        return 1.0 if series is None else series.excess(area, at)


class _Series:
    """One subject's."""

    def __init__(self, began_at: float) -> None:
        self.began_at = self.newest_at = began_at
        self.buckets: deque[tuple[float, dict[str, str]]] = deque()  # minutes of the last hour: author -> area
        self.authors: set[str] = set()  # of the last hour
        self.recent: Counter[str] = Counter()
        self.usual: dict[str, float] = {}  # posts, exponential window; what is recent is not part of it yet
        self.recent_total = self.usual_total = 0.0
        self.usual_at = began_at

    def note(self, area: str, author: str, at: float) -> None:
        self._move_on(at)
        if author in self.authors or at < self.newest_at - WINDOW_SECS:
            return
        minute = at // BUCKET_SECS * BUCKET_SECS
        if not self.buckets or self.buckets[-1][0] < minute:
            self.buckets.append((minute, {}))
        self.buckets[-1][1][author] = area
        self.authors.add(author)
        self.recent[area] += 1
        self.recent_total += 1

    def _move_on(self, at: float) -> None:
        """Let what is older than an hour become part of what is usual."""
        self.newest_at = max(self.newest_at, at)
        while self.buckets and self.buckets[0][0] < self.newest_at - WINDOW_SECS:
            minute, areas = self.buckets.popleft()
            self._fade_to(minute)
            for author, area in areas.items():
                self.usual[area] = self.usual.get(area, 0.0) + 1.0
                self.authors.discard(author)
                self.recent[area] -= 1
            self.usual_total += len(areas)
            self.recent_total -= len(areas)

    def _fade_to(self, at: float) -> None:
        kept = exp(-max(at - self.usual_at, 0.0) / USUAL_SECS)
        self.usual_at = max(self.usual_at, at)
        if kept < 1.0:
            self.usual = {area: posts * kept for area, posts in self.usual.items() if posts * kept > NEGLIGIBLE}
            self.usual_total *= kept

    def excess(self, area: str, at: float) -> float:
        self._move_on(at)
        watched = self.usual_at - self.began_at
        if watched < LEAST_WATCHED_SECS:
            return 1.0
        # an exponential window that has been open for so long holds so many hours
        hours = USUAL_SECS * (1.0 - exp(-watched / USUAL_SECS)) / 3600.0
        expected = max(self.usual_total - self.usual.get(area, 0.0), 0.0) / hours
        return max(1.0, (START + self.recent_total - self.recent[area]) / (START + expected))
