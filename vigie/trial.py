"""`vigie trial`: a backtest for the console, in a process of its own: asked on standard input, answered in JSON lines.

Shape   one `TrialOrder` in; lines of `TrialProgress` out, then one of `TrialDone` or `TrialFailed`
Errors  none: what cannot be tried is told in the last line
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from detectors.backtest import Told, Value
from detectors.comparing import FACTORS
from detectors.pooling import pooled
from detectors.profile import Profile, profile_from
from models.places import Gazetteer
from records import Place, ProfileChange, SettingsError, SystemClock, Tick
from records.backtest import Backtest
from records.trial import CaseKind, Course, Trial, TrialCase, TrialDone, TrialFailed, TrialProgress
from records.truth import Truth
from vigie.backtest import Bench, Past
from vigie.scenarios.reading import values_of
from vigie.scenarios.scenario import scenario_from
from vigie.trial_courses import courses_of
from vigie.trial_order import TrialOrder

STEP = 0.005
"""Less progress is not worth a line."""
RECORDED = "recorded"
"""The name of the case that is the recording."""

Says = Callable[[TrialProgress], None]


@dataclass(frozen=True)
class Case:
    """One stretch of time, before it is decided again."""

    name: str
    kind: CaseKind
    label: dict[str, str]
    past: Past
    truth: Truth
    home: Place | None


def run_trial(order: bytes, say: Callable[[TrialProgress | TrialDone | TrialFailed], None]) -> bool:
    """Try what was asked, and tell how far it is and what came of it; return whether anything did."""
    try:
        say(TrialDone(trial=trial(msgspec.json.decode(order, type=TrialOrder), say)))
    except (SettingsError, msgspec.MsgspecError) as error:
        say(TrialFailed(why=str(error)))
        return False
    return True


def trial(order: TrialOrder, say: Says) -> Trial:
    """Return what became of a candidate beside the profile in force.

    Errors  SettingsError when a profile, the stretch or a scenario cannot be used
    """
    asked = order.asked
    profiles = [profile_from(asked.in_force, file="in force"), profile_from(asked.candidate, file="candidate")]
    total = len(asked.scenarios) + (asked.since is not None)
    if not total:
        raise SettingsError("there is nothing to try it on: choose a stretch of the recording, or scenarios")
    gazetteer = Gazetteer()
    progress = _Progress(say, total, len(profiles) * (len(FACTORS) if asked.has_frontiers else 1))
    cases: list[TrialCase] = []
    courses: list[Course] = []
    for case in _cases(order, gazetteer, progress):
        watched = [replace(profile, home=case.home) for profile in profiles]
        found, told = _tried(case, watched, gazetteer, progress, has_frontiers=asked.has_frontiers)
        cases.append(TrialCase(name=case.name, kind=case.kind, label=case.label, backtest=found))
        courses.extend(courses_of(case.name, case.past.values, found, told))
    whole = pooled([(one.name, one.backtest) for one in cases])
    return Trial(cases=tuple(cases), whole=whole, courses=tuple(courses))


def _tried(
    case: Case, profiles: Sequence[Profile], gazetteer: Gazetteer, progress: "_Progress", *, has_frontiers: bool
) -> tuple[Backtest, list[Sequence[Told]]]:
    """Return a backtest of one case, and what each profile would have told in it."""
    told: list[Sequence[Told]] = [() for _ in profiles]
    bench = Bench(case.past, case.truth, gazetteer.wide_places())
    found = bench.run(profiles, has_frontiers=has_frontiers, on_progress=progress.of_run, on_told=told.__setitem__)
    return found, told


def _cases(order: TrialOrder, gazetteer: Gazetteer, progress: "_Progress") -> Iterator[Case]:
    """Yield what it is tried on, each read when it is its turn."""
    asked = order.asked
    if asked.since is not None:
        progress.begin(RECORDED)
        past = recorded_past(Path(order.recording), asked.since, asked.until or SystemClock().now())
        home = gazetteer.home_place(order.commune) if order.commune else None
        yield Case(RECORDED, "recorded", {}, past, asked.truth, home)
    for name in asked.scenarios:
        progress.begin(name)
        yield _scenario_case(name, Path(order.readings), gazetteer)


def recorded_past(folder: Path, since: datetime, until: datetime) -> Past:
    """Return a stretch of what was recorded; profiles that were changed in it are left out, for these are given.

    Errors  SettingsError when nothing was recorded then, or it cannot be read
    """
    from vigie.recordings import Recordings  # noqa: PLC0415  needs the extra `recording`

    records = (row.record for row in Recordings(folder).rows(since, until))
    kept: list[Value] = [one for one in records if not isinstance(one, Tick | ProfileChange)]
    if not kept:
        raise SettingsError(f"nothing was recorded from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC")
    return Past(tuple(kept), since, until)


def _scenario_case(name: str, readings: Path, gazetteer: Gazetteer) -> Case:
    scenario = scenario_from(name)
    past = Past(tuple(values_of(scenario, readings)), scenario.starts_at, scenario.ends_at)
    label = {"fr": scenario.title.of("fr"), "en": scenario.title.of("en")}
    return Case(name, "scenario", label, past, scenario.truth(gazetteer), gazetteer.home_place(scenario.home))


class _Progress:
    """How much of all is done: each case counts alike, and in it reading and each run."""

    def __init__(self, say: Says, cases: int, runs: int) -> None:
        self._say = say
        self._parts = cases * (runs + 1)
        self._runs = runs
        self._case = -1
        self._run, self._share = "", 0.0
        self._before = 0  # parts that are over
        self._name = ""
        self._said = -1.0

    def begin(self, name: str) -> None:
        """Begin with a case: it is read first."""
        self._case += 1
        self._name, self._run = name, ""
        self._before = self._case * (self._runs + 1)
        self._tell(0.0)

    def of_run(self, run: str, share: float) -> None:
        """Go on with a run of this case."""
        if share < self._share_before(run):
            self._before += 1
        self._share, self._run = share, run
        self._tell(share)

    def _share_before(self, run: str) -> float:
        """Return how far the run was; beyond the end where it is another."""
        return self._share if run == self._run else 2.0

    def _tell(self, share: float) -> None:
        done = min(1.0, (self._before + share) / self._parts)
        if done >= self._said + STEP or done < self._said:
            self._said = done
            self._say(TrialProgress(part=self._name, done=done))
