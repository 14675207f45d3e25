"""Budgets: how many false watches and alerts there really are, when the background is as believed and when it is not.

The whole detector: authors of three tiers, the gate for the word alert, the strongest voice left out.
"""

import tomllib
from collections.abc import Sequence
from functools import partial
from math import exp, log
from typing import NamedTuple

import numpy as np
from alarms import ALERT, WATCH, count, joined, level_for, peaks, shares_of
from chatter import WEEK, Unrest, background
from crew import Crew
from marks import Floats, Marks
from watchers import PROFILE, SLOW, SUDDEN, layered, logs, tuning_of

from detectors.batch import Scores, Tuning
from detectors.evidence import CLIPS

CALIBRATION_SEED, CHECK_SEED, ETA_SEED = 40_000_000, 50_000_000, 60_000_000
_POSTS_A_JOB = 1_500_000

UNRESTS = {
    "as believed": Unrest(),
    "x1.5": Unrest(factor=1.5),
    "x2": Unrest(factor=2.0),
    "x4": Unrest(factor=4.0),
    "x0.5": Unrest(factor=0.5),
    "days vary, CV 0.5": Unrest(by_day=0.5),
    "hours vary, CV 0.7": Unrest(by_hour=0.7),
    "both": Unrest(by_day=0.5, by_hour=0.7),
}
JUDGED = ("as believed", "x4", "days vary, CV 0.5")
"""The rows that have a target."""


class Levels(NamedTuple):
    """Logarithms of R from which on it is a watch, and may be an alert: the gate has its say only then."""

    watch: float
    alert: float


class Place(NamedTuple):
    """One place that is looked at, and how."""

    marks: Marks
    rate: float
    tuning: Tuning


class Spent(NamedTuple):
    """What of the budget was spent in one kind of unrest."""

    unrest: str
    weeks: int
    watches: int
    crossings: int  # of the alert's level
    alerts: int  # those that the gate lets through

    @property
    def watch_ratio(self) -> float:
        """False watches over those budgeted."""
        return self.watches / (self.weeks * WATCH)

    @property
    def crossing_ratio(self) -> float:
        """Crossings of the alert's level over the false alerts budgeted."""
        return self.crossings / (self.weeks * ALERT)


class Eta(NamedTuple):
    """By how much false ones are rarer than promised, at one background, and what the profile counts on."""

    hazard: str
    rate: float
    watch: float
    alert: float
    of_profile: float

    @property
    def safe(self) -> float:
        """What a profile may count on, for both budgets."""
        return min(self.watch, self.alert)


def place_for(marks: Marks, rate: float, hazard: str = SUDDEN, *, is_profile: bool = False) -> Place:
    """Return a place looked at by the whole detector."""
    return Place(marks, rate, tuning_of(marks, hazard, clips=CLIPS, is_profile=is_profile))


def alert_scores(known: Scores, watch_level: float) -> Floats:
    """Return the logarithm of R where it may be an alert: grounds, and a watch without its strongest voice."""
    return np.where(logs(known.without) >= watch_level, logs(known.alert), 0.0)


def levels_of(place: Place, weeks: int, crew: Crew, *, seed: int = CALIBRATION_SEED) -> Levels:
    """Return the levels that spend both budgets on a background as believed."""
    blocks, _ = _blocks(place, weeks, crew, seed, Unrest(), 0.0)
    return Levels(*(level_for(blocks, weeks * budget) for budget in (WATCH, ALERT)))


def spent(place: Place, levels: Levels, names: Sequence[str], weeks: int, crew: Crew) -> list[Spent]:
    """Return what is spent at these levels on other streams than they were found on."""
    result = []
    for name in names:
        blocks, gated = _blocks(place, weeks, crew, CHECK_SEED, UNRESTS[name], levels.watch)
        counts = (count(blocks, levels.watch), count(blocks, levels.alert), count(gated, levels.alert))
        result.append(Spent(name, weeks, *counts))
    return result


def etas(marks: Marks, rates: dict[float, int], crew: Crew) -> list[Eta]:
    """Return eta for each hazard class and background, with what the profiles assume of evidence and weak posts."""
    result = []
    of_profile = tomllib.loads(PROFILE.read_text(encoding="utf-8"))["hazard"]
    for hazard in (SUDDEN, SLOW):
        for rate, weeks in rates.items():
            place = place_for(marks, rate, hazard, is_profile=True)
            levels = levels_of(place, weeks, crew, seed=ETA_SEED)
            watch, alert = (
                exp(log(WEEK / budget) - level) for budget, level in ((WATCH, levels.watch), (ALERT, levels.alert))
            )
            result.append(Eta(hazard, rate, watch, alert, of_profile[hazard]["eta"]))
    return result


def _blocks(
    place: Place, weeks: int, crew: Crew, seed: int, unrest: Unrest, watch_level: float
) -> tuple[Floats, Floats]:
    """Return the highest scores of each block, of R by itself and where the gate is open."""
    part = max(2, int(_POSTS_A_JOB / (place.rate * unrest.factor) / WEEK))
    jobs = [(seed + number, size) for number, size in enumerate(shares_of(weeks, part))]
    watches, alerts = zip(*crew.results(partial(_part, place, unrest, watch_level), jobs), strict=True)
    return joined(watches), joined(alerts)


def _part(place: Place, unrest: Unrest, watch_level: float, job: tuple[int, int]) -> tuple[Floats, Floats]:
    seed, weeks = job
    rng, ends = np.random.default_rng(seed), (weeks + 1) * WEEK
    stream = background(place.marks, rng, place.rate, 0.0, ends, unrest=unrest)
    known = layered(stream, place.marks, place.tuning, place.rate, rng)
    watches = peaks(stream.times, logs(known.watch), begins=WEEK, ends=ends)
    return watches, peaks(stream.times, alert_scores(known, watch_level), begins=WEEK, ends=ends)
