"""A bench for tests: a tuner that makes trials of figures that were agreed on, and knows the real bounds."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.access.visitor import Visitor
from console.desk import Desk
from console.tuning import candidates, promoting, shadows, trials
from console.tuning.candidates import Candidate
from console.tuning.editing import changed
from console.tuning.tuner import Offered, Recorded, TrialRefused
from detectors import profile_form
from detectors.comparing import compare
from detectors.profile import profile_text
from records.backtest import Backtest, Found, FrontierPoint, Outcome, Raised, Seen, SourceShare
from records.profile_setting import ProfileProblem, ProfileSetting
from records.share import share_of
from records.trial import Course, Spoken, Step, Trial, TrialAsked, TrialCase, TrialProgress
from tests.console.made import LE_HAVRE, minutes, some_evidence

CITY = profile_text("city")
OFFERED = (
    Offered("lubrizol_2019", {"fr": "Rouen", "en": "Rouen"}, {"fr": "Une usine brûle.", "en": "Works burn."}, 1.0),
    Offered("two_fires", {"fr": "Deux incendies", "en": "Two fires"}, {"fr": "Deux.", "en": "Two."}, 1.0),
)


@dataclass
class AgreedTuner:
    """Finds a candidate quicker by so many minutes; where that is below zero, it is worse."""

    minutes: float = 6.0
    asked: list[TrialAsked] = field(default_factory=list)
    refuses: str = ""
    waits: asyncio.Event | None = None  # until which a trial takes
    ended: int = 0  # trials that were cancelled

    def settings(self) -> Sequence[ProfileSetting]:
        return profile_form.settings()

    def problems(self, toml: str) -> Sequence[ProfileProblem]:
        return profile_form.problems_with(toml)

    def scenarios(self) -> Sequence[Offered]:
        return OFFERED

    def recorded(self) -> Recorded | None:
        return Recorded(minutes(-20 * 24 * 60), minutes(0))

    async def run(self, asked: TrialAsked, on_progress: Callable[[TrialProgress], None]) -> Trial:
        self.asked.append(asked)
        on_progress(TrialProgress(part="recorded" if asked.since else asked.scenarios[0], done=0.25))
        if self.refuses:
            raise TrialRefused(self.refuses)
        if self.waits is not None:
            try:
                await self.waits.wait()
            except asyncio.CancelledError:
                self.ended += 1
                raise
        return a_trial(asked, quicker=self.minutes)


def a_trial(asked: TrialAsked, *, quicker: float) -> Trial:
    """Make what came of a trial."""
    outcomes = (an_outcome("2", 20.0), an_outcome("2.1", 20.0 - quicker))
    frontier = tuple(
        FrontierPoint(
            factor=factor,
            false_watches_a_day=0.5 * factor,
            false_alerts_a_day=0.1 * factor,
            watch_recall=share_of(1, 1),
            alert_recall=share_of(1, 1),
            watch_delay=20.0,
            alert_delay=40.0,
        )
        for factor in (0.5, 1.0, 2.0)
    )
    backtest = Backtest(
        starts_at=minutes(-24 * 60),
        ends_at=minutes(0),
        days=1.0,
        signals=120,
        true_incidents=1,
        is_complete=False,
        outcomes=outcomes,
        frontiers=(frontier, frontier) if asked.has_frontiers else (),
        comparison=compare(*outcomes, frontier if asked.has_frontiers else ()),
    )
    cases = [TrialCase(name="recorded", kind="recorded", backtest=backtest)] if asked.since else []
    cases += [
        TrialCase(name=name, kind="scenario", label={"fr": "Rouen", "en": "Rouen"}, backtest=backtest)
        for name in asked.scenarios
    ]
    step = Step(minutes(-5), 2000.0, 1440.0, 40_000.0, "watch")
    course = Course(
        case="recorded",
        incident_id="fire-true",
        label={"fr": "Lubrizol", "en": "Lubrizol"},
        hazard="fire",
        spoken=(Spoken(minutes(-10), 3, 1), Spoken(minutes(0), 9, 4)),
        in_force=(step,),
        candidate=(step,),
    )
    return Trial(cases=tuple(cases), whole=backtest, courses=(course,))


def an_outcome(version: str, delay: float) -> Outcome:
    """Make an outcome that finds one true incident after so long, misses another, and finds a false one."""
    watch_at = minutes(-60 + delay)
    return Outcome(
        profile="city",
        version=version,
        watches=2,
        alerts=1,
        false_watches=1,
        false_alerts=0,
        watches_a_day=2.0,
        alerts_a_day=1.0,
        false_watches_a_day=1.0,
        false_alerts_a_day=0.0,
        watch_precision=share_of(1, 2),
        alert_precision=share_of(1, 1),
        watch_recall=share_of(1, 1),
        alert_recall=share_of(1, 1),
        watch_delay=delay,
        alert_delay=40.0,
        notifications=4,
        raised=(_raised("fire-false", watch_at, is_true=False), _raised("fire-true", watch_at, is_true=True)),
        found=(
            Found(
                incident_id="fire-true",
                hazard="fire",
                label={"fr": "Lubrizol", "en": "Lubrizol"},
                since=minutes(-60),
                length_minutes=300.0,
                watch_at=watch_at,
                watch_minutes=delay,
                alert_minutes=40.0,
                raised=("fire-true",),
                signals=12,
                seen=(Seen(post_key="facebook:s1", at=minutes(-50), likelihood_ratio=4.0, text="mots d’un inconnu"),),
            ),
            Found(incident_id="missed:m1", hazard="fire", since=minutes(-40), length_minutes=60.0),
        ),
        by_source=(SourceShare(source="bluesky", signals=120, true_weight=3.5, false_weight=1.0, first=1, alone=1),),
    )


def _raised(incident_id: str, at: datetime, *, is_true: bool) -> Raised:
    return Raised(
        incident_id=incident_id,
        hazard="fire",
        place=LE_HAVRE,
        onset=at,
        level="watch",
        watch_at=at,
        watch_is="true" if is_true else "false",
        evidence=(some_evidence(),),
    )


async def fill_bench(desk: Desk) -> None:
    """Put candidates in all states, trials, a shadow and a promotion into an archive."""
    analyst, admin = Visitor(name="compte analyst", role="analyst"), Visitor(name="compte admin", role="admin")
    for number, candidate_id in enumerate(("c-draft", "c-proposed", "c-dropped", "c-first")):
        toml = changed(desk.setup.profile, {"version": f"2.{number + 1}", "budget.watch": 28.0})
        await candidates.make(desk, analyst, candidate_id=candidate_id, toml=toml, based_on="2")
    await _promoted(desk, analyst, admin)
    holds = await promoting.in_force(desk)
    for candidate_id in ("c-draft", "c-proposed"):
        known = await _known(desk, candidate_id)
        await _tried(desk, known, f"trial-{candidate_id.removeprefix('c-')}", holds.toml, quicker=-8.0)
    await promoting.propose(desk, analyst, await _known(desk, "c-proposed"), "moins de veilles la nuit")
    await candidates.drop(desk, analyst, await _known(desk, "c-dropped"))
    known = await _known(desk, "c-draft")
    for trial_id in ("trial-waiting", "trial-stopped"):
        asked = TrialAsked(in_force=holds.toml, candidate=known.toml, scenarios=("two_fires",))
        await trials.ask(desk, analyst, trial_id=trial_id, candidate=known, asked=asked)
    stopped = await trials.trial(desk.engine, "trial-stopped")
    assert stopped is not None
    await trials.stop(desk, analyst, stopped)
    await shadows.begin(desk, analyst, shadow_id="shadow", candidate=known, days=7)
    await shadows.look_after(desk)
    [of_it] = await trials.of_shadow(desk.engine, "shadow")
    assert await trials.begin(desk.engine, of_it.trial_id)
    await trials.end(desk.engine, of_it.trial_id, a_trial(of_it.asked, quicker=0.0), desk.clock.now())


async def _promoted(desk: Desk, analyst: Visitor, admin: Visitor) -> None:
    known = await _known(desk, "c-first")
    await _tried(desk, known, "trial-first", desk.setup.profile, quicker=6.0)
    await promoting.propose(desk, analyst, known, "Lubrizol plus tôt")
    await promoting.approve(desk, admin, await _known(desk, "c-first"), knows_worse=False)


async def _tried(desk: Desk, known: Candidate, trial_id: str, in_force: str, *, quicker: float) -> None:
    asked = TrialAsked(
        in_force=in_force, candidate=known.toml, since=minutes(-99), until=minutes(0), scenarios=("lubrizol_2019",)
    )
    analyst = Visitor(name="compte analyst", role="analyst")
    await trials.ask(desk, analyst, trial_id=trial_id, candidate=known, asked=asked)
    assert await trials.begin(desk.engine, trial_id)
    await trials.end(desk.engine, trial_id, a_trial(asked, quicker=quicker), desk.clock.now())


async def _known(desk: Desk, candidate_id: str) -> Candidate:
    found = await candidates.candidate(desk.engine, candidate_id)
    assert found is not None
    return found


def with_bench(desk: Desk, tuner: AgreedTuner, profile: str = CITY) -> AgreedTuner:
    """Give a desk a bench, and a profile in force."""
    setup = desk.setup
    object.__setattr__(setup, "profile", profile)
    object.__setattr__(desk, "tuner", tuner)
    return tuner
