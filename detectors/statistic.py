"""Statistic: has something begun here? The marked Shiryaev-Roberts mixture, and the onset that goes with it.

Shape   one list per node, a number for each assumed rate of posts; `decayed` for the silence before a counted
        post, `raised` for the post itself
Units   R in minutes, rates in posts a minute, `odds` = likelihood ratio over the background's posts a minute
Source  docs/detection.md 2.3, 2.6. If the background is not under-estimated, the mean time to a false crossing of A is
        at least A minutes less the idle value (about 20): the threshold is the false-alarm budget.
"""

from dataclasses import dataclass
from math import exp, inf, log

from detectors.moment import MINUTE

CUSUM_CEILING = 60.0
"""Nats; keeps the onset able to forget an incident that was loud for days."""


@dataclass(frozen=True)
class Rates:
    """The rates of posts that an incident may bring, and the share of such posts that count as evidence."""

    per_minute: tuple[float, ...]
    evidence_share: float

    @property
    def idle(self) -> list[float]:
        """Return the value of each R where nothing has ever been said: its start and its floor."""
        return [1.0 / (self.evidence_share * rate) for rate in self.per_minute]


def spaced_rates(least: float, most: float, steps: int) -> tuple[float, ...]:
    """Return rates from least to most, each the same factor above the one before."""
    if steps == 1:
        return (least,)
    factor = (most / least) ** (1.0 / (steps - 1))
    return tuple(least * factor**step for step in range(steps))


def decayed(values: list[float], minutes: float, rates: Rates) -> list[float]:
    """Return R after a silence: each falls towards its idle value, the faster the higher its assumed rate."""
    result = []
    for value, rate in zip(values, rates.per_minute, strict=True):
        fading = rates.evidence_share * rate
        kept = exp(-fading * minutes)
        result.append(value * kept + (1.0 - kept) / fading)
    return result


def raised(values: list[float], odds: float, rates: Rates, *, ceiling: float) -> list[float]:
    """Return R after one counted post."""
    return [min(value * (1.0 + rate * odds), ceiling) for value, rate in zip(values, rates.per_minute, strict=True)]


def mixture(values: list[float]) -> float:
    """Return R: the mean over the assumed rates, none of which is preferred beforehand."""
    return sum(values) / len(values)


def best(values: list[float]) -> int:
    """Return the position of the rate that explains what was seen best."""
    return max(range(len(values)), key=values.__getitem__)


def without(values: list[float], odds: float, rates: Rates) -> float:
    """Return about what R would be, had one post of these odds not been written."""
    kept = [value / (1.0 + rate * odds) for value, rate in zip(values, rates.per_minute, strict=True)]
    return mixture(kept)


def risen(posts: list[tuple[int, float]], rates: Rates, *, until: int) -> list[float]:
    """Return R after some posts alone, each with its moment and odds: from its start, without a ceiling.

    So it can be asked what R would be without one of them; from R itself, which has a ceiling, it cannot.
    """
    values, at = rates.idle, posts[0][0] if posts else until
    for moment, odds in posts:
        values = raised(decayed(values, (moment - at) / MINUTE, rates), odds, rates, ceiling=inf)
        at = moment
    return decayed(values, (until - at) / MINUTE, rates)


def onsets_after(
    sums: list[float], onsets: list[int], minutes: float, odds: float, *, at: int, rates: Rates
) -> tuple[list[float], list[int]]:
    """Return the running sums and the moment each last left zero, after a silence and one counted post."""
    new_sums, new_onsets = [], []
    for total, onset, rate in zip(sums, onsets, rates.per_minute, strict=True):
        left = total - rates.evidence_share * rate * minutes
        new_sums.append(min(max(left, 0.0) + log(1.0 + rate * odds), CUSUM_CEILING))
        new_onsets.append(onset if left > 0.0 else at)
    return new_sums, new_onsets


def seconds_until_below(values: list[float], level: float, rates: Rates, *, at_most: int) -> int:
    """Return after how many whole seconds of silence R lies below a level, `at_most` where that takes longer."""
    low, high = 0, at_most
    while low < high:
        middle = (low + high) // 2
        if mixture(decayed(values, middle / 60.0, rates)) < level:
            high = middle
        else:
            low = middle + 1
    return low
