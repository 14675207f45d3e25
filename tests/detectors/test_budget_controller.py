"""The budget controller: month by month false watches come to the budget, from both sides, and stay there."""

import tomllib
from random import Random
from statistics import mean
from typing import Any

import pytest

from detectors.budget_controller import MOST_ETA, next_version, proposal_of, proposed
from detectors.profile import PROFILES, profile_from
from detectors.statistic import Rates, decayed, mixture, raised, spaced_rates
from detectors.thresholds import Budget, thresholds_for
from records import SettingsError
from records.trust import EtaFigure, Labelled

CITY = (PROFILES / "city.toml").read_text(encoding="utf-8")
MONTH = 28.0
ALLOWED = 14.0  # of a hazard a month in that profile: 14 a week, four hazards
MINUTES_A_MONTH = int(MONTH) * 24 * 60


def labelled(false_ones: int, true_ones: int = 1, unjudged: int = 0) -> Labelled:
    return Labelled(hazard="fire", false_ones=false_ones, true_ones=true_ones, unjudged=unjudged)


def fire(toml: str, found: Labelled, days: float = MONTH) -> EtaFigure:
    return next(one for one in proposal_of(toml, [found], days).figures if one.hazard == "fire")


@pytest.mark.parametrize(
    ("found", "days", "eta", "why"),
    [
        pytest.param(labelled(30), MONTH, 2.5, "", id="twice as many as allowed: half the eta"),
        pytest.param(labelled(6), MONTH, 10.0, "", id="half as many: twice the eta"),
        pytest.param(labelled(200), MONTH, 1.67, "", id="never to less than a third"),
        pytest.param(labelled(0), MONTH, 15.0, "", id="never to more than three times as much"),
        pytest.param(labelled(14), MONTH, 5.0, "as_budgeted", id="as many as allowed: as it is"),
        pytest.param(labelled(30), 24.9, 5.0, "too_short", id="hardly a month"),
        pytest.param(labelled(0, 0, 9), MONTH, 5.0, "nobody_ruled", id="nobody looked"),
        pytest.param(labelled(10, 1, 9), MONTH, 5.0, "unjudged", id="what nobody looked at decides the direction"),
        pytest.param(labelled(30, 1, 40), MONTH, 2.5, "", id="too many whatever became of the others"),
        pytest.param(labelled(2, 1, 4), MONTH, 10.0, "", id="few, even if all of the others were false"),
    ],
)
def test_eta_is_divided_by_false_over_budgeted_or_says_why_not(
    found: Labelled, days: float, eta: float, why: str
) -> None:
    figure = fire(CITY, found, days)
    assert (figure.proposed, figure.why) == (eta, why)
    assert figure.budgeted == pytest.approx(ALLOWED * days / MONTH)


def test_a_budget_that_allows_hardly_any_moves_nothing_on_none() -> None:
    quiet = CITY.replace("watch = 14.0", "watch = 0.9").replace("alert = 0.5", "alert = 0.1")
    assert fire(quiet, labelled(1)).why == "too_few"
    assert fire(quiet, labelled(4)).why == ""


def test_a_hazard_that_is_not_watched_and_an_eta_at_its_bound_stay() -> None:
    fewer = CITY.replace('hazards = ["fire", ', "hazards = [")
    assert fire(fewer, labelled(9)).why == "not_watched"
    highest = CITY.replace("eta = 5.0", f"eta = {MOST_ETA}", 1)
    assert fire(highest, labelled(0)).why == "at_bound"


@pytest.mark.parametrize("times", [pytest.param(8.0, id="from above"), pytest.param(0.1, id="from below")])
def test_false_watches_come_to_the_budget_and_stay(times: float) -> None:
    rng, toml, months = Random(1), CITY, []  # noqa: S311  a simulation
    for _ in range(60):
        eta = profile_from(toml, file="it").hazard["fire"].eta
        found = poisson(rng, times * ALLOWED * eta / 5.0)
        months.append(found)
        toml = proposal_of(toml, [labelled(found)], MONTH).toml or toml
    assert not 0.5 * ALLOWED < months[0] < 2 * ALLOWED
    assert mean(months[6:30]) == pytest.approx(ALLOWED, rel=0.2)
    assert mean(months[30:]) == pytest.approx(ALLOWED, rel=0.2)
    assert max(months[6:]) < 3 * ALLOWED


@pytest.mark.parametrize("eta", [pytest.param(40.0, id="too many at first"), pytest.param(0.05, id="too few at first")])
def test_the_statistic_itself_comes_to_the_budget(eta: float) -> None:
    toml = CITY.replace("eta = 5.0", f"eta = {eta}", 1)
    watch, months = Watch(Random(2)), []  # noqa: S311  a simulation
    for _ in range(24):
        eta = profile_from(toml, file="it").hazard["fire"].eta
        found = watch.false_ones_in_a_month(eta)
        months.append(found)
        toml = proposal_of(toml, [labelled(found)], MONTH).toml or toml
    assert not 0.5 * ALLOWED < months[0] < 2 * ALLOWED
    assert mean(months[8:]) == pytest.approx(ALLOWED, rel=0.25)


class Watch:
    """One key whose background alone is heard, marks included; each crossing is a false watch, and begins anew."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._rates = Rates(per_minute=spaced_rates(0.01, 10.0, 4), evidence_share=0.8)
        self._values = self._rates.idle

    def false_ones_in_a_month(self, eta: float, rate: float = 0.05) -> int:
        threshold = thresholds_for(Budget(watches=ALLOWED / 4, alerts=1.0), eta=eta).watch
        at, found = 0.0, 0
        while (at := at + (silence := self._rng.expovariate(rate))) < MINUTES_A_MONTH:
            odds = (4.0 if self._rng.random() < 0.2 else 0.25) / rate  # ratios of mean 1 among what is usual
            values = raised(decayed(self._values, silence, self._rates), odds, self._rates, ceiling=1e9)
            is_over = mixture(values) > threshold
            found += is_over
            self._values = self._rates.idle if is_over else values
        return found


def poisson(rng: Random, expected: float) -> int:
    at, found = rng.expovariate(1.0), 0
    while at < expected:
        at, found = at + rng.expovariate(1.0), found + 1
    return found


@pytest.mark.parametrize("name", sorted(file.stem for file in PROFILES.glob("*.toml")))
def test_what_is_proposed_is_the_profile_with_another_eta_and_version(name: str) -> None:
    toml = (PROFILES / f"{name}.toml").read_text(encoding="utf-8")
    found = proposal_of(toml, [labelled(500)], MONTH)
    wanted = tomllib.loads(toml)
    wanted["version"] = str(int(wanted["version"]) + 1)
    figures = {one.hazard: one.proposed for one in found.figures if not one.why}
    assert "fire" in figures
    for hazard, eta in figures.items():
        wanted["hazard"][hazard]["eta"] = eta
    assert tomllib.loads(found.toml) == wanted
    assert found.toml.count("#") == toml.count("#")


def test_where_nothing_is_to_be_changed_nothing_is_proposed() -> None:
    assert proposal_of(CITY, [labelled(14, 1, 0)], 3.0).toml == ""


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(
            "hazard = { fire = { posts_per_week = 4.0, least_rate = 0.01, most_rate = 10.0 } }\n", id="inline"
        ),
        pytest.param(
            "hazard.fire.posts_per_week = 4.0\nhazard.fire.least_rate = 0.01\nhazard.fire.most_rate = 10.0\n",
            id="dotted",
        ),
    ],
)
def test_a_text_that_cannot_be_changed_in_place_is_refused(written: str) -> None:
    head, _, _ = CITY.partition("[hazard.fire]")
    toml = written + head.replace('["fire", "flood", "industrial", "other"]', '["fire"]')
    with pytest.raises(SettingsError, match="its etas cannot be changed where they stand"):
        proposal_of(toml, [labelled(500)], MONTH)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_keep_their_ends_and_comments(ending: str) -> None:
    toml = CITY.replace("eta = 5.0\n", "eta = 5.0 # measured\n", 1).replace("\n", ending)
    figures: tuple[Any, ...] = proposal_of(toml, [labelled(30)], MONTH).figures
    assert f"eta = 2.5 # measured{ending}" in proposed(toml, figures)


@pytest.mark.parametrize(("version", "following"), [("2", "3"), ("2026-09", "2026-10"), ("city", "city.1")])
def test_the_next_version(version: str, following: str) -> None:
    assert next_version(version) == following
