"""Teaching, on the replay: a scenario decided by what the shipped model reads, and by what the candidate reads."""

import asyncio
import tempfile
from pathlib import Path

from detectors.comparing import compare
from models.candidate import OnScenario, Replayed
from models.hazard import HazardModel
from models.places import shipped_gazetteer
from records import Post, SettingsError
from records.backtest import Outcome
from vigie.backtest import Bench, Past, values_from
from vigie.scenarios.recording import recorded
from vigie.scenarios.scenario import Scenario
from vigie.settings import Settings
from vigie.territory import home_of, profile_of


def on_scenario(scenario: Scenario, old: HazardModel, new: HazardModel) -> OnScenario:
    """Return what becomes of a scenario with each of two models, all else alike.

    Errors  SettingsError where it cannot be used
    """
    gazetteer = shipped_gazetteer()
    truth, places = scenario.truth(gazetteer), gazetteer.wide_places()
    with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
        settings, posts = asyncio.run(recorded(scenario, scenario.all_posts, Path(folder)))
        if not posts:
            raise SettingsError(f"scenario {scenario.name}: nobody posts anything in it")
        profile = profile_of(settings, home_of(settings, gazetteer))
        pasts = [_past(settings, posts, model) for model in (old, new)]
    shipped, candidate = (Bench(past, truth, places).run([profile], has_frontiers=False).outcomes[0] for past in pasts)
    return OnScenario(
        scenario=scenario.name,
        missed_shipped=_missed(shipped),
        missed_candidate=_missed(candidate),
        false_shipped=shipped.false_watches,
        false_candidate=candidate.false_watches,
        delay_shipped=_rounded(shipped.watch_delay),
        delay_candidate=_rounded(candidate.watch_delay),
        is_=_judged(shipped, candidate),
    )


def _judged(shipped: Outcome, candidate: Outcome) -> Replayed:
    """Judge a candidate; where nothing happens, by what is false alone: all else is as it was."""
    if shipped.found:
        return compare(shipped, candidate).is_
    less = shipped.false_watches - candidate.false_watches
    return "same" if less == 0 else "better" if less > 0 else "worse"


def _past(settings: Settings, posts: list[Post], model: HazardModel) -> Past:
    values = tuple(values_from(posts, settings, reader=model))
    return Past(values, posts[0].event_time, posts[-1].event_time)


def _missed(outcome: Outcome) -> int:
    return sum(one.watch_at is None for one in outcome.found)


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 2)
