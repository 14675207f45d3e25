"""Batch: the whole detector, compiled, over arrays of signals in order of time: for backtests and benchmarks only.

Shape   `scores` for one node; `watched` for a tree of nodes, given by the parent of each (-1 for a root): who opens
        when, who is told, what moves to a finer place. Levels are given and not learned; what supports a crowd of
        witnesses, a picture or a second platform, is not known; no incident takes in what happens next door
Units   minutes since a Monday at 00:00 local time, rates in posts a minute, R in minutes
Errors  SettingsError at import where numba is not installed; ValueError on arrays that do not fit together
Source  docs/detection.md 2; the running program uses `statistic.py` and its neighbours, and never this
"""

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from detectors import baseline, incidents, ledger, statistic
from detectors.corroboration import Gate
from detectors.evidence import CLIPS, STRONG_FIRST_HAND_RATIO, STRONG_RATIO
from records import SettingsError

try:
    from numba import njit
except ModuleNotFoundError as error:
    raise SettingsError(
        "detectors.batch needs numba, which is not installed: pip install -e '.[bench]' in the checkout"
    ) from error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

HOUR = 60.0
WEEK_HOURS = 168
REMEMBERED_VOICES = 64
"""Voices of a node that are looked back on when an incident opens, at most."""
COUNTER_MINUTES = 60.0
"""How long strong posts are remembered in deciding whether an incident is really at a finer place."""
NEVER = -1e18

OPENED, MOVED, FOUND, ALERTED = 0, 1, 2, 3
"""What a crossing means: a new incident; a known one, now placed finer; the same, seen from further off; the alert."""


def compiled(function: Function) -> Function:
    """Compile one function, and keep the result beside the source.

    What is kept is renewed when this file changes and only then: so constants of other files are passed in, by Tuning.
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
def grown(total: float, rate: float, odds: float, ceiling: float) -> float:
    """Return one running sum after one counted post."""
    return min(max(total, 0.0) + log(1.0 + rate * odds), ceiling)


class Control(NamedTuple):
    """How the control series is read: `baseline.py` explains it."""

    fast_minutes: float
    fast_start: float
    slow_minutes: float
    slow_start: float
    beyond_doubt: float


class Corroboration(NamedTuple):
    """What makes a watch credible and an alert possible: `corroboration.py` explains it."""

    strong_ratio: float
    strong_first_hand_ratio: float
    hearsay: int
    witnesses_alone: int
    spread_minutes: float
    authors_alone: int
    most_voices: int  # of an open incident that are looked back on


@compiled
def busier(fast: float, slow: float, weak_rate: float, shape: float, control: Control) -> float:
    """Return how much busier than usual the control series is: at least 1."""
    usual_slow = weak_rate * control.slow_minutes
    by_now = (control.fast_start + fast) / (control.fast_start + weak_rate * shape * control.fast_minutes)
    by_day = (control.slow_start + slow) / (control.slow_start + usual_slow)
    beyond_doubt = (slow - control.beyond_doubt * sqrt(slow)) / usual_slow
    return max(1.0, by_now, by_day, beyond_doubt)


class Tuning(NamedTuple):
    """What the detector assumes of every node."""

    rates: Floats  # posts a minute that an incident may bring
    evidence_share: float
    weak_share: float
    clips: Floats  # by the author's tier
    shape: Floats  # a factor for each hour of the week, mean 1
    ceiling: float
    sum_ceiling: float
    remembered: float  # minutes that a voice is looked back on when an incident opens
    control: Control
    gate: Corroboration
    moving_share: float
    moving_posts: float
    """An incident moves to a finer place that has this share of the placed strong posts, and so many of them."""


class Signals(NamedTuple):
    """Signals in order of time."""

    times: Floats
    ratios: Floats
    tiers: Ints  # below 0 where nobody signs
    first_hand: Flags
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
    voice_tier: Ints
    voice_strong: Flags
    voice_first_hand: Flags
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
    onsets: Floats  # of what is open
    strong: Ints  # posts that say a lot since then
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

    watch: Floats  # R, where the voices since the onset are worth a watch
    alert: Floats  # R, where they are also grounds for an alert
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
    memory: float = 360.0,
) -> Tuning:
    """Return a tuning, its shape spread over the week; all else is the running detector's."""
    if len(shape) == 0 or WEEK_HOURS % len(shape):
        raise ValueError(f"shape has {len(shape)} hours: a day's 24 or a week's {WEEK_HOURS} are needed")
    week = np.tile(np.asarray(shape, dtype=np.float64), WEEK_HOURS // len(shape))
    return Tuning(
        rates=np.asarray(rates, dtype=np.float64),
        evidence_share=evidence_share,
        weak_share=weak_share,
        clips=np.array(clips, dtype=float),
        shape=week,
        ceiling=ceiling,
        sum_ceiling=statistic.CUSUM_CEILING,
        remembered=ledger.REMEMBERED * memory,
        control=Control(
            baseline.FAST_MINUTES,
            baseline.FAST_START,
            baseline.SLOW_MINUTES,
            baseline.SLOW_START,
            baseline.BEYOND_DOUBT,
        ),
        gate=_corroboration(Gate()),
        moving_share=incidents.MOVING_SHARE,
        moving_posts=incidents.MOVING_POSTS,
    )


def _corroboration(gate: Gate) -> Corroboration:
    return Corroboration(
        strong_ratio=STRONG_RATIO,
        strong_first_hand_ratio=STRONG_FIRST_HAND_RATIO,
        hearsay=gate.hearsay,
        witnesses_alone=gate.witnesses_alone,
        spread_minutes=gate.spread_minutes,
        authors_alone=gate.authors_alone,
        most_voices=incidents.MOST_VOICES,
    )


def signals_from(
    times: Floats,
    ratios: Floats,
    *,
    tiers: Ints | None = None,
    first_hand: Flags | None = None,
    counts: Flags | None = None,
    outside: Floats | None = None,
    steps: int = 1,
) -> Signals:
    """Return signals, with what was not given at its plainest: established authors, hearsay, every voice counts."""
    number = len(times)
    signals = Signals(
        np.asarray(times, dtype=np.float64),
        np.asarray(ratios, dtype=np.float64),
        np.ones(number, np.int64) if tiers is None else tiers,
        np.zeros(number, np.bool_) if first_hand is None else first_hand,
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
        columns.append(at)
        at = np.where(at >= 0, parents[np.maximum(at, 0)], -1)
    if not columns:
        return np.zeros((len(times), 1), np.bool_)
    steps = len(columns)
    counts = voices_that_count(
        *(np.repeat(times, steps), np.repeat(ratios, steps)),
        authors=np.repeat(authors, steps),
        contents=np.repeat(contents, steps),
        nodes=np.column_stack(columns).ravel(),
        memory=memory,
    )
    return counts.reshape(-1, steps)


def scores(signals: Signals, tuning: Tuning, *, rate: float, asked_from: float = 0.0) -> Scores:
    """Return what one node of this usual rate makes of its signals.

    Where R lies below `asked_from`, nobody asks what it would be without its strongest voice: it says 0.
    """
    never = np.full(1, np.inf)
    alone = Tree(np.full(1, -1), np.full(1, rate), never, never, 0.0)
    return Scores(*_scored(_world(signals, tuning, alone, most=0), float(asked_from)))


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
        voice_at=np.full((nodes, REMEMBERED_VOICES), NEVER),
        voice_odds=np.zeros((nodes, REMEMBERED_VOICES)),
        voice_tier=np.full((nodes, REMEMBERED_VOICES), -1, np.int64),
        voice_strong=np.zeros((nodes, REMEMBERED_VOICES), np.bool_),
        voice_first_hand=np.zeros((nodes, REMEMBERED_VOICES), np.bool_),
        voices=np.zeros(nodes, np.int64),
    )


def _empty_book(nodes: int, *, most: int) -> Book:
    return Book(
        open_until=np.full(nodes, NEVER),
        is_alerted=np.zeros(nodes, np.bool_),
        onsets=np.full(nodes, NEVER),
        strong=np.zeros(nodes, np.int64),
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
def _hear_weak(state: State, control: Control, node: int, at: float) -> None:
    silence = at - state.weak_at[node]
    state.weak_fast[node] = state.weak_fast[node] * exp(-silence / control.fast_minutes) + 1.0
    state.weak_slow[node] = state.weak_slow[node] * exp(-silence / control.slow_minutes) + 1.0
    state.weak_at[node] = at


@compiled
def _odds_of(  # noqa: PLR0917  numba knows no keyword-only arguments, and bundling them costs half the speed
    signals: Signals, i: int, tuning: Tuning, state: State, node: int, rate: float
) -> float:
    """Return a signal's clipped ratio over the posts a minute to expect now."""
    at = signals.times[i]
    shape = tuning.shape[int(at / HOUR) % WEEK_HOURS]
    silence = at - state.weak_at[node]
    fast = state.weak_fast[node] * exp(-silence / tuning.control.fast_minutes)
    slow = state.weak_slow[node] * exp(-silence / tuning.control.slow_minutes)
    busy = max(busier(fast, slow, rate * tuning.weak_share, shape, tuning.control), signals.outside[i])
    return float(min(signals.ratios[i], tuning.clips[max(signals.tiers[i], 0)]) / (rate * shape * busy))


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
        state.sums[node, j] = grown(left, rate, odds, tuning.sum_ceiling)
        state.values[node, j] = value
        total += value
    return total / len(tuning.rates)


@compiled
def _is_strong(signals: Signals, i: int, gate: Corroboration) -> bool:
    return bool(
        signals.ratios[i] >= gate.strong_ratio
        or (signals.first_hand[i] and signals.ratios[i] >= gate.strong_first_hand_ratio)
    )


@compiled
def _note_voice(  # noqa: PLR0917  as above
    signals: Signals, i: int, tuning: Tuning, state: State, node: int, odds: float
) -> None:
    turn = state.voices[node] % REMEMBERED_VOICES
    state.voice_at[node, turn] = signals.times[i]
    state.voice_odds[node, turn] = odds
    state.voice_tier[node, turn] = signals.tiers[i]
    state.voice_strong[node, turn] = _is_strong(signals, i, tuning.gate)
    state.voice_first_hand[node, turn] = signals.first_hand[i]
    state.voices[node] += 1


@compiled
def _onset(state: State, node: int) -> float:
    """Return when what is seen now began, by the rate that explains it best."""
    return float(state.onsets[node, np.argmax(state.values[node])])


@compiled
def _voices_since(state: State, node: int, onset: float, most: int) -> int:
    """Return how many of the latest voices, no more than `most`, spoke since an onset."""
    known = min(most, state.voices[node], REMEMBERED_VOICES)
    count = 0
    while count < known and state.voice_at[node, _turn(state, node, count)] >= onset:
        count += 1
    return count


@compiled
def _turn(state: State, node: int, back: int) -> int:
    """Return where a voice stands, 0 being the latest."""
    return int((state.voices[node] - 1 - back) % REMEMBERED_VOICES)


@compiled
def _strong_among(state: State, node: int, voices: int) -> int:
    strong = 0
    for back in range(voices):
        strong += state.voice_strong[node, _turn(state, node, back)]
    return strong


@compiled
def _is_credible(state: State, gate: Corroboration, node: int, voices: int) -> bool:
    """Tell whether the latest voices are worth a watch."""
    strong = 0
    for back in range(voices):
        k = _turn(state, node, back)
        if state.voice_strong[node, k]:
            if state.voice_first_hand[node, k] or state.voice_tier[node, k] >= 1:
                return True
            strong += 1
    return strong >= gate.hearsay


@compiled
def _has_grounds(state: State, gate: Corroboration, node: int, voices: int, strong: int) -> bool:
    """Tell whether the latest voices corroborate each other; `strong` counts all that an incident has had."""
    named, established, trusted, witnesses = 0, 0, 0, 0
    first, last = np.inf, NEVER
    for back in range(voices):
        k = _turn(state, node, back)
        tier = state.voice_tier[node, k]
        if tier < 0 or not state.voice_strong[node, k]:
            continue
        named += 1
        established += tier >= 1
        trusted += tier > 1
        if tier == 0 and state.voice_first_hand[node, k]:
            witnesses += 1
            first, last = min(first, state.voice_at[node, k]), max(last, state.voice_at[node, k])
    is_crowd = witnesses >= gate.witnesses_alone and last - first >= gate.spread_minutes
    return established > 1 or (trusted > 0 and named > 1) or is_crowd or strong >= gate.authors_alone


@compiled
def _without_strongest(state: State, tuning: Tuning, node: int, voices: int) -> float:
    """Return the least that R would be, had the strongest of the latest voices not been written."""
    strongest = 0
    for back in range(voices):
        if state.voice_odds[node, _turn(state, node, back)] >= state.voice_odds[node, _turn(state, node, strongest)]:
            strongest = back
    odds, from_r, from_voices = state.voice_odds[node, _turn(state, node, strongest)], 0.0, 0.0
    for j in range(len(tuning.rates)):
        from_r += state.values[node, j] / (1.0 + tuning.rates[j] * odds)
        from_voices += _risen(state, tuning, node, voices, strongest, j)
    return max(from_r, from_voices) / len(tuning.rates)


@compiled
def _risen(  # noqa: PLR0917  as above
    state: State, tuning: Tuning, node: int, voices: int, left_out: int, j: int
) -> float:
    """Return one R after the latest voices alone, without its ceiling and without one of them."""
    rate = tuning.rates[j]
    fading = tuning.evidence_share * rate
    value, at = 1.0 / fading, NEVER
    for back in range(voices - 1, -1, -1):
        if back == left_out:
            continue
        k = _turn(state, node, back)
        moment = state.voice_at[node, k]
        silence = moment - at if at > NEVER else 0.0
        value = decayed(value, silence, fading) * (1.0 + rate * state.voice_odds[node, k])
        at = moment
    until = state.voice_at[node, _turn(state, node, 0)]
    return decayed(value, until - at, fading) if at > NEVER else value


@compiled
def _scored(world: World, asked_from: float) -> tuple[Floats, Floats, Floats]:
    signals, tuning, state = world.signals, world.tuning, world.state
    many, gate = len(signals.times), tuning.gate
    watch, alert, without = np.zeros(many), np.zeros(many), np.zeros(many)
    for i in range(many):
        if not signals.counts[i, 0]:
            continue
        if signals.ratios[i] < 1.0:
            _hear_weak(state, tuning.control, 0, signals.times[i])
            continue
        odds = _odds_of(signals, i, tuning, state, 0, world.tree.rates[0])
        statistic = _count(state, tuning, 0, signals.times[i], odds)
        _note_voice(signals, i, tuning, state, 0, odds)
        voices = _voices_since(state, 0, _onset(state, 0), REMEMBERED_VOICES)
        if not _is_credible(state, gate, 0, voices):
            continue
        watch[i] = statistic
        latest = min(voices, gate.most_voices)
        if _has_grounds(state, gate, 0, latest, _strong_among(state, 0, voices)):
            alert[i] = statistic
            if statistic >= asked_from:
                without[i] = _without_strongest(state, tuning, 0, latest)
    return watch, alert, without


@compiled
def _watch(world: World, nodes: Ints) -> None:
    signals, tuning, state, tree, book = world.signals, world.tuning, world.state, world.tree, world.book
    for i in range(len(signals.times)):
        if signals.ratios[i] < 1.0:
            _hear_above(signals, i, tuning.control, state, tree, nodes[i])
            continue
        if signals.counts[i, 0] and signals.ratios[i] >= tuning.gate.strong_ratio:
            _place_strong(book, tree, nodes[i], signals.times[i])
        _climb(signals, i, tuning, tree, state, book, nodes[i])


@compiled
def _hear_above(  # noqa: PLR0917  as above
    signals: Signals, i: int, control: Control, state: State, tree: Tree, place: int
) -> None:
    """Let a weak post into the control series of its node and of all above."""
    node, step = place, 0
    while node >= 0:
        if signals.counts[i, step]:
            _hear_weak(state, control, node, signals.times[i])
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
            _note_voice(signals, i, tuning, state, node, odds)
            if book.open_until[node] > at:
                book.strong[node] += _is_strong(signals, i, tuning.gate)
            if statistic >= tree.watch[node]:
                _cross(World(signals, tuning, tree, state, book), node, at, statistic)
        if book.open_until[node] > at:
            return
        node, step = tree.parents[node], step + 1


@compiled
def _cross(world: World, node: int, at: float, statistic: float) -> None:
    """Open an incident or keep it open; tell of it, and lift it to an alert."""
    tree, book, state, gate = world.tree, world.book, world.state, world.tuning.gate
    is_open = book.open_until[node] > at
    onset = book.onsets[node] if is_open else max(_onset(state, node), at - world.tuning.remembered)
    voices = _voices_since(state, node, onset, gate.most_voices if is_open else REMEMBERED_VOICES)
    if not _is_credible(state, gate, node, voices):
        return
    strong = book.strong[node]
    if not is_open:
        strong = 0
        _open(world, node, at, onset, voices)
    book.open_until[node] = at + tree.hold
    if (
        not book.is_alerted[node]
        and statistic >= tree.alert[node]
        and _has_grounds(state, gate, node, voices, strong)
        and _without_strongest(state, world.tuning, node, voices) >= tree.watch[node]
    ):
        book.is_alerted[node] = True
        _tell(book, at, node, ALERTED)


@compiled
def _open(world: World, node: int, at: float, onset: float, voices: int) -> None:
    book = world.book
    _tell(book, at, node, _relation(world, node, at))
    book.is_alerted[node] = False
    book.onsets[node] = onset
    book.strong[node] = _strong_among(world.state, node, voices)
    book.listed[book.listed_count[0]] = node
    book.listed_count[0] += 1
    _reset_above(world, node)


@compiled
def _tell(book: Book, at: float, node: int, kind: int) -> None:
    told = book.told_count[0]
    book.told_at[told], book.told_node[told], book.told_kind[told] = at, node, kind
    book.told_count[0] += 1


@compiled
def _relation(world: World, node: int, at: float) -> int:
    """Return what opening a node means beside those open on its branch; close a wider one where it moves here."""
    book, tree, kind = world.book, world.tree, OPENED
    for k in range(book.listed_count[0]):
        other = book.listed[k]
        if book.open_until[other] <= at:
            continue
        if _is_below(tree, node, other):
            kind = MOVED
            here = _faded(book.below[node], at - book.heard_at[node])
            placed = _faded(book.below[other] - book.own[other], at - book.heard_at[other])
            if here >= world.tuning.moving_share * placed and here >= world.tuning.moving_posts:
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
