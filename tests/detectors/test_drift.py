"""Drift: a shift is told of, chance hardly ever; what an incident brings is neither."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

import pytest

from detectors.drift import (
    BINS,
    BY_CHANCE,
    LEAST_POSTS,
    drift_of,
    edges_of,
    index_by_chance,
    limits_of,
    stability_index,
)
from records.trust import BaselineDrift, Heard, ScoreDrift, Spell, is_drifting

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def heard(at: datetime, ratio: float, probability: float = 0.2) -> Heard:
    return Heard("fire", "76", at, ratio, probability)


def weeks(rng: Random, a_day: Callable[[int], float], shift: Callable[[int], float] = lambda _: 0.0) -> Iterator[Heard]:
    """Yield five weeks of posts; day 0 is the last one."""
    for day in range(35):
        for number in range(poisson(rng, a_day(day))):
            at = NOW - day * DAY - (number + 1) * timedelta(seconds=10)
            yield heard(at, exp(rng.gauss(-1.0 + shift(day), 1.0)), min(1.0, max(0.0, rng.gauss(0.3, 0.1))))


def poisson(rng: Random, expected: float) -> int:
    at, found = rng.expovariate(1.0), 0
    while at < expected:
        at, found = at + rng.expovariate(1.0), found + 1
    return found


def told(found: Iterator[Heard], *spells: Spell) -> list[ScoreDrift | BaselineDrift]:
    drift = drift_of(found, NOW, spells)
    changes: list[ScoreDrift | BaselineDrift] = [*drift.scores, *drift.baselines]
    return [one for one in changes if is_drifting(one)]


def rng_of(seed: int) -> Random:
    return Random(seed)  # noqa: S311  a simulation


def is_late(day: int) -> bool:
    return day < 7


def test_what_stays_as_it_was_is_not_told() -> None:
    assert [told(weeks(rng_of(seed), lambda _: 30.0)) for seed in range(20)] == [[]] * 20


def test_likelihood_ratios_that_shift_are_told_and_probabilities_that_do_not_are_not() -> None:
    [found] = [
        one
        for one in told(weeks(rng_of(1), lambda _: 60.0, lambda day: 0.8 * is_late(day)))
        if isinstance(one, ScoreDrift)
    ]
    assert (found.hazard, found.score) == ("fire", "likelihood_ratio")


@pytest.mark.parametrize(("times", "is_told"), [(1.2, False), (2.5, True), (0.3, True)])
def test_an_area_that_says_far_more_or_less_than_usual_is_told(times: float, is_told: bool) -> None:
    found = told(weeks(rng_of(1), lambda day: 20.0 * (times if is_late(day) else 1.0)))
    assert [(one.hazard, one.area) for one in found if isinstance(one, BaselineDrift)] == [("fire", "76")] * is_told


def test_a_day_with_an_incident_counts_for_nothing() -> None:
    loud = list(weeks(rng_of(1), lambda day: 400.0 if day == 3 else 20.0, lambda day: 2.0 * (day == 3)))
    spell = Spell(hazard="fire", area="76", since=NOW - 3.5 * DAY, until=NOW - 3.4 * DAY)
    elsewhere = Spell(hazard="fire", area="27", since=NOW - 3.5 * DAY, until=NOW - 3.4 * DAY)
    assert told(iter(loud), elsewhere) != []
    assert told(iter(loud), spell) == []
    [baseline] = drift_of(loud, NOW, [spell]).baselines
    assert baseline.days == 6


def test_an_incident_that_is_still_on_leaves_no_day_to_look_at() -> None:
    spell = Spell(hazard="fire", area="76", since=NOW - 8 * DAY, until=NOW + DAY)
    [baseline] = drift_of(weeks(rng_of(1), lambda _: 20.0), NOW, [spell]).baselines
    assert (baseline.days, baseline.posts, baseline.usual) == (0, 0, None)


def test_too_few_posts_or_days_tell_nothing() -> None:
    few = drift_of(weeks(rng_of(1), lambda _: 0.9 * LEAST_POSTS / 7), NOW)
    assert [one.index for one in few.scores] == [None, None]
    young = drift_of((one for one in weeks(rng_of(1), lambda _: 30.0) if one.at > NOW - 10 * DAY), NOW)
    [baseline] = young.baselines
    assert baseline.usual is None
    assert young.recorded_since is not None
    assert drift_of([], NOW).recorded_since is None


def test_what_lies_ahead_or_further_back_is_left_out() -> None:
    signals = [heard(NOW + timedelta(seconds=1), 0.5), heard(NOW - 35 * DAY - timedelta(seconds=1), 0.5)]
    assert drift_of(signals, NOW).baselines == ()


@pytest.mark.parametrize(("lately", "before"), [(LEAST_POSTS, 4 * LEAST_POSTS), (1000, 4000)])
def test_the_index_by_chance_is_exceeded_once_in_a_thousand(lately: int, before: int) -> None:
    rng, found, runs = rng_of(1), 0, 4000
    limit = index_by_chance(lately, before, BINS)
    for _ in range(runs if lately == LEAST_POSTS else runs // 10):
        old, new = ([rng.random() for _ in range(number)] for number in (before, lately))
        found += stability_index(new, old, edges_of(old)) >= limit
    assert found <= 4 + 3 * 4**0.5


@pytest.mark.parametrize("a_day", [0.5, 5.0, 50.0])
@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_limits_are_hardly_ever_left_by_chance(a_day: float, spread: float) -> None:
    rng, out, runs = rng_of(2), 0, 600
    for _ in range(runs):
        counts = [poisson(rng, a_day * max(0.0, rng.gauss(1.0, spread))) for _ in range(35)]
        _, low, high = limits_of(counts[7:], 7, BY_CHANCE)
        out += not low <= sum(counts[:7]) <= high
    assert out <= 0.01 * runs


def test_values_that_are_alike_make_fewer_bins() -> None:
    assert edges_of([1.0] * 50 + [2.0] * 50) == [1.0, 2.0]
    assert stability_index([1.0] * 500, [1.0] * 500, [1.0]) == 0.0
