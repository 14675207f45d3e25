"""Reliability: whether what Vigie calls probable comes true as often as it says, by what people ruled.

Shape   rows of incidents in; bins of equal width, each with how many were expected and how many were true
Source  G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from console.trust.raised import Raised
from records.share import Share, Z, share_of

BINS = 10


@dataclass(frozen=True)
class Bin:
    """What was told with a probability between two numbers."""

    low: float
    high: float
    told: float  # the mean of what was told
    true: Share


@dataclass(frozen=True)
class Reliability:
    """How P(incident) and what people ruled go together."""

    cases: int
    true: int
    expected: float  # true ones, had each probability held
    low: float  # between these the true ones lie 95 times in 100, if it does
    high: float
    brier: float | None  # mean squared error, 0 the best; None without a case
    brier_of_share: float | None  # of whoever had always told the share of true ones
    bins: tuple[Bin, ...]  # those that hold a case

    @property
    def is_off(self) -> bool:
        """Whether more, or fewer, came true than chance allows if each probability held."""
        return bool(self.cases) and not self.low <= self.true <= self.high


def reliability(found: Iterable[Raised]) -> Reliability:
    """Return how far probabilities held that were told with the watch."""
    pairs = [(one.probability, one.ruling == "true") for one in found if one.ruling]
    cases, true = len(pairs), sum(is_true for _, is_true in pairs)
    expected = sum(told for told, _ in pairs)
    reach = Z * sqrt(sum(told * (1.0 - told) for told, _ in pairs))
    share = true / cases if cases else 0.0
    return Reliability(
        cases=cases,
        true=true,
        expected=expected,
        low=max(0.0, expected - reach - 0.5),
        high=min(float(cases), expected + reach + 0.5),
        brier=sum((told - is_true) ** 2 for told, is_true in pairs) / cases if cases else None,
        brier_of_share=share * (1.0 - share) if cases else None,
        bins=tuple(_bins(pairs)),
    )


def _bins(pairs: Sequence[tuple[float, bool]]) -> Iterable[Bin]:
    for number in range(BINS):
        held = [pair for pair in pairs if min(BINS - 1, int(pair[0] * BINS)) == number]
        if held:
            mean = sum(told for told, _ in held) / len(held)
            true = sum(is_true for _, is_true in held)
            yield Bin(number / BINS, (number + 1) / BINS, mean, share_of(true, len(held)))
