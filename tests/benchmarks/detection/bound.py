"""The least number of posts after which anybody could know: the exact bound for counts of posts.

Posts come as a Poisson process whose rate jumps. The CUSUM is then exactly optimal in Lorden's sense where delay and
time to a false alarm are both counted in expected posts, so its own delay is what no detector of counts can beat. In
units of posts the CUSUM is `c t - N(t)` reflected at its greatest value, with c = (ratio - 1) / ln(ratio), and its mean
first passage has a closed form in the scale function W of that process:

    W(x)    = 1/c  sum over k <= x of  (-l/c)^k (x - k)^k / k!  exp(l (x - k) / c)
    E[T(a)] = W(a)^2 / W'(a) - integral of W from 0 to a,    W'(x) = l/c (W(x) - W(x - 1))

with l = 1 before the jump and l = ratio after it. The likelihood of each post's text may do better than this bound;
counting may not.

Run     `python tests/benchmarks/detection/bound.py`: posts and minutes for quiet to busy places
Units   `gamma`: expected posts between false alarms; delays in posts; `l` in posts per expected usual post
Source  El Karoui, Loisel, Salhi 2017 (optimality); Avram, Kyprianou, Pistorius 2004 (first passage)
"""

import sys
from decimal import Decimal, localcontext
from math import log

DIGITS = 80  # the sum's terms alternate and are huge: at 20 posts a double has no correct digit left
PRECISION = Decimal("1e-12")
WEEK = 10_080.0
PLACES = 1_000


def posts_needed(ratio: float, gamma: float) -> float:
    """Return the mean number of posts that the best detector of counts needs after a jump of the rate by `ratio`.

    Between one post and two no barrier meets gamma exactly: under 3 at a jump by 2, under 23 at one by 100, the figure
    is that of two posts, a little above the bound.

    Errors  ValueError where the rate does not rise, or a false alarm is allowed with the very first usual post
    """
    if ratio <= 1.0 or gamma <= 1.0:
        raise ValueError(f"ratio = {ratio}, gamma = {gamma}: both must be above 1")
    with localcontext(prec=DIGITS):
        rho = Decimal(ratio)
        speed = (rho - 1) / rho.ln()
        barrier = _barrier(speed, Decimal(gamma))
        return float(rho * mean_passage(barrier, rho, speed))


def first_order(ratio: float, gamma: float) -> float:
    """Return the usual approximation for large gamma, in posts: one too few where the rate jumps by 20 and more."""
    return log(gamma) * ratio / (ratio * log(ratio) - ratio + 1.0)


def mean_passage(barrier: Decimal, rate: Decimal, speed: Decimal) -> Decimal:
    """Return the mean time to the alarm where posts come at this rate, in expected usual posts."""
    here = _scale(barrier, rate, speed)
    before = _scale(barrier - 1, rate, speed) if barrier >= 1 else Decimal(0)
    return here * here / (rate / speed * (here - before)) - _area(barrier, rate, speed)


def _barrier(speed: Decimal, gamma: Decimal) -> Decimal:
    """Return the lowest barrier that is crossed no more often than once in gamma usual posts."""
    low, high = Decimal(0), Decimal(2)
    while mean_passage(high, Decimal(1), speed) < gamma:
        high *= 2
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if mean_passage(middle, Decimal(1), speed) >= gamma else (middle, high)
    return high


def _scale(x: Decimal, rate: Decimal, speed: Decimal) -> Decimal:
    total, factor = Decimal(0), 1 / speed  # factor: (-l/c)^k / k! / c
    for k in range(int(x) + 1):
        left = x - k
        total += factor * (left**k if k else 1) * (rate * left / speed).exp()
        factor *= -rate / speed / (k + 1)
    return total


def _area(x: Decimal, rate: Decimal, speed: Decimal) -> Decimal:
    """Return the integral of the scale function: from c W' = l (W - W(. - 1)), one unit step at a time."""
    total = Decimal(0)
    while x > 0:
        total += (speed * _scale(x, rate, speed) - 1) / rate
        x -= 1
    return total


def table(ratios: tuple[float, ...], rates: tuple[float, ...], minutes: float) -> str:
    """Return posts and minutes to the alarm, a line for each usual rate of posts a minute."""
    lines = ["usual posts/min  " + "".join(f"{f'x{ratio:g}':>16}" for ratio in ratios)]
    for rate in rates:
        posts = [posts_needed(ratio, rate * minutes) for ratio in ratios]
        cells = [f"{n:.1f} / {n / ratio / rate:,.3g} min" for n, ratio in zip(posts, ratios, strict=True)]
        lines.append(f"{rate:>15g}  " + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"one false alarm a week over {PLACES:,} places, posts / minutes at least\n")
    sys.stdout.write(table((5.0, 10.0, 20.0, 50.0, 100.0), (0.001, 0.01, 0.1, 1.0), PLACES * WEEK) + "\n")
