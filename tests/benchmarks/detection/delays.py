"""Delays: how long after the first post each watcher notices an incident, all at the same measured false alarms."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from alarms import joined, level_for, peaks, shares_of, standard_error
from chatter import DAY, INCIDENTS, WEEK, Incident, background, merged, outbreak
from crew import Crew
from marks import Floats, Marks
from watchers import all_watchers, fitting

WARM = 3 * DAY
QUIET_SEED, INCIDENT_SEED = 20_000_000, 30_000_000
_BATCHES = 8
_POSTS_A_JOB = 1_500_000


class Setting(NamedTuple):
    """One background, and how much of it is simulated."""

    marks: Marks
    rate: float
    weeks: int
    trials: int
    with_rivals: bool = True


class Found(NamedTuple):
    """How one watcher met one kind of incident, a number a trial."""

    minutes: Floats
    posts: Floats  # that count, from the onset to the alarm
    missed: float


class Cell(NamedTuple):
    """One background, budget and kind of incident."""

    setting: Setting
    budget: float
    incident: Incident
    found: dict[str, Found]

    @property
    def ratio(self) -> float:
        """Our delay over the marked oracle's."""
        return self.mean("Vigie") / self.mean("marked oracle")

    @property
    def error(self) -> float:
        """The standard error of the ratio."""
        return standard_error(self.found["Vigie"].minutes, self.found["marked oracle"].minutes)

    @property
    def is_faint(self) -> bool:
        """Whether the incident is at most a twentieth of the background."""
        return self.incident.tuned_rate <= 0.05 * self.setting.rate

    def mean(self, name: str) -> float:
        """Return a watcher's mean delay in minutes; who misses waits to the end."""
        return float(self.found[name].minutes.mean())


def quiet_blocks(setting: Setting, crew: Crew) -> dict[str, Floats]:
    """Return each watcher's highest scores where nothing happens."""
    part = max(2, int(_POSTS_A_JOB / setting.rate / WEEK))
    jobs = list(enumerate(shares_of(setting.weeks, part)))
    parts = list(crew.results(partial(_quiet_part, setting), jobs))
    return {name: joined(part[name] for part in parts) for name in parts[0]}


def _quiet_part(setting: Setting, job: tuple[int, int]) -> dict[str, Floats]:
    number, weeks = job
    ends = (weeks + 1) * WEEK  # the first week is for settling in
    stream = background(setting.marks, np.random.default_rng(QUIET_SEED + number), setting.rate, 0.0, ends)
    return {
        name: peaks(stream.times, watch(stream), begins=WEEK, ends=ends)
        for name, watch in all_watchers(setting.marks, setting.rate, with_rivals=setting.with_rivals)
    }


def cells(setting: Setting, budgets: Sequence[float], crew: Crew) -> tuple[list[Cell], dict[str, Floats]]:
    """Return all cells of one background, and the blocks that their levels come from."""
    blocks = quiet_blocks(setting, crew)
    levels = [{name: level_for(row, setting.weeks * budget) for name, row in blocks.items()} for budget in budgets]
    result = []
    for incident in INCIDENTS:
        work = partial(_trials, setting, incident, levels)
        parts = list(crew.results(work, [range(n, setting.trials, _BATCHES) for n in range(_BATCHES)]))
        for row, budget in enumerate(budgets):
            found = {name: _put_together([part[row][name] for part in parts], incident) for name in parts[0][row]}
            result.append(Cell(setting, budget, incident, found))
    return result, blocks


def _put_together(parts: Sequence[Floats], incident: Incident) -> Found:
    rows = np.concatenate(parts)
    return Found(rows[:, 0], rows[:, 1], float(np.mean(rows[:, 0] >= incident.horizon)))


def _trials(
    setting: Setting, incident: Incident, levels: Sequence[dict[str, float]], trials: range
) -> list[dict[str, Floats]]:
    """Return delays and posts of some trials, for each budget and watcher."""
    marks = setting.marks
    watchers = {
        shown: (name, watch)
        for name, watch in all_watchers(marks, setting.rate, with_rivals=setting.with_rivals)
        if (shown := fitting(name, incident))
    }
    result = [{shown: np.zeros((len(trials), 2)) for shown in watchers} for _ in levels]
    for row, trial in enumerate(trials):
        rng = np.random.default_rng(INCIDENT_SEED + trial)
        onset = WARM + rng.uniform(0.0, DAY)
        usual = background(marks, rng, setting.rate, 0.0, onset + incident.horizon)
        stream = merged(usual, outbreak(marks, rng, incident, onset))
        start = int(np.searchsorted(stream.times, onset))
        told = np.cumsum(marks.is_evidence[stream.marks[start:]])
        for shown, (name, watch) in watchers.items():
            after = watch(stream)[start:]
            for place, level in enumerate(levels):
                hits = np.flatnonzero(after > level[name])
                waited = stream.times[start + hits[0]] - onset if len(hits) else incident.horizon
                result[place][shown][row] = (waited, told[hits[0]] if len(hits) else np.nan)
    return result


def geometric_mean(ratios: Sequence[float]) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(ratios))))
