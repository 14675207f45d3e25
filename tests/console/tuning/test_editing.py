"""A profile's text with other values in it: what people wrote beside them stays, and it says what it should."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.tuning.editing import NotTOML, changed, changed_settings, difference, next_version, text_id, values_in
from console.tuning.form import groups, typed_values
from detectors.profile import PROFILES, profile_text
from detectors.profile_form import problems_with, settings

NAMES = sorted(file.stem for file in PROFILES.glob("*.toml"))
CITY = profile_text("city")
NUMBERS = [one.key.replace("*", "fire") for one in settings() if one.kind == "number"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changed_is_the_same_text(name: str) -> None:
    assert changed(profile_text(name), {}) == profile_text(name)
    assert typed_values(settings(), profile_text(name), {}) == ({}, [])


@given(st.dictionaries(st.sampled_from(NUMBERS), st.floats(0.1, 1.0), min_size=1), st.sampled_from(NAMES))
def test_a_text_says_what_was_put_into_it_and_all_else_as_before(values: dict[str, float], name: str) -> None:
    before = profile_text(name)
    after = changed(before, dict(values))
    said = values_in(after)
    assert {key: said[key] for key in values} == values
    assert {key: value for key, value in said.items() if key not in values} == {
        key: value for key, value in values_in(before).items() if key not in values
    }
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in after.splitlines() if "#" in line] == comments
    assert {key for key, _, _ in changed_settings(before, after)} <= values.keys()


def test_a_setting_is_taken_out_and_put_where_it_belongs() -> None:
    after = changed(CITY, {"hazard.flood.memory_hours": None, "population_floor": 5, "gate.hearsay": 2})
    assert tomllib.loads(after)["population_floor"] == 5
    assert "memory_hours" not in tomllib.loads(after)["hazard"]["flood"]
    assert tomllib.loads(after)["gate"] == {"hearsay": 2}
    assert after.index("population_floor") < after.index("[budget]")
    assert problems_with(after) == ()


def test_a_head_with_a_list_over_several_lines_stays_one() -> None:
    text = CITY.replace('hazards = ["fire", "flood", "industrial", "other"]', 'hazards = [\n  "fire",\n  "flood",\n]')
    assert tomllib.loads(changed(text, {"population_floor": 5}))["population_floor"] == 5


@pytest.mark.parametrize("text", ["budget = 5\n", "[[budget]]\nwatch = 1\n", "hazard.fire = 1\nbudget.watch = 3.0\n"])
def test_a_setting_of_what_is_no_table_is_put_nowhere(text: str) -> None:
    assert changed(text, {"budget.watch": 3.0, "hazard.fire.eta": None}) == text


@pytest.mark.parametrize("text", ["x = [", "[a]\n[a]", "a = " + "[" * 20_000, f"a = {'9' * 5000}"])
def test_what_is_no_toml_is_said_to_be_none(text: str) -> None:
    for tried in (values_in, lambda one: changed(one, {"a": 1})):
        with pytest.raises(NotTOML):
            tried(text)


def test_a_difference_is_numbered_in_both_texts() -> None:
    lines = difference("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n", around=0)
    assert [(line.kind, line.text, line.old, line.new) for line in lines] == [
        ("out", "b", 2, None),
        ("in", "B", None, 2),
        ("gap", "", None, None),
        ("in", "e", None, 5),
    ]
    assert difference(CITY, CITY) == []


@pytest.mark.timeout(20)
def test_a_text_that_was_made_to_hurt_is_compared_soon() -> None:
    lines = ["#"] * 12_000
    assert difference("\n".join([*lines, "a"]), "\n".join(["b", *lines]))


def test_what_stands_for_a_text_tells_two_apart() -> None:
    assert text_id("a") != text_id("b")


@pytest.mark.parametrize(
    ("version", "following"),
    [("2", "2.1"), ("2.1", "2.2"), ("2.9", "2.10"), ("été", "été.1"), ("2.x", "2.x.1"), ("", ".1")],
)
def test_the_next_version_counts_on(version: str, following: str) -> None:
    assert next_version(version) == following


def test_a_hazard_that_is_not_watched_has_no_fields_and_one_that_is_has_all() -> None:
    text = CITY.replace(', "industrial", "other"]', "]")
    tables = [group.key for group in groups(settings(), text, {})]
    assert "hazard.fire" in tables
    assert "hazard.industrial" not in tables
