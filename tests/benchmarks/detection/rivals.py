"""Rivals: the other ways to notice a burst of posts, each with its true seasonal background, and the two oracles.

Shape   a moment a post in, a score a post out; all but the marked oracle see only the posts that count as evidence,
        thinned out beforehand
Source  counts in windows: Hendrickson et al. 2015 (Gnip-Trend-Detection). EWMA of a point process: Roberts 1959 over
        the rate to expect. Gamma-Poisson: the conjugate rate of each hour of the day, negative binomial tail. CUSUM for
        Poisson counts: Lucas 1985. GLR over the last posts: Hoehle and Paul 2008, Ward et al. 2022. STA/LTA: Withers et
        al. 1998, by `obspy.signal.trigger.recursive_sta_lta`, as Earle et al. 2011 read tweets of earthquakes
"""

from collections.abc import Callable
from importlib.util import find_spec
from math import exp, lgamma, log, log1p
from typing import Any, TypeVar, cast

import numpy as np
from chatter import DAY, activity, clock
from marks import Floats
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

_CEILING = 60.0  # nats
_HOURS = 24
_FORGET_DAYS = 14.0
_SAMPLE = 1.0  # minutes a sample of the seismologists' trace
_TAIL = 1e-12


def compiled(function: Function) -> Function:
    """Compile one function, and keep the result beside the source."""
    return cast(Function, njit(cache=True)(function))


@compiled
def reflected(ticks: Floats, growth: Floats, drift: float) -> Floats:
    """Return the CUSUM after each post: it sinks as the clock runs, grows with posts, and never lies below zero."""
    result, total, last = np.empty(len(ticks)), 0.0, ticks[0] if len(ticks) else 0.0
    for i in range(len(ticks)):
        total = min(max(total - drift * (ticks[i] - last), 0.0) + growth[i], _CEILING)
        last, result[i] = ticks[i], total
    return result


def oracle_of_marks(times: Floats, ratios: Floats, rate: float, incident_rate: float) -> Floats:
    """Return the score of who knows the incident's rate and what each mark is worth."""
    return reflected(clock(times), np.log1p(incident_rate / rate * ratios), incident_rate)


def oracle_of_counts(times: Floats, rate: float, incident_rate: float) -> Floats:
    """Return the score of who knows the incident's rate and only counts: optimal in Lorden's sense."""
    return reflected(clock(times), np.full(len(times), log1p(incident_rate / rate)), incident_rate)


def cusum(times: Floats, rate: float) -> Floats:
    """Return the CUSUM for a jump by twenty."""
    return oracle_of_counts(times, rate, 19.0 * rate)


def window(times: Floats, rate: float) -> Floats:
    """Return how unlikely the count of the last ten minutes is."""
    return _windows(times, clock(times), clock(times - 10.0)[None, :], np.array([10.0]), rate)


def windows(times: Floats, rate: float) -> Floats:
    """Return how unlikely the counts of ten minutes, an hour and six hours are, the unlikeliest."""
    lengths = np.array([10.0, 60.0, 360.0])
    return _windows(times, clock(times), np.stack([clock(times - length) for length in lengths]), lengths, rate)


def moving_average(times: Floats, rate: float) -> Floats:
    """Return an exponential average over twenty minutes, over the rate to expect and as much again."""
    return _averaged(times, rate * (activity(times) + 1.0), 20.0)


def likelihood_ratio(times: Floats, rate: float) -> Floats:
    """Return the likelihood ratio of the best start among the last 64 posts, at the best rate."""
    return _best_start(clock(times) * rate, 64, 2.0, 5000.0)


def gamma_poisson(times: Floats, rate: float) -> Floats:
    """Return how unlikely the count of a running ten minutes is, by a rate learned for each hour of the day."""
    prior = rate * np.diff(clock(np.arange(_HOURS + 1.0) * 60.0)) * _FORGET_DAYS
    return _by_hour(times, prior)


def seismic(times: Floats, rate: float) -> Floats:
    """Return the short over the long average, ten minutes over a day, on a trace of counts a minute.

    The trace has a constant added, twenty times the mean: without it the ratio is the same after any long silence.
    """
    from obspy.signal.trigger import recursive_sta_lta  # noqa: PLC0415  a big library that only this rival needs

    if not len(times):
        return np.zeros(0)
    begins = np.floor(times[0]) - DAY
    rows = ((times - begins) / _SAMPLE).astype(np.int64)
    energy = np.bincount(rows, minlength=rows[-1] + 1) + 20.0 * rate * _SAMPLE
    trace = recursive_sta_lta(np.sqrt(energy), int(10.0 / _SAMPLE), int(DAY / _SAMPLE))  # it squares its input
    return np.asarray(trace[rows], dtype=np.float64)


@compiled
def surprise(count: float, mean: float) -> float:
    """Return minus the logarithm of the chance of so many posts or more, 0 where there are no more than usual."""
    if count <= mean:
        return 0.0
    term, total, k = 1.0, 1.0, count
    while term > _TAIL * total:
        k += 1.0
        term *= mean / k
        total += term
    return mean - count * log(mean) + lgamma(count + 1.0) - log(total)


@compiled
def _windows(times: Floats, ticks: Floats, ticks_before: Floats, lengths: Floats, rate: float) -> Floats:
    result, first = np.zeros(len(times)), np.zeros(len(lengths), np.int64)
    for i in range(len(times)):
        for w in range(len(lengths)):
            while times[first[w]] <= times[i] - lengths[w]:
                first[w] += 1
            usual = rate * (ticks[i] - ticks_before[w, i])
            result[i] = max(result[i], surprise(i - first[w] + 1.0, usual))
    return result


@compiled
def _averaged(times: Floats, usual: Floats, memory: float) -> Floats:
    result, average, last = np.empty(len(times)), 0.0, times[0] if len(times) else 0.0
    for i in range(len(times)):
        average = average * exp(-(times[i] - last) / memory) + 1.0 / memory
        last, result[i] = times[i], average / usual[i]
    return result


@compiled
def _best_start(expected: Floats, most: int, least_jump: float, most_jump: float) -> Floats:
    result = np.zeros(len(expected))
    for i in range(len(expected)):
        for start in range(max(0, i - most + 1), i + 1):
            posts, usual = i - start + 1.0, expected[i] - expected[start]
            jump = min(posts / max(usual, posts / most_jump), most_jump)
            if jump >= least_jump:
                result[i] = max(result[i], posts * log(jump) - (jump - 1.0) * usual)
    return result


@compiled
def _by_hour(times: Floats, prior: Floats) -> Floats:
    posts, exposure = prior.copy(), np.full(_HOURS, _FORGET_DAYS)  # exposure in days, an hour each
    kept = exp(-1.0 / _FORGET_DAYS)
    result, running, hour, heard = np.zeros(len(times)), 0.0, int(times[0] // 60.0) if len(times) else 0, 0.0
    first = 0
    for i in range(len(times)):
        now = int(times[i] // 60.0)
        while hour < now:
            posts[hour % _HOURS] = posts[hour % _HOURS] * kept + heard
            exposure[hour % _HOURS] = exposure[hour % _HOURS] * kept + 1.0
            hour, heard = hour + 1, 0.0
        heard += 1.0
        while times[first] <= times[i] - 10.0:
            first += 1
        running = i - first + 1.0
        share = 1.0 / (1.0 + 6.0 * exposure[now % _HOURS])  # ten minutes beside all hours looked at
        result[i] = _negative_binomial(running, max(posts[now % _HOURS], 0.05), share)
    return result


@compiled
def _negative_binomial(count: float, shape: float, share: float) -> float:
    """Return minus the logarithm of the chance of so many or more, where the rate itself is only believed."""
    first = lgamma(shape + count) - lgamma(shape) - lgamma(count + 1.0) + shape * log1p(-share) + count * log(share)
    term, total, k = 1.0, 1.0, count
    while term > _TAIL * total:
        term *= (shape + k) / (k + 1.0) * share
        k += 1.0
        total += term
    return max(-first - log(total), 0.0)


def has_seismic() -> bool:
    """Tell whether ObsPy is installed."""
    return find_spec("obspy") is not None
