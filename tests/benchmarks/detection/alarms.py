"""Alarms: how often a score raises a false one, and the level at which it does so as often as the budget allows.

An alarm is a run of six-hour blocks, one after the other, whose highest score lies above the level: one incident.

Units   budgets in false alarms a week of one place
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from chatter import WEEK
from marks import Floats

BLOCK = 360.0
WATCH, ALERT = 1.0 / 30.0, 1.0 / 1000.0
"""Of a thousand equal places: 33 false watches and one false alert a week."""


def peaks(times: Floats, scores: Floats, *, begins: float, ends: float) -> Floats:
    """Return the highest score of each block, 0 where nothing was said."""
    edges = np.searchsorted(times, begins + BLOCK * np.arange(int((ends - begins) // BLOCK) + 1))
    result = np.zeros(len(edges) - 1)
    is_told = np.diff(edges) > 0
    if is_told.any():
        result[is_told] = np.maximum.reduceat(scores[: edges[-1]], edges[:-1][is_told])
    return result


def joined(parts: Iterable[Floats]) -> Floats:
    """Return the blocks of several streams as one row, a silent block between them, so that no run leaps over."""
    return np.concatenate([np.append(part, 0.0) for part in parts])


def count(blocks: Floats, level: float) -> int:
    """Return the number of alarms above a level."""
    above = np.concatenate(([False], blocks > level))
    return int(np.count_nonzero(above[1:] & ~above[:-1]))


def level_for(blocks: Floats, allowed: float) -> float:
    """Return the lowest score above which there are no more alarms than allowed."""
    levels = np.unique(blocks)[::-1]
    strict, loose = 0, len(levels) - 1
    while loose - strict > 1:
        middle = (strict + loose) // 2
        if count(blocks, levels[middle]) <= allowed:
            strict = middle
        else:
            loose = middle
    return float(levels[strict])


def waits(blocks: Floats, level: float) -> Floats:
    """Return the weeks from one alarm to the next."""
    above = np.concatenate(([False], blocks > level))
    return np.diff(np.flatnonzero(above[1:] & ~above[:-1])) * BLOCK / WEEK


def shares_of(total: int, part: int) -> list[int]:
    """Return a total in parts of equal size, the last one smaller."""
    return [min(part, total - done) for done in range(0, total, part)]


def standard_error(above: Floats, below: Floats) -> float:
    """Return the error of a ratio of two paired means, by drawing the trials again."""
    rng: Any = np.random.default_rng(1)
    rows = rng.integers(0, len(above), (200, len(above)))
    return float(np.std(above[rows].mean(axis=1) / below[rows].mean(axis=1)))
