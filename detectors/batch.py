"""Batch: the whole detector, compiled, over arrays of signals in order of time: for backtests and benchmarks only.

Shape   `scores` for one node; `watched` for a tree of nodes, given by the parent of each (-1 for a root): who opens
        when, who is told, what moves to a finer place. Levels are given and not learned, and only established and
        trusted voices are grounds for an alert: the running detector also knows crowds of unknown witnesses
Units   minutes since a Monday at 00:00 local time, rates in posts a minute, R in minutes
Errors  SettingsError at import where numba is not installed; ValueError on arrays that do not fit together
Source  docs/detection.md 2; the running program uses `statistic.py` and its neighbours, and never this
"""

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import BEYOND_DOUBT, FAST_MINUTES, FAST_START, SLOW_MINUTES, SLOW_START
from detectors.evidence import CLIPS, STRONG_RATIO
from detectors.statistic import CUSUM_CEILING
from records import SettingsError

try:
    from numba import njit
except ModuleNotFoundError as error:
    raise SettingsError("detectors.batch needs numba, which is not installed: pip install 'vigie[bench]'") from error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

HOUR = 60.0
WEEK_HOURS = 168
MOST_VOICES = 12
"""Voices that corroboration looks back on, at most."""
COUNTER_MINUTES = 60.0
"""How long strong posts are remembered in deciding whether an incident is really at a finer place."""
FINER_SHARE = 0.75
FINER_LEAST = 2.5
"""An incident moves to a finer place that has this share of the placed strong posts, and so many of them."""
NEVER = -1e18

OPENED, MOVED, FOUND, ALERTED = 0, 1, 2, 3
"""What a crossing means: a new incident; a known one, now placed finer; the same, seen from further off; the alert."""


def compiled(function: Function) -> Function:
    """Compile one function, and keep the result beside the source.

    What is kept is renewed when this file changes: after a change of a constant elsewhere, touch this one.
    """
    return cast(Function, njit(cache=True)(function))


@compiled
def decayed(value: float, minutes: float, fading: float) -> float:
    """Return one R after a silence; `fading` is the assumed rate times the evidence share."""
    kept = exp(-fading * minutes)
    return value * kept + (1.0 - kept) / fading


@compiled
def raised(value: float, rate: float, odds: float, ceiling: float) -> float:
    """Return one R after one counted post."""
    return min(value * (1.0 + rate * odds), ceiling)


@compiled
def sunk(total: float, minutes: float, fading: float) -> float:
    """Return one running sum after a silence: at zero or below, what came before is forgotten."""
    return total - fading * minutes


@compiled
def grown(total: float, rate: float, odds: float) -> float:
    """Return one running sum after one counted post."""
    return min(max(total, 0.0) + log(1.0 + rate * odds), CUSUM_CEILING)


@compiled
def busier(fast: float, slow: float, weak_rate: float, shape: float) -> float:
    """Return how much busier than usual the control series is: at least 1."""
    usual_slow = weak_rate * SLOW_MINUTES
    by_now = (FAST_START + fast) / (FAST_START + weak_rate * shape * FAST_MINUTES)
    by_day = (SLOW_START + slow) / (SLOW_START + usual_slow)
    beyond_doubt = (slow - BEYOND_DOUBT * sqrt(slow)) / usual_slow
    return max(1.0, by_now, by_day, beyond_doubt)


class Tuning(NamedTuple):
    """What the detector assumes of every node."""

    rates: Floats  # posts a minute that an incident may bring
    evidence_share: float
    weak_share: float
    clips: Floats  # by the author's tier
    shape: Floats  # a factor for each hour of the week, mean 1
    ceiling: float


class Signals(NamedTuple):
    """Signals in order of time."""

    times: Floats
    ratios: Floats
    tiers: Ints
    counts: Flags  # signal by step: does the voice count at its node, at the parent, at its parent…
    outside: Floats  # how much busier than usual the same hazard is elsewhere; 1 where nobody looked


class State(NamedTuple):
    """All that the nodes know, a row a node."""

    values: Floats
    sums: Floats
    onsets: Floats
    counted_at: Floats
    weak_at: Floats
    weak_fast: Floats
    weak_slow: Floats
    voice_at: Floats  # the latest voices that counted, in turn
    voice_odds: Floats
    voice_tier: Ints  # -1: not strong enough to speak for corroboration
    voices: Ints


class Tree(NamedTuple):
    """The nodes and their levels."""

    parents: Ints
    rates: Floats  # usual posts a minute, at the node or below
    watch: Floats
    alert: Floats
    hold: float  # minutes that an incident stays open after the last crossing


class Book(NamedTuple):
    """The incidents of a tree, and what was told of them."""

    open_until: Floats
    is_alerted: Flags
    listed: Ints  # nodes that are open, or were a moment ago
    listed_count: Ints
    below: Floats  # strong posts at the node or below
    own: Floats  # at the node itself
    heard_at: Floats
    told_at: Floats
    told_node: Ints
    told_kind: Ints
    told_count: Ints


class World(NamedTuple):
    """All that one run needs: what comes in, what is assumed, what is known, what was told."""

    signals: Signals
    tuning: Tuning
    tree: Tree
    state: State
    book: Book


class Scores(NamedTuple):
    """What one node knew after each signal; 0 where the signal did not count."""

    watch: Floats  # R, where somebody said something strong since the onset
    alert: Floats  # R, where there are grounds for corroboration
    without: Floats  # R without its strongest voice


class Crossings(NamedTuple):
    """What a tree tells: when, of which node, and what it means."""

    at: Floats
    nodes: Ints
    kinds: Ints


def tuning_for(
    rates: Floats,
    *,
    evidence_share: float,
    weak_share: float,
    shape: Floats,
    ceiling: float,
    clips: tuple[float, float, float] = CLIPS,
) -> Tuning:
    """Return a tuning, its shape spread over the week."""
    if len(shape) == 0 or WEEK_HOURS % len(shape):
        raise ValueError(f"shape has {len(shape)} hours: a day's 24 or a week's {WEEK_HOURS} are needed")
    week = np.tile(np.asarray(shape, dtype=np.float64), WEEK_HOURS // len(shape))
    return Tuning(
        np.asarray(rates, dtype=np.float64), evidence_share, weak_share, np.array(clips, dtype=float), week, ceiling
    )


def signals_from(
    times: Floats,
    ratios: Floats,
    *,
    tiers: Ints | None = None,
    counts: Flags | None = None,
    outside: Floats | None = None,
    steps: int = 1,
) -> Signals:
    """Return signals, with what was not given at its plainest: established authors, every voice counts."""
    number = len(times)
    signals = Signals(
        np.asarray(times, dtype=np.float64),
        np.asarray(ratios, dtype=np.float64),
        np.ones(number, np.int64) if tiers is None else tiers,
        np.ones((number, steps), np.bool_) if counts is None else counts.reshape(number, -1),
        np.ones(number) if outside is None else outside,
    )
    for name, array in signals._asdict().items():
        if len(array) != number:
            raise ValueError(f"{name} has {len(array)} rows for {number} signals")
    if number and np.any(np.diff(signals.times) < 0):
        raise ValueError("times run backwards: sort the signals by time")
    return signals


def voices_that_count(
    times: Floats, ratios: Floats, *, authors: Ints, contents: Ints, nodes: Ints, memory: float
) -> Flags:
    """Tell which signals are the first of their author and of their content at their node within the memory.

    Shape   authors, contents: numbers, below 0 where nobody signs or nothing is shared; nodes: below 0 for none
    """
    seen = (_numbered(nodes, authors), _numbered(nodes, contents))
    return _first_voices(times, ratios >= 1.0, seen[0], seen[1], memory) & (nodes >= 0)


def counts_in(
    times: Floats, ratios: Floats, *, authors: Ints, contents: Ints, nodes: Ints, parents: Ints, memory: float
) -> Flags:
    """Tell the same at a tree's nodes: a column for the signal's own node, one for the parent, and so on."""
    columns, at = [], np.asarray(nodes, dtype=np.int64)
    while (at >= 0).any():
        counts = voices_that_count(times, ratios, authors=authors, contents=contents, nodes=at, memory=memory)
        columns.append(counts)
        at = np.where(at >= 0, parents[np.maximum(at, 0)], -1)
    return np.column_stack(columns) if columns else np.zeros((len(times), 1), np.bool_)


def scores(signals: Signals, tuning: Tuning, *, rate: float) -> Scores:
    """Return what one node of this usual rate makes of its signals."""
    never = np.full(1, np.inf)
    alone = Tree(np.full(1, -1), np.full(1, rate), never, never, 0.0)
    return Scores(*_scored(_world(signals, tuning, alone, most=0)))


def watched(signals: Signals, nodes: Ints, tuning: Tuning, tree: Tree) -> Crossings:
    """Return what a tree tells: a signal speaks for its node and all above, an incident is told once."""
    evidence = int(np.count_nonzero(signals.ratios >= 1.0))
    world = _world(signals, tuning, tree, most=2 * evidence)  # a signal opens one node and alerts one, at most
    _watch(world, np.asarray(nodes, dtype=np.int64))
    book, told = world.book, int(world.book.told_count[0])
    return Crossings(book.told_at[:told], book.told_node[:told], book.told_kind[:told])


def _world(signals: Signals, tuning: Tuning, tree: Tree, *, most: int) -> World:
    nodes = len(tree.parents)
    return World(signals, tuning, tree, _blank(nodes, tuning), _empty_book(nodes, most=most))


def _numbered(nodes: Ints, identities: Ints) -> Ints:
    """Return small numbers for pairs of node and identity, -1 where there is no identity."""
    many = int(identities.max(initial=0)) + 1
    numbers = np.unique(nodes * many + identities, return_inverse=True)[1].astype(np.int64)
    return np.where(identities >= 0, numbers, -1)


def _blank(nodes: int, tuning: Tuning) -> State:
    idle = 1.0 / (tuning.evidence_share * tuning.rates)
    return State(
        values=np.tile(idle, (nodes, 1)),
        sums=np.zeros((nodes, len(idle))),
        onsets=np.zeros((nodes, len(idle))),
        counted_at=np.zeros(nodes),
        weak_at=np.zeros(nodes),
        weak_fast=np.zeros(nodes),
        weak_slow=np.zeros(nodes),
        voice_at=np.full((nodes, MOST_VOICES), NEVER),
        voice_odds=np.zeros((nodes, MOST_VOICES)),
        voice_tier=np.full((nodes, MOST_VOICES), -1, np.int64),
        voices=np.zeros(nodes, np.int64),
    )


def _empty_book(nodes: int, *, most: int) -> Book:
    return Book(
        open_until=np.full(nodes, NEVER),
        is_alerted=np.zeros(nodes, np.bool_),
        listed=np.zeros(nodes, np.int64),
        listed_count=np.zeros(1, np.int64),
        below=np.zeros(nodes),
        own=np.zeros(nodes),
        heard_at=np.zeros(nodes),
        told_at=np.zeros(most),
        told_node=np.zeros(most, np.int64),
        told_kind=np.zeros(most, np.int64),
        told_count=np.zeros(1, np.int64),
    )


@compiled
def _first_voices(times: Floats, is_evidence: Flags, authors: Ints, contents: Ints, memory: float) -> Flags:
    nobody = np.full(1, NEVER)
    strong_at = np.full(authors.max() + 1, NEVER) if len(authors) and authors.max() >= 0 else nobody
    weak_at = strong_at.copy()
    shared_at = np.full(contents.max() + 1, NEVER) if len(contents) and contents.max() >= 0 else nobody
    counts = np.ones(len(times), np.bool_)
    for i in range(len(times)):
        since, author, content = times[i] - memory, authors[i], contents[i]
        if author >= 0 and strong_at[author] >= since:
            counts[i] = False
        elif is_evidence[i]:
            counts[i] = content < 0 or shared_at[content] < since
            if counts[i] and content >= 0:
                shared_at[content] = times[i]
            if counts[i] and author >= 0:
                strong_at[author] = times[i]
        elif author >= 0:
            counts[i] = weak_at[author] < since
            if counts[i]:
                weak_at[author] = times[i]
    return counts


@compiled
def _hear_weak(state: State, node: int, at: float) -> None:
    silence = at - state.weak_at[node]
    state.weak_fast[node] = state.weak_fast[node] * exp(-silence / FAST_MINUTES) + 1.0
    state.weak_slow[node] = state.weak_slow[node] * exp(-silence / SLOW_MINUTES) + 1.0
    state.weak_at[node] = at


@compiled
def _odds_of(  # noqa: PLR0917  numba knows no keyword-only arguments, and bundling them costs half the speed
    signals: Signals, i: int, tuning: Tuning, state: State, node: int, rate: float
) -> float:
    """Return a signal's clipped ratio over the posts a minute to expect now."""
    at = signals.times[i]
    shape = tuning.shape[int(at / HOUR) % WEEK_HOURS]
    silence = at - state.weak_at[node]
    fast = state.weak_fast[node] * exp(-silence / FAST_MINUTES)
    slow = state.weak_slow[node] * exp(-silence / SLOW_MINUTES)
    busy = max(busier(fast, slow, rate * tuning.weak_share, shape), signals.outside[i])
    return float(min(signals.ratios[i], tuning.clips[signals.tiers[i]]) / (rate * shape * busy))


@compiled
def _count(state: State, tuning: Tuning, node: int, at: float, odds: float) -> float:
    """Take one post that counts into a node's statistic; return R."""
    minutes, total = at - state.counted_at[node], 0.0
    state.counted_at[node] = at
    for j in range(len(tuning.rates)):
        rate = tuning.rates[j]
        fading = tuning.evidence_share * rate
        value = raised(decayed(state.values[node, j], minutes, fading), rate, odds, tuning.ceiling)
        left = sunk(state.sums[node, j], minutes, fading)
        if left <= 0.0:
            state.onsets[node, j] = at
        state.sums[node, j] = grown(left, rate, odds)
        state.values[node, j] = value
        total += value
    return total / len(tuning.rates)


@compiled
def _note_voice(signals: Signals, i: int, state: State, node: int, odds: float) -> None:
    turn = state.voices[node] % MOST_VOICES
    state.voice_at[node, turn] = signals.times[i]
    state.voice_odds[node, turn] = odds
    state.voice_tier[node, turn] = signals.tiers[i] if signals.ratios[i] >= STRONG_RATIO else -1
    state.voices[node] += 1


@compiled
def _support(state: State, node: int) -> tuple[int, int, int, float]:
    """Return how many voices since the onset are strong, established and trusted, and the strongest's odds."""
    onset = state.onsets[node, np.argmax(state.values[node])]
    strong, established, trusted, strongest = 0, 0, 0, 0.0
    for k in range(MOST_VOICES):
        if state.voice_at[node, k] < onset:
            continue
        tier = state.voice_tier[node, k]
        strong += tier >= 0
        established += tier >= 1
        trusted += tier > 1
        strongest = max(strongest, state.voice_odds[node, k])
    return strong, established, trusted, strongest


@compiled
def _has_grounds(strong: int, established: int, trusted: int) -> bool:
    return established > 1 or (trusted > 0 and strong > 1)


@compiled
def _without(state: State, rates: Floats, node: int, odds: float) -> float:
    """Return about what R would be, had one post of these odds not been written."""
    total = 0.0
    for j in range(len(rates)):
        total += state.values[node, j] / (1.0 + rates[j] * odds)
    return total / len(rates)


@compiled
def _scored(world: World) -> tuple[Floats, Floats, Floats]:
    signals, tuning, state = world.signals, world.tuning, world.state
    many = len(signals.times)
    watch, alert, without = np.zeros(many), np.zeros(many), np.zeros(many)
    for i in range(many):
        if not signals.counts[i, 0]:
            continue
        if signals.ratios[i] < 1.0:
            _hear_weak(state, 0, signals.times[i])
            continue
        odds = _odds_of(signals, i, tuning, state, 0, world.tree.rates[0])
        statistic = _count(state, tuning, 0, signals.times[i], odds)
        _note_voice(signals, i, state, 0, odds)
        strong, established, trusted, strongest = _support(state, 0)
        if strong > 0:
            watch[i] = statistic
        if _has_grounds(strong, established, trusted):
            alert[i] = statistic
            without[i] = _without(state, tuning.rates, 0, strongest)
    return watch, alert, without


@compiled
def _watch(world: World, nodes: Ints) -> None:
    signals, tuning, state, tree, book = world.signals, world.tuning, world.state, world.tree, world.book
    for i in range(len(signals.times)):
        if signals.ratios[i] < 1.0:
            _hear_above(signals, i, state, tree, nodes[i])
            continue
        if signals.counts[i, 0] and signals.ratios[i] >= STRONG_RATIO:
            _place_strong(book, tree, nodes[i], signals.times[i])
        _climb(signals, i, tuning, tree, state, book, nodes[i])


@compiled
def _hear_above(signals: Signals, i: int, state: State, tree: Tree, place: int) -> None:
    """Let a weak post into the control series of its node and of all above."""
    node, step = place, 0
    while node >= 0:
        if signals.counts[i, step]:
            _hear_weak(state, node, signals.times[i])
        node, step = tree.parents[node], step + 1


@compiled
def _climb(  # noqa: PLR0917  as above
    signals: Signals, i: int, tuning: Tuning, tree: Tree, state: State, book: Book, place: int
) -> None:
    """Let one post count at its node and above, up to the first open incident: that one explains it."""
    at = signals.times[i]
    _strike_off(book, at)
    node, step = place, 0
    if _is_open_below(book, tree, node):
        return
    while node >= 0:
        if signals.counts[i, step]:
            odds = _odds_of(signals, i, tuning, state, node, tree.rates[node])
            statistic = _count(state, tuning, node, at, odds)
            _note_voice(signals, i, state, node, odds)
            if statistic > tree.watch[node]:
                _cross(World(signals, tuning, tree, state, book), node, at, statistic)
        if book.open_until[node] > at:
            return
        node, step = tree.parents[node], step + 1


@compiled
def _cross(world: World, node: int, at: float, statistic: float) -> None:
    """Open an incident or keep it open; tell of it, and lift it to an alert."""
    tree, book = world.tree, world.book
    strong, established, trusted, strongest = _support(world.state, node)
    if strong == 0:
        return
    if book.open_until[node] <= at:
        _tell(book, at, node, _relation(book, tree, node, at))
        book.is_alerted[node] = False
        book.listed[book.listed_count[0]] = node
        book.listed_count[0] += 1
        _reset_above(world, node)
    book.open_until[node] = at + tree.hold
    is_alert = statistic > tree.alert[node] and _has_grounds(strong, established, trusted)
    if (
        is_alert
        and not book.is_alerted[node]
        and _without(world.state, world.tuning.rates, node, strongest) >= tree.watch[node]
    ):
        book.is_alerted[node] = True
        _tell(book, at, node, ALERTED)


@compiled
def _tell(book: Book, at: float, node: int, kind: int) -> None:
    told = book.told_count[0]
    book.told_at[told], book.told_node[told], book.told_kind[told] = at, node, kind
    book.told_count[0] += 1


@compiled
def _relation(book: Book, tree: Tree, node: int, at: float) -> int:
    """Return what opening a node means beside those open on its branch; close a wider one where it moves here."""
    kind = OPENED
    for k in range(book.listed_count[0]):
        other = book.listed[k]
        if book.open_until[other] <= at:
            continue
        if _is_below(tree, node, other):
            kind = MOVED
            here = _faded(book.below[node], at - book.heard_at[node])
            placed = _faded(book.below[other] - book.own[other], at - book.heard_at[other])
            if here >= FINER_SHARE * placed and here >= FINER_LEAST:
                book.open_until[other] = at
        elif kind == OPENED and _is_below(tree, other, node):
            kind = FOUND
    return kind


@compiled
def _place_strong(book: Book, tree: Tree, place: int, at: float) -> None:
    node = place
    while node >= 0:
        silence = at - book.heard_at[node]
        book.below[node] = _faded(book.below[node], silence) + 1.0
        book.own[node] = _faded(book.own[node], silence) + (1.0 if node == place else 0.0)
        book.heard_at[node] = at
        node = tree.parents[node]


@compiled
def _faded(count: float, minutes: float) -> float:
    return count * exp(-minutes / COUNTER_MINUTES)


@compiled
def _is_below(tree: Tree, node: int, other: int) -> bool:
    node = tree.parents[node]
    while node >= 0:
        if node == other:
            return True
        node = tree.parents[node]
    return False


@compiled
def _is_open_below(book: Book, tree: Tree, node: int) -> bool:
    found = False
    for k in range(book.listed_count[0]):
        found = found or _is_below(tree, book.listed[k], node)
    return found


@compiled
def _strike_off(book: Book, at: float) -> None:
    """Take nodes whose hold is over off the list of the open ones."""
    kept = 0
    for k in range(book.listed_count[0]):
        if book.open_until[book.listed[k]] > at:
            book.listed[kept] = book.listed[k]
            kept += 1
    book.listed_count[0] = kept


@compiled
def _reset_above(world: World, node: int) -> None:
    """Start the statistic of all wider nodes afresh: the incident below explains what they saw."""
    tuning, state = world.tuning, world.state
    node = world.tree.parents[node]
    while node >= 0:
        for j in range(len(tuning.rates)):
            state.values[node, j] = 1.0 / (tuning.evidence_share * tuning.rates[j])
            state.sums[node, j] = 0.0
        node = world.tree.parents[node]
