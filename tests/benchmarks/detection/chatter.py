"""Chatter: made-up streams of posts, everyday ones and those of an incident, the same for each seed.

Shape   a stream is moments and marks, in order of time; few posts, by day more than by night
Units   minutes since a Monday at 00:00, posts a minute
"""

from typing import NamedTuple

import numpy as np
from marks import Floats, Ints, Marks, drawn

DAY, WEEK = 1440.0, 10080.0
SWING, PEAK = 0.85, 16 * 60.0  # twelve times as many posts at 16:00 as at 04:00
_GRID = 10.0
_TURN = 2.0 * np.pi / DAY


class Stream(NamedTuple):
    """Posts in order of time."""

    times: Floats
    marks: Ints


class Incident(NamedTuple):
    """One kind of incident: how many posts it brings, and how long we wait for it to be found."""

    name: str
    rate: float  # posts a minute once it is at its height, by day and night on average
    ramp: float  # minutes until then
    horizon: float
    is_slow: bool = False

    @property
    def tuned_rate(self) -> float:
        """The rate that an oracle is told: where it rises, half of the height."""
        return self.rate / 2.0 if self.ramp else self.rate


INCIDENTS = (
    Incident("0.05/min", 0.05, 0.0, 1440.0),
    Incident("0.2/min", 0.2, 0.0, 720.0),
    Incident("1/min", 1.0, 0.0, 360.0),
    Incident("5/min", 5.0, 0.0, 360.0),
    Incident("flood, to 0.1/min in 12 h", 0.1, 720.0, 2880.0, is_slow=True),
)


def activity(times: Floats) -> Floats:
    """Return how busy people are at these moments, mean 1."""
    return np.asarray(1.0 + SWING * np.cos((times - PEAK) * _TURN))


def clock(times: Floats) -> Floats:
    """Return the time as people's activity tells it: it runs slowly at night."""
    return np.asarray(times + SWING / _TURN * np.sin((times - PEAK) * _TURN))


def hourly_shape() -> Floats:
    """Return the mean activity of the hours of a day: all that our detector is told of it."""
    return np.asarray(np.diff(clock(np.arange(25.0) * 60.0)) / 60.0)


def background(
    marks: Marks, rng: np.random.Generator, rate: float, begins: float, ends: float, *, unrest: "Unrest | None" = None
) -> Stream:
    """Return everyday posts."""
    grid = np.arange(begins, ends + _GRID, _GRID)
    factors = activity(grid[:-1] + _GRID / 2.0)
    if unrest is not None:
        factors = factors * unrest.factors(rng, grid[:-1])
    times = _arrivals(rng, grid, rate * factors)
    times = times[times < ends]
    return Stream(times, drawn(marks.usual, rng, len(times)))


def outbreak(marks: Marks, rng: np.random.Generator, incident: Incident, begins: float) -> Stream:
    """Return the posts that an incident brings."""
    grid = np.arange(begins, begins + incident.horizon + _GRID, _GRID)
    middle = grid[:-1] + _GRID / 2.0
    rates = incident.rate * activity(middle)
    if incident.ramp:
        rates = rates * np.minimum(1.0, (middle - begins) / incident.ramp)
    times = _arrivals(rng, grid, rates)
    return Stream(times, drawn(marks.incident, rng, len(times)))


def merged(first: Stream, second: Stream) -> Stream:
    """Return both streams as one."""
    times = np.concatenate((first.times, second.times))
    order = np.argsort(times, kind="stable")
    return Stream(times[order], np.concatenate((first.marks, second.marks))[order])


class Unrest(NamedTuple):
    """How far the background is from what the detector believes: by a factor, and varying by day and hour."""

    factor: float = 1.0
    by_day: float = 0.0  # coefficients of variation
    by_hour: float = 0.0

    def factors(self, rng: np.random.Generator, moments: Floats) -> Floats:
        """Return a factor for each moment."""
        result = np.full(len(moments), self.factor)
        for variation, minutes in ((self.by_day, DAY), (self.by_hour, 60.0)):
            if variation:
                spans = (moments // minutes).astype(np.int64)
                shape = 1.0 / variation**2
                result *= rng.gamma(shape, 1.0 / shape, int(spans.max()) + 1)[spans]
        return result


def _arrivals(rng: np.random.Generator, grid: Floats, rates: Floats) -> Floats:
    """Return the moments of a Poisson process whose rate is constant between two points of the grid."""
    expected = np.concatenate(([0.0], np.cumsum(rates * np.diff(grid))))
    total = expected[-1]
    steps = np.cumsum(rng.exponential(size=int(total + 6.0 * np.sqrt(total) + 30.0)))
    times: Floats = np.interp(steps[steps < total], expected, grid)
    return times
