"""Drift: whether what comes in has changed, so that scores and baselines are no longer what they were fitted to.

Scores: how the likelihood ratios and probabilities of this week's posts are spread, against the four weeks before, by
the population stability index (PSI). Baselines: how many weak posts came from an area, against what was usual in those
four weeks. Days on which an incident was on count for neither: they are not what is usual.

Shape   what was heard in any order in, each once; a figure for each hazard, and for each hazard in each area, out
Units   likelihood ratios in nats, counts a week
Source  PSI: N. Siddiqi, "Credit Risk Scorecards", Wiley 2006: below 0.1 nothing, from 0.25 on a shift. Without any
        shift it is about (1/n + 1/m) times a chi-squared of bins - 1 degrees of freedom: B. Yurdakul, "Statistical
        Properties of Population Stability Index", Western Michigan University 2018. Chi-squared quantiles:
        E. B. Wilson, M. M. Hilferty, PNAS 17, 1931. The tests simulate how often either
        tells of a shift that there is none of
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

from records.signal import Hazard
from records.trust import SCORES, BaselineDrift, Drift, Heard, Score, ScoreDrift, Spell

WEEK: Final = timedelta(days=7)
WEEKS_BEFORE: Final = 4
SPAN: Final = (WEEKS_BEFORE + 1) * WEEK
"""How far back signals are needed."""
BINS: Final = 10
LEAST_POSTS: Final = 100
"""Of either time: with fewer, ten bins hold too few posts each."""
A_SHIFT: Final = 0.25
NORMAL_999: Final = 3.090232
"""The quantile of a normal distribution that one in a thousand exceeds: about one warning by chance in 20 years."""
BY_CHANCE: Final = 0.001
"""How often a week, at either end, any area at all is told of that has not changed."""
LEAST_DAYS: Final = 7
"""Without an incident, of the weeks before: with fewer nobody knows what is usual."""
WEAK: Final = 1.0
"""Below this likelihood ratio a post is no evidence, and counts for what is usual."""
LEAST_CHANGE: Final = 1.5
"""Times more, or fewer, than usual: the baseline learns, and false alarms follow it; of less nobody need be told."""
NOTHING: Final = 1e-9
FAR: Final = 20.0
"""Standard deviations from the mean, beyond which nothing is looked at."""

Key = tuple[Hazard, str]


def drift_of(heard: Iterable[Heard], now: datetime, spells: Sequence[Spell] = ()) -> Drift:
    """Return how the last seven days differ from the four weeks before, apart from spells with an incident."""
    found = _Counted(now, spells)
    for one in heard:
        found.take(one)
    return Drift(
        since=now - WEEK,
        until=now,
        recorded_since=found.first_at,
        scores=tuple(found.scores()),
        baselines=tuple(found.baselines()),
    )


class _Counted:
    """What a recording holds, sorted by week and day; day 0 is the one that ends now."""

    def __init__(self, now: datetime, spells: Sequence[Spell]) -> None:
        self.first_at: datetime | None = None
        self._now = now
        self._loud = {(one.hazard, one.area, day) for one in spells for day in self._days_of(one)}
        self._scores: dict[tuple[Hazard, Score], tuple[list[float], list[float]]] = {}
        self._weak: dict[Key, Counter[int]] = {}

    def _days_of(self, spell: Spell) -> range:
        return range(max(0, self._day_of(spell.until)), min(SPAN.days, self._day_of(spell.since) + 1))

    def _day_of(self, at: datetime) -> int:
        return (self._now - at) // timedelta(days=1)

    def take(self, heard: Heard) -> None:
        day = self._day_of(heard.at)
        if not 0 <= day < SPAN.days:
            return
        self.first_at = min(self.first_at or heard.at, heard.at)
        hazard, area = heard.hazard, heard.area
        counts = self._weak.setdefault((hazard, area), Counter())
        if (hazard, area, day) in self._loud:
            return
        if heard.likelihood_ratio < WEAK:
            counts[day] += 1
        is_before = int(day >= WEEK.days)
        for score in SCORES:
            self._scores.setdefault((hazard, score), ([], []))[is_before].append(_value_of(heard, score))

    def scores(self) -> list[ScoreDrift]:
        return [_score_drift(hazard, score, *self._scores[hazard, score]) for hazard, score in sorted(self._scores)]

    def baselines(self) -> list[BaselineDrift]:
        recorded = (
            0 if self.first_at is None else self._day_of(self.first_at) + 1
        )  # days that the recording reaches back
        chance = BY_CHANCE / max(1, len(self._weak))
        return [self._baseline(key, self._weak[key], recorded, chance) for key in sorted(self._weak)]

    def _baseline(self, key: Key, counts: Counter[int], recorded: int, chance: float) -> BaselineDrift:
        quiet = [day for day in range(min(recorded, SPAN.days)) if (*key, day) not in self._loud]
        lately = [counts[day] for day in quiet if day < WEEK.days]
        before = [counts[day] for day in quiet if day >= WEEK.days]
        is_known = len(before) >= LEAST_DAYS and bool(lately)
        usual, low, high = limits_of(before, len(lately), chance) if is_known else (None, None, None)
        return BaselineDrift(
            hazard=key[0], area=key[1], posts=sum(lately), days=len(lately), usual=usual, low=low, high=high
        )


def _value_of(heard: Heard, score: Score) -> float:
    return log(max(heard.likelihood_ratio, NOTHING)) if score == "likelihood_ratio" else heard.probability


def _score_drift(hazard: Hazard, score: Score, lately: list[float], before: list[float]) -> ScoreDrift:
    index = told_from = None
    if min(len(lately), len(before)) >= LEAST_POSTS:
        edges = edges_of(before)
        index = stability_index(lately, before, edges)
        told_from = max(A_SHIFT, index_by_chance(len(lately), len(before), len(edges) + 1))
    return ScoreDrift(
        hazard=hazard, score=score, posts=len(lately), before=len(before), index=index, told_from=told_from
    )


def edges_of(values: Sequence[float]) -> list[float]:
    """Return between which values lie equal parts of a sample; fewer parts where many values are alike."""
    ordered = sorted(values)
    return sorted({ordered[len(ordered) * part // BINS] for part in range(1, BINS)})


def stability_index(lately: Sequence[float], before: Sequence[float], edges: Sequence[float]) -> float:
    """Return the population stability index: 0 where both samples are spread alike."""
    shares = [_shares(values, edges) for values in (lately, before)]
    return float(sum((one - other) * log(one / other) for one, other in zip(*shares, strict=True)))


def _shares(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Return which part of the values lies in each bin; half a value is added to each, so that none is empty."""
    counts = Counter(bisect_right(edges, value) for value in values)
    whole = len(values) + 0.5 * (len(edges) + 1)
    return [(counts[number] + 0.5) / whole for number in range(len(edges) + 1)]


def index_by_chance(lately: int, before: int, bins: int) -> float:
    """Return the index that one pair of samples in a thousand exceeds although nothing has changed."""
    degrees = max(1, bins - 1)
    part = 2.0 / (9.0 * degrees)
    root: float = 1.0 - part + NORMAL_999 * sqrt(part)
    return (1.0 / lately + 1.0 / before) * degrees * root * root * root


def limits_of(before: Sequence[int], days: int, chance: float) -> tuple[float, int, int]:
    """Return how many posts were to be expected in some days, and between which numbers chance alone leaves them.

    What is expected is as uncertain as the days before are few, and as they differ from each other: a negative
    binomial.
    Fewer or more than that by less than half of what is usual is not told.
    """
    rate = (sum(before) + 0.5) / len(before)
    spread = _spread(before)
    mean = rate * days
    variance = mean * spread * (1.0 + days / len(before))
    low, high = _within(mean, max(variance, mean * 1.001), chance)
    return mean, min(low, int(mean / LEAST_CHANGE)), max(high, int(mean * LEAST_CHANGE) + 1)


def _spread(counts: Sequence[int]) -> float:
    """Return how many times more than by chance days differ; never less than once."""
    mean = sum(counts) / len(counts)
    if not mean or len(counts) == 1:
        return 1.0
    return max(1.0, sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean)


def _within(mean: float, variance: float, chance: float) -> tuple[int, int]:
    """Return the numbers below and above which a negative binomial lies with no more than a chance each."""
    size = mean * mean / (variance - mean)
    number = low = max(0, int(mean - FAR * sqrt(variance)))
    below = 0.0
    while below < 1.0 - chance and number < mean + FAR * sqrt(variance) + FAR:
        below += exp(_log_share(number, size, mean))
        number += 1
        low = number if below <= chance else low
    return low, number - 1


def _log_share(number: int, size: float, mean: float) -> float:
    ways = lgamma(number + size) - lgamma(size) - lgamma(number + 1.0)
    return ways - size * log1p(mean / size) + number * (log(mean) - log(mean + size))
