"""Attacks: streams that mean no incident, or a hidden one, and how often the whole detector falls for them."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from budgets import Levels, Place, alert_scores
from chatter import DAY, INCIDENTS, Stream, activity, background, clock, outbreak
from crew import Crew
from marks import Flags, Floats, Ints, alarming, drawn, first_hand_drawn
from watchers import LOW, logs, tiers_drawn

from detectors.batch import Scores, scores, signals_from, voices_that_count

SEED = 70_000_000
LASTS = 420.0
"""Minutes in which a false watch or alert counts as fallen for."""

MEMORY = 360.0
OTHER_PLACES, BELIEVED_OUTSIDE = 100, 10.0
CHATTER, CHATTER_LASTS = 9.0, 360.0
_WARM = 3 * DAY
_JOB = 25


class Crowd(NamedTuple):
    """Posts of an attack, with who wrote them and what they copy."""

    times: Floats
    marks: Ints
    authors: Ints
    contents: Ints
    tiers: Ints
    first_hand: Flags


class Outcome(NamedTuple):
    """What became of all trials of one attack."""

    name: str
    watch: float  # share of the trials in which there was one
    alert: float
    minutes: float  # mean delay of the alerts


Attack = Callable[[Place, np.random.Generator, float], Crowd]


def cascade(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return one alarming post and two hundred copies of it, by as many people; like all liars, it was there."""
    times = np.concatenate(([begins], begins + rng.exponential(30.0, 200)))
    mark = drawn(alarming(place.marks), rng, 1)
    marks = np.repeat(mark, 201)
    return _crowd(rng, times, marks, _liars(marks), contents=np.zeros(201, np.int64))


def one_author(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return twenty alarming posts of one account, each in other words."""
    marks = drawn(alarming(place.marks), rng, 20)
    return _crowd(rng, begins + rng.uniform(0.0, 60.0, 20), marks, _liars(marks), authors=np.zeros(20, np.int64))


def bots(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return ten new accounts that post four texts in a hundred and twenty near-copies."""
    contents = rng.integers(0, 4, 120)
    marks = drawn(alarming(place.marks), rng, 4)[contents]
    authors, nobody = rng.integers(0, 10, 120), np.zeros(120, np.int64)
    times = begins + rng.uniform(0.0, 30.0, 120)
    return _crowd(rng, times, marks, _liars(marks), authors=authors, contents=contents, tiers=nobody)


def puppets(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return ten new accounts, each with an alarming post in words of its own, of what others are said to have seen."""
    marks = drawn(alarming(place.marks), rng, 10)
    return _crowd(rng, begins + rng.uniform(0.0, 30.0, 10), marks, ~_liars(marks), tiers=np.zeros(10, np.int64))


def witnesses(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return ten who say that they were there."""
    crowd = puppets(place, rng, begins)
    return crowd._replace(first_hand=_liars(crowd.marks))


def viral(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return a hundred and fifty people who write of something else within three hours."""
    return _crowd(rng, begins + rng.uniform(0.0, 180.0, 150), *_usual(place, rng, 150))


def tempting(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return as many whose posts sound more like an incident than is usual."""
    marks = drawn(place.marks.tempting, rng, 150)
    first_hand = first_hand_drawn(place.marks.first_hand.tempting, rng, marks)
    return _crowd(rng, begins + rng.uniform(0.0, 180.0, 150), marks, first_hand)


def chatter(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return six hours in which the whole country writes ten times as much."""
    moments = begins + np.sort(rng.uniform(0.0, CHATTER_LASTS, _more_posts(place, rng, begins)))
    return _crowd(rng, moments, *_usual(place, rng, len(moments)))


def incident(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return a true incident of one post in two minutes."""
    stream = outbreak(place.marks, rng, INCIDENTS[2]._replace(rate=0.5, horizon=180.0), begins)
    first_hand = first_hand_drawn(place.marks.first_hand.incident, rng, stream.marks)
    return _crowd(rng, stream.times, stream.marks, first_hand)


def copied_incident(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return the same, half of the posts being copies of earlier ones."""
    crowd = incident(place, rng, begins)
    contents = crowd.contents.copy()
    for row in range(1, len(contents)):
        if rng.random() < 0.5:
            contents[row] = contents[rng.integers(0, row)]
    return crowd._replace(contents=contents, marks=crowd.marks[contents], first_hand=crowd.first_hand[contents])


def hidden_incident(place: Place, rng: np.random.Generator, begins: float) -> Crowd:
    """Return a true incident an hour after the whole country began to write ten times as much."""
    loud, true = chatter(place, rng, begins - 60.0), incident(place, rng, begins)
    aside = len(loud.times)
    moved = true._replace(authors=true.authors + aside, contents=true.contents + aside)
    return Crowd(*(np.concatenate(pair) for pair in zip(loud, moved, strict=True)))


FALSE: dict[str, Attack] = {
    "cascade: one post, 200 copies": cascade,
    "one account, 20 alarming posts": one_author,
    "bots: 10 new accounts, 4 texts, 120 near-copies": bots,
    "sock puppets: 10 new accounts, own words": puppets,
    "sock puppets who say they were there": witnesses,
    "viral, off topic: 150 authors in 3 h": viral,
    "viral, sounding like an incident": tempting,
    "national chatter, x10 for 6 h": chatter,
}
TRUE: dict[str, Attack] = {
    "true incident, 0.5/min": incident,
    "true incident, half of it copies": copied_incident,
    "true incident inside national chatter": hidden_incident,
}
_LOUD = {"national chatter, x10 for 6 h": 0.0, "true incident inside national chatter": -60.0}


def outcomes(place: Place, levels: Levels, trials: int, crew: Crew) -> list[Outcome]:
    """Return what becomes of every attack."""
    starts = [range(first, min(first + _JOB, trials)) for first in range(0, trials, _JOB)]
    result = []
    for name in (*FALSE, *TRUE):
        rows = np.concatenate(list(crew.results(partial(_trials, place, levels, name), starts)))
        delays = rows[:, 1][np.isfinite(rows[:, 1])]
        mean = float(delays.mean()) if len(delays) else float("nan")
        result.append(Outcome(name, float(rows[:, 0].mean()), len(delays) / trials, mean))
    return result


def _trials(place: Place, levels: Levels, name: str, trials: range) -> Floats:
    """Return whether there was a watch, and after how many minutes an alert, a row a trial."""
    result = np.zeros((len(trials), 2))
    for row, trial in enumerate(trials):
        rng = np.random.default_rng(SEED + trial)
        begins = _WARM + rng.uniform(0.0, DAY)
        usual = background(place.marks, rng, place.rate, 0.0, begins + LASTS)
        crowd = (FALSE | TRUE)[name](place, rng, begins)
        loud = begins + _LOUD[name] if name in _LOUD else None
        times, known = _met(place, usual, crowd, rng, loud)
        inside = times >= begins
        watches = logs(known.watch)[inside] > levels.watch
        alerts = np.flatnonzero(alert_scores(known, levels.watch)[inside] > levels.alert)
        result[row] = watches.any(), times[inside][alerts[0]] - begins if len(alerts) else np.inf
    return result


def _met(
    place: Place, usual: Stream, crowd: Crowd, rng: np.random.Generator, loud_from: float | None
) -> tuple[Floats, Scores]:
    """Return all moments, and what the detector made of them."""
    others = np.full(len(usual.times), -1)
    first_hand = first_hand_drawn(place.marks.first_hand.usual, rng, usual.marks)
    everyday = Crowd(usual.times, usual.marks, others, others, tiers_drawn(rng, len(others)), first_hand)
    order = np.argsort(np.concatenate((everyday.times, crowd.times)), kind="stable")
    met = Crowd(*(np.concatenate(pair)[order] for pair in zip(everyday, crowd, strict=True)))
    ratios, here = place.marks.said[met.marks], np.zeros(len(order), np.int64)
    counts = voices_that_count(met.times, ratios, authors=met.authors, contents=met.contents, nodes=here, memory=MEMORY)
    outside = _outside(place, met.times, rng, loud_from)
    signals = signals_from(
        met.times, ratios, tiers=met.tiers, first_hand=met.first_hand, counts=counts, outside=outside
    )
    return met.times, scores(signals, place.tuning, rate=place.rate, asked_from=LOW)


def _outside(place: Place, times: Floats, rng: np.random.Generator, loud_from: float | None) -> Floats:
    """Return how much busier than usual the last hour was elsewhere in the country, by weak posts."""
    rate = OTHER_PLACES * place.rate * place.marks.weak_share
    usual = rate * (clock(times) - clock(times - 60.0))
    mean = usual
    if loud_from is not None:
        ends = np.clip(times, loud_from, loud_from + CHATTER_LASTS)
        starts = np.clip(times - 60.0, loud_from, loud_from + CHATTER_LASTS)
        mean = usual + CHATTER * rate * (clock(ends) - clock(starts))
    return np.maximum(1.0, (BELIEVED_OUTSIDE + rng.poisson(mean)) / (BELIEVED_OUTSIDE + usual))


def _more_posts(place: Place, rng: np.random.Generator, begins: float) -> int:
    minutes = begins + np.arange(CHATTER_LASTS)
    return int(rng.poisson(CHATTER * place.rate * activity(minutes).sum()))


def _crowd(
    rng: np.random.Generator,
    times: Floats,
    marks: Ints,
    first_hand: Flags,
    *,
    authors: Ints | None = None,
    contents: Ints | None = None,
    tiers: Ints | None = None,
) -> Crowd:
    number = len(times)
    return Crowd(
        times,
        marks,
        np.arange(number) if authors is None else authors,
        np.arange(number) if contents is None else contents,
        tiers_drawn(rng, number) if tiers is None else tiers,
        first_hand,
    )


def _liars(marks: Ints) -> Flags:
    return np.ones(len(marks), np.bool_)


def _usual(place: Place, rng: np.random.Generator, number: int) -> tuple[Ints, Flags]:
    marks = drawn(place.marks.usual, rng, number)
    return marks, first_hand_drawn(place.marks.first_hand.usual, rng, marks)
