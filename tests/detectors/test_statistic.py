"""The statistic against its own definition, and against its promise."""

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.statistic import (
    Rates,
    best,
    decayed,
    mixture,
    onsets_after,
    raised,
    seconds_until_below,
    spaced_rates,
    without,
)

RATES = Rates(per_minute=spaced_rates(0.01, 10.0, 8), evidence_share=0.8)
HIGH = 1e300

posts = st.lists(st.tuples(st.floats(0.0, 500.0), st.floats(0.0, 1e5)), min_size=1, max_size=30)


def after(story: list[tuple[float, float]], rates: Rates = RATES) -> list[float]:
    values = rates.idle
    for silence, odds in story:
        values = raised(decayed(values, silence, rates), odds, rates, ceiling=HIGH)
    return values


def by_definition(story: list[tuple[float, float]], rate: float, share: float) -> float:
    """R as the integral over all possible starts of the likelihood ratio of an incident since that start."""
    fading = share * rate
    times, now = [], 0.0
    for silence, _ in story:
        now += silence
        times.append(now)
    factors = [1.0 + rate * odds for _, odds in story]
    total = exp(-fading * now) / fading  # all starts before the story, from the idle value
    for factor in factors:
        total *= factor
    before = 0.0
    for index, time in enumerate(times):
        since = 1.0
        for factor in factors[index:]:
            since *= factor
        total += since * (exp(-fading * (now - time)) - exp(-fading * (now - before))) / fading
        before = time
    return total


@given(posts)
def test_is_what_its_definition_says(story: list[tuple[float, float]]) -> None:
    values = after(story)
    for value, rate in zip(values, RATES.per_minute, strict=True):
        assert value == pytest.approx(min(by_definition(story, rate, 0.8), HIGH), rel=1e-9)


@given(posts, st.data())
def test_discounting_a_post_never_raises_it(story: list[tuple[float, float]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(story) - 1))
    less = list(story)
    less[index] = (less[index][0], less[index][1] * data.draw(st.floats(0.0, 1.0)))
    assert all(low <= high * (1 + 1e-12) for low, high in zip(after(less), after(story), strict=True))


@given(posts, st.floats(0.0, 10_000.0), st.floats(0.0, 10_000.0))
def test_silence_can_be_taken_in_parts(story: list[tuple[float, float]], one: float, other: float) -> None:
    values = after(story)
    in_parts = decayed(decayed(values, one, RATES), other, RATES)
    assert in_parts == pytest.approx(decayed(values, one + other, RATES), rel=1e-9)


@given(posts, st.floats(0.0, 1e6))
def test_never_falls_below_idle(story: list[tuple[float, float]], silence: float) -> None:
    values = decayed(after(story), silence, RATES)
    assert all(value >= idle * (1 - 1e-12) for value, idle in zip(values, RATES.idle, strict=True))


@given(posts, st.floats(1e2, 1e9))
def test_the_time_until_it_is_low_is_right_to_the_second(story: list[tuple[float, float]], level: float) -> None:
    values = after(story)
    seconds = seconds_until_below(values, level, RATES, at_most=86_400)
    if seconds < 86_400:
        assert mixture(decayed(values, seconds / 60.0, RATES)) < level
    if seconds > 0:
        assert mixture(decayed(values, (seconds - 1) / 60.0, RATES)) >= level


def test_nothing_rises_above_the_ceiling() -> None:
    assert max(raised(RATES.idle, 1e12, RATES, ceiling=1e6)) == 1e6


def test_one_post_taken_away_leaves_what_the_others_made() -> None:
    with_it = after([(0.0, 3.0), (0.0, 5000.0), (0.0, 7.0)])
    assert without(with_it, 5000.0, RATES) == pytest.approx(mixture(after([(0.0, 3.0), (0.0, 7.0)])))


def test_the_onset_is_the_first_post_of_the_last_rise() -> None:
    sums, onsets = [0.0] * 8, [0] * 8
    minute = 60_000_000
    for at, silence, odds in [(0, 0.0, 50.0), (5000, 5000.0, 900.0), (5003, 3.0, 900.0), (5005, 2.0, 900.0)]:
        sums, onsets = onsets_after(sums, onsets, silence, odds, at=at * minute, rates=RATES)
    assert onsets[best(after([(0.0, 50.0), (5000.0, 900.0), (3.0, 900.0), (2.0, 900.0)]))] == 5000 * minute


def test_false_crossings_are_rarer_than_promised() -> None:
    """Background of 0.05 posts a minute; the mean time to cross A is at least A minutes."""
    chance, usual, level, clip = random.Random(1), 0.05, 2000.0, 50.0  # noqa: S311 (a simulation)
    rates = Rates(per_minute=spaced_rates(0.01, 10.0, 8), evidence_share=1.0)
    times = []
    for _ in range(60):
        values, at = rates.idle, 0.0
        while mixture(values) < level and at < 20 * level:
            silence = chance.expovariate(usual)
            at += silence
            score = chance.betavariate(1.5, 4.5)  # an incident's would be of Beta(5, 2)
            ratio = 2.5771 * score**3.5 * (1.0 - score) ** -2.5
            values = raised(decayed(values, silence, rates), min(ratio, clip) / usual, rates, ceiling=HIGH)
        times.append(at)
    assert sum(times) / len(times) > level
