"""Share: so many of so many, and how far the share may be off: of few cases, far.

Source  E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927
"""

from math import sqrt

import msgspec

Z = 1.959964  # of 95 % of a normal distribution


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """Return between which shares the true one lies, of 95 in 100 such samples; nothing is known of no case."""
    if not cases:
        return 0.0, 1.0
    share = hits / cases
    middle = share + Z * Z / (2 * cases)
    reach = Z * sqrt(share * (1 - share) / cases + Z * Z / (4 * cases * cases))
    whole = 1 + Z * Z / cases
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of so many, with the interval that holds the true share 95 times in 100."""

    hits: int
    cases: int
    low: float
    high: float


def share_of(hits: int, cases: int) -> Share:
    """Return a share with its interval."""
    return Share(hits, cases, *wilson(hits, cases))
