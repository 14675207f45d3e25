"""What a form offers of a profile, and what is said of a text that cannot become one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.profile import PROFILES, profile_from, profile_text
from detectors.profile_form import problems_with, settings
from records import SettingsError
from records.profile_change import MOST_TOML
from records.profile_setting import PROBLEM_WORDS, ProfileProblem

CITY = profile_text("city")


@pytest.mark.parametrize("name", sorted(file.stem for file in PROFILES.glob("*.toml")))
def test_nothing_is_wrong_with_what_ships(name: str) -> None:
    assert problems_with(profile_text(name)) == ()


def test_every_number_has_bounds() -> None:
    numbers = [one for one in settings() if one.kind in {"number", "whole"}]
    assert len(numbers) > 25
    assert [one.key for one in numbers if one.least is None or one.most is None] == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(
            "watch = 14.0", "watch = -1", "budget.watch = -1: out of bounds; from 0.0001 to 10000", id="below zero"
        ),
        pytest.param("watch = 14.0", "watch = true", "budget.watch = True: a number is needed", id="true is no number"),
        pytest.param("watch = 14.0", "watch = nan", "budget.watch = nan: a finite number is needed", id="no number"),
        pytest.param("watch = 14.0", "", "budget.watch: is missing; write it down", id="missing"),
        pytest.param(
            "watch = 14.0",
            "watch = 14.0\nwach = 2",
            "budget.wach = 2: there is no such setting; see which there are, and how they are written",
            id="misspelt",
        ),
        pytest.param(
            "most_rate = 10.0",
            "most_rate = 10.0\nrates = 33",
            "hazard.fire.rates = 33: out of bounds; from 1 to 32",
            id="of one hazard",
        ),
        pytest.param("alert = 0.5", "alert = 20.0", "budget.alert = 20.0: more than budget.watch = 14.0", id="budgets"),
        pytest.param("[budget]", "[budget]\n[budget]", "this is not TOML: ", id="twice"),
        pytest.param("[budget]", "[budget", "this is not TOML: ", id="no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_do(before: str, after: str, told: str) -> None:
    assert before in CITY
    assert problems_with(CITY.replace(before, after, 1))[0].told().startswith(told)


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = CITY.replace("watch = 14.0", "watch = -1").replace("rest_keys = 4000", "rest_keys = 0.5")
    assert [one.key for one in problems_with(text)] == ["budget.watch", "spread.rest_keys"]
    text = CITY.replace("alert = 0.5", "alert = 20.0").replace("rest_share = 0.1", "rest_share = 0.2")
    assert [one.code for one in problems_with(text)] == ["alert_budget_above_watch_budget", "shares_do_not_add_up"]


def test_without_a_home_its_part_of_the_budget_goes_nowhere() -> None:
    assert [one.code for one in problems_with(CITY, has_home=False)] == ["no_home"]
    assert problems_with(profile_text("world"), has_home=False) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * (MOST_TOML + 1), id="too long"),
        pytest.param("a = " + "[" * 20_000, id="lists in lists"),
        pytest.param("a." * 2_000 + "a = 1", id="tables in tables"),
        pytest.param("[" + "a." * 2_000 + "a]\nx = 1", id="a header of tables in tables"),
        pytest.param(f"{CITY}\n[hazard.fire." + "a." * 2_000 + "a]\nx = 1", id="tables in a known table"),
        pytest.param(CITY.replace("watch = 14.0", f"watch = 1{'0' * 400}"), id="a number beyond floats"),
        pytest.param(CITY.replace("watch = 14.0", f"watch = 1{'0' * 5000}"), id="a number too long to read"),
        pytest.param(CITY.replace("watch = 14.0", f"watch = 0x{'f' * 5000}"), id="a number too long to write"),
    ],
)
def test_a_text_that_was_made_to_hurt_is_refused(text: str) -> None:
    assert problems_with(text)
    with pytest.raises(SettingsError):
        profile_from(text, file="x.toml")


@given(st.dictionaries(st.sampled_from([one.key for one in settings()]), st.text(string.printable, max_size=20)))
def test_what_has_no_problem_is_a_profile(changes: dict[str, str]) -> None:
    text = CITY
    for key, value in changes.items():
        name = key.rpartition(".")[2]
        text = "\n".join(f"{name} = {value}" if line.startswith(f"{name} =") else line for line in text.splitlines())
    if not problems_with(text):
        assert profile_from(text, file="x.toml").name


def test_words_need_no_more_than_they_are_given() -> None:
    for code in PROBLEM_WORDS:
        assert ProfileProblem(code=code, key="budget.watch", found="1").told()
