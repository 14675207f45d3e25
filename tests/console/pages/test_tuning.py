"""The page of tuning: by which profile incidents are raised, what it means, and how it does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as replaced
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.taking import take
from console.desk import Desk
from console.figures.profile_words import UNKNOWN, profile_from
from console.figures.tuning_figures import Day, days, rulings, weeks
from detectors.corroboration import Gate
from detectors.evidence import Weights
from detectors.profile import PROFILES, HazardProfile, Profile, Spread, WeeklyBudget
from records import ManualClock, Verdict
from records.share import wilson
from tests.console.entering import flat
from tests.console.made import a_verdict, an_alert, minutes

HOSTILE = '<script>alert("x")</script>'


def with_profile(desk: Desk, text: str) -> None:
    object.__setattr__(desk, "setup", replace(desk.setup, profile=text))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param(
            "en",
            (
                "No incident has been told of yet",
                "Nobody has confirmed or rejected an incident yet",
                "This console was not given the profile's text.",
            ),
            id="English",
        ),
        pytest.param(
            "fr",
            (
                "Aucun incident n’a encore été signalé",
                "Personne n’a encore confirmé ni écarté d’incident",
                "Le texte du profil n’a pas été donné à cette console.",
            ),
            id="French",
        ),
    ],
)
async def test_without_anything_the_page_says_so(
    client_as: Callable[..., Any], language: str, words: tuple[str, ...]
) -> None:
    async with client_as("analyst", language=language) as client:
        page = flat(await client.get("/tuning"))
    assert [one for one in words if one not in page] == []


@pytest.mark.parametrize("role", ["viewer", "volunteer", "operator"])
async def test_the_page_is_for_analysts(client_as: Callable[..., Any], role: str) -> None:
    async with client_as(role) as client:
        assert (await client.get("/tuning")).status_code == 403


async def test_the_profile_in_force_is_the_one_that_alerts_name(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    older = an_alert(incident_id="fire-older", profile="city/1", raised_at=minutes(-60))
    newer = an_alert(profile="city/2", versions={"rule": "burst/7"}, thresholds={"watch": 12000.0})
    await take(desk.engine, [older, newer], clock.now())
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/tuning"))
    assert page.index("city/2") < page.index("city/1")
    assert "rule <code>burst/7</code>" in page
    assert "Watch: 12,000" in page


SHIPPED = [pytest.param(file.read_text(encoding="utf-8"), id=file.stem) for file in sorted(PROFILES.glob("*.toml"))]


@pytest.mark.parametrize("text", SHIPPED)
async def test_each_profile_that_comes_with_vigie_is_explained(
    client_as: Callable[..., Any], desk: Desk, text: str
) -> None:
    with_profile(desk, text)
    async with client_as("analyst", language="fr") as client:
        page = flat(await client.get("/tuning"))
    assert "Le budget : le seul bouton" in page
    assert "non expliqué ici" not in page


def test_every_setting_that_a_profile_can_have_is_explained() -> None:
    shapes: dict[str, type[msgspec.Struct]] = {
        "": Profile,
        "budget.": WeeklyBudget,
        "spread.": Spread,
        "hazard.": HazardProfile,
        "gate.": Gate,
        "weights.": Weights,
    }
    tables = {"budget", "spread", "hazard", "gate", "weights", "home"}
    names = {prefix: set(shape.__struct_fields__) - tables for prefix, shape in shapes.items()}
    for prefix, found in names.items():
        head, _, _ = prefix.partition(".")
        table = {"": "", "hazard": "[hazard.fire]\n"}.get(head, f"[{head}]\n")
        profile = profile_from(table + "\n".join(f"{name} = 1" for name in sorted(found)))
        assert profile is not None
        shown = {one.key: one.words for one in profile.tables[-1].settings}
        assert shown.keys() == found
        assert UNKNOWN[0] not in shown.values()


def test_numbers_of_hundreds_of_digits_are_no_budget() -> None:
    assert profile_from(f"a = {'9' * 5000}") is None
    profile = profile_from(f"[budget]\nwatch = 2\nalert = {'9' * 400}")
    assert profile is not None
    assert profile.budget == {"watch": 2.0}


async def test_a_profile_that_is_none_is_shown_as_it_is(client_as: Callable[..., Any], desk: Desk) -> None:
    with_profile(desk, f"this is no TOML {HOSTILE}")
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/tuning"))
    assert "The profile cannot be read: it is no TOML." in page
    assert HOSTILE not in page


async def test_what_alerts_and_profiles_say_is_text(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    with_profile(desk, f"name = '{HOSTILE}'\nbudget = '{HOSTILE}'\n['{HOSTILE}']\nx = '{HOSTILE}'")
    await take(desk.engine, [an_alert(profile=HOSTILE, versions={HOSTILE: HOSTILE})], clock.now())
    async with client_as("analyst") as client:
        page = flat(await client.get("/tuning"))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


async def test_an_incident_counts_once_on_the_day_it_first_reached_a_level(engine: AsyncEngine) -> None:
    night = minutes(-10 * 60)  # 22:37 of the day before, on the wall
    told = [
        an_alert(incident_id="old", revision=1, level="watch", raised_at=minutes(-40 * 24 * 60)),
        an_alert(incident_id="old", revision=2, level="watch", raised_at=minutes(0)),
        an_alert(incident_id="grown", revision=1, level="watch", raised_at=night),
        an_alert(incident_id="grown", revision=2, level="alert", raised_at=minutes(0)),
        an_alert(incident_id="sudden", revision=1, level="alert", raised_at=minutes(0)),
        an_alert(incident_id="faint", revision=1, level="signal", raised_at=minutes(0)),
    ]
    await take(engine, told, minutes(1))
    found = await days(engine, 28, "Europe/Paris", minutes(60))
    assert len(found) == 28
    assert found[-2:] == [Day(date(2012, 1, 29), 1, 0), Day(date(2012, 1, 30), 1, 2)]
    assert [(week.watches, week.alerts) for week in weeks(found)] == [(2, 2), (0, 0), (0, 0), (0, 0)]


async def test_a_verdict_counts_unless_it_was_taken_back(engine: AsyncEngine) -> None:
    def ruled(number: int, decision: str) -> Verdict:
        return a_verdict(decision, incident_id=f"fire-{number}", decision_id=f"d{number}")

    said = [ruled(number, "reject" if number < 3 else "confirm") for number in range(12)]
    said += [
        replaced(ruled(0, "confirm"), decision_id="again", decided_at=minutes(9)),
        a_verdict("withdraw", incident_id="fire-1", decision_id="w1", withdraws="d1", decided_at=minutes(9)),
    ]
    await take(engine, said, minutes(10))
    [whole, fires] = await rulings(engine)
    assert (whole.cases, whole.rejected) == (fires.cases, fires.rejected) == (11, 1)
    assert whole.between == pytest.approx(wilson(1, 11))


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        pytest.param(3, "1 of the last 3 were rejected; too few for a share.", id="three cases have no share"),
        pytest.param(20, "1 of the last 20 were rejected: between 1 and 24 % (95 % interval).", id="twenty have one"),
    ],
)
async def test_a_share_is_told_with_how_far_it_may_be_off(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, cases: int, words: str
) -> None:
    said = [
        a_verdict("confirm" if number else "reject", incident_id=f"fire-{number}", decision_id=f"d{number}")
        for number in range(cases)
    ]
    clock.advance(timedelta(minutes=10))
    await take(desk.engine, said, clock.now())
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/tuning"))
    assert words in page


@pytest.mark.parametrize(
    ("hits", "cases", "least", "most"),
    [
        pytest.param(0, 0, 0.0, 1.0, id="nothing is known of no case"),
        pytest.param(12, 100, 0.0700, 0.1981, id="twelve of a hundred"),
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten"),
        pytest.param(10, 10, 0.7225, 1.0, id="ten of ten"),
    ],
)
def test_an_interval_is_wilsons(hits: int, cases: int, least: float, most: float) -> None:
    assert wilson(hits, cases) == pytest.approx((least, most), abs=5e-5)
