"""Branches: twelve quarters, three communes and their département, looked at together by one budget.

Posts name a quarter, a commune or the département only, as two to two to one. What counts is how often people are told
of one incident, and whether a second one elsewhere is told of at all.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from alarms import shares_of
from chatter import DAY, WEEK, Incident, Stream, background, outbreak
from crew import Crew
from marks import Floats, Ints, Marks
from watchers import CALM_CLIPS, SUDDEN, tuning_of

from detectors.batch import MOVED, OPENED, Crossings, Tree, signals_from, watched

QUARTERS, COMMUNES = 12, 3
ROOT = QUARTERS + COMMUNES
PARENTS = np.array([QUARTERS + quarter // 4 for quarter in range(QUARTERS)] + [ROOT] * COMMUNES + [-1])
OWN = np.array([0.01] * QUARTERS + [0.03] * COMMUNES + [0.09])
"""Usual posts a minute that name a node, and nothing finer."""

HOLD = 360.0
QUIET_SEED, INCIDENT_SEED = 80_000_000, 90_000_000
WEEKS_A_FALSE_ONE = 100
_WARM, _AFTER = 2 * DAY, 360.0
_PART = 50
_JOB = 25
_LEVELS_TRIED = 9


class Scene(NamedTuple):
    """One kind of incident, and perhaps a second one."""

    name: str
    rate: float
    is_diffuse: bool = False
    second: int = -1  # quarter
    later: float = 0.0


SCENES = (
    Scene("one quarter, 0.1/min", 0.1),
    Scene("one quarter, 0.5/min", 0.5),
    Scene("one quarter, 2/min", 2.0),
    Scene("the whole département, 0.5/min", 0.5, is_diffuse=True),
    Scene("a second one after 1 h, other commune, 0.5/min", 0.5, second=7, later=60.0),
    Scene("a second one after 1 h, same commune, 0.5/min", 0.5, second=1, later=60.0),
)


class Outcome(NamedTuple):
    """What became of a scene, means over its trials."""

    scene: Scene
    notices: float
    updates: float
    missed: float
    minutes: float  # to the first notice, of those that were noticed
    second: float  # share of the second incidents that had a notice of their own
    second_moved: float  # of those that had none, but a move of the first one to where they are


def rates_below() -> Floats:
    """Return usual posts a minute at each node or below."""
    rates = OWN.copy()
    for node, parent in enumerate(PARENTS[:-1]):
        rates[parent] += rates[node]  # children stand before their parents
    return rates


def level_for_tree(marks: Marks, weeks: int, crew: Crew) -> float:
    """Return the logarithm of R at which the whole tree tells of one false incident in a hundred weeks."""
    low, high = 6.0, 20.0
    jobs = list(enumerate(shares_of(weeks, _PART)))
    for _ in range(_LEVELS_TRIED):
        middle = (low + high) / 2.0
        false = sum(crew.results(partial(_false_ones, marks, middle), jobs))
        low, high = (middle, high) if false > weeks / WEEKS_A_FALSE_ONE else (low, middle)
    return high


def outcomes(marks: Marks, level: float, trials: int, crew: Crew) -> list[Outcome]:
    """Return what becomes of every scene."""
    starts = [range(first, min(first + _JOB, trials)) for first in range(0, trials, _JOB)]
    result = []
    for scene in SCENES:
        rows = np.concatenate(list(crew.results(partial(_trials, marks, level, scene), starts)))
        noticed = np.isfinite(rows[:, 2])
        minutes = float(rows[noticed, 2].mean()) if noticed.any() else float("nan")
        notices, updates, _, second, moved = rows.mean(axis=0).tolist()
        missed = float(1.0 - noticed.mean())
        result.append(Outcome(scene, notices, updates, missed, minutes, second, moved))
    return result


def _told(marks: Marks, stream: Stream, nodes: Ints, level: float) -> Crossings:
    tree = Tree(PARENTS, rates_below(), np.full(len(OWN), np.exp(level)), np.full(len(OWN), np.inf), HOLD)
    tuning = tuning_of(marks, SUDDEN, clips=CALM_CLIPS)
    return watched(signals_from(stream.times, marks.said[stream.marks], steps=3), nodes, tuning, tree)


def _false_ones(marks: Marks, level: float, job: tuple[int, int]) -> int:
    number, weeks = job
    rng = np.random.default_rng(QUIET_SEED + number)
    stream = background(marks, rng, float(OWN.sum()), 0.0, weeks * WEEK)
    told = _told(marks, stream, _usual_nodes(rng, stream), level)
    return int(np.count_nonzero(told.kinds == OPENED))


def _trials(marks: Marks, level: float, scene: Scene, trials: range) -> Floats:
    """Return notices, location updates, minutes to the first notice, and how the second was told of: a row a trial."""
    result = np.zeros((len(trials), 5))
    for row, trial in enumerate(trials):
        rng = np.random.default_rng(INCIDENT_SEED + trial)
        onset = _WARM + rng.uniform(0.0, DAY)
        parts = [background(marks, rng, float(OWN.sum()), 0.0, onset + _AFTER)]
        nodes = [_usual_nodes(rng, parts[0])]
        for quarter, begins in ((0, onset), (scene.second, onset + scene.later)):
            if quarter >= 0:
                horizon = onset + _AFTER - begins
                parts.append(outbreak(marks, rng, Incident(scene.name, scene.rate, 0.0, horizon), begins))
                nodes.append(_named(rng, len(parts[-1].times), -1 if scene.is_diffuse else quarter))
        times = np.concatenate([part.times for part in parts])
        order = np.argsort(times, kind="stable")
        stream = Stream(times[order], np.concatenate([part.marks for part in parts])[order])
        told = _told(marks, stream, np.concatenate(nodes)[order], level)
        result[row] = _summed(told, scene, onset)
    return result


def _summed(told: Crossings, scene: Scene, onset: float) -> tuple[float, ...]:
    after = told.at >= onset
    at, nodes, kinds = told.at[after] - onset, told.nodes[after], told.kinds[after]
    is_notice, is_move = kinds == OPENED, kinds == MOVED
    first = float(at[is_notice][0]) if is_notice.any() else np.inf
    is_second = np.array([_is_apart(int(node), scene.second) for node in nodes], bool) & (at > scene.later)
    noticed = bool((is_second & is_notice).any())
    moved = not noticed and bool((is_second & is_move).any())
    return float(is_notice.sum()), float(is_move.sum()), first, float(noticed), float(moved)


def _is_apart(node: int, second: int) -> bool:
    """Tell whether a node holds the second incident, if there is one, and not the first, which is in quarter 0."""
    if second < 0:
        return False
    return node == second or (node == int(PARENTS[second]) and node != int(PARENTS[0]))


def _usual_nodes(rng: np.random.Generator, stream: Stream) -> Ints:
    return rng.choice(len(OWN), len(stream.times), p=OWN / OWN.sum()).astype(np.int64)


def _named(rng: np.random.Generator, number: int, quarter: int) -> Ints:
    """Return what each post of an incident names: a quarter, its commune, the département; -1: any quarter."""
    quarters = np.full(number, quarter) if quarter >= 0 else rng.integers(0, QUARTERS, number)
    chance = rng.random(number)
    return np.where(chance < 0.4, quarters, np.where(chance < 0.8, PARENTS[quarters], ROOT)).astype(np.int64)
