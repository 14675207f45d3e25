"""Profiles: what comes with Vigie can be used, what is broken says where and what would do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.profile import PROFILES, load_profile, profile_from
from detectors.thresholds import Budget, thresholds_for
from detectors.tree import node_of, path_of
from records import Place, SettingsError

GOOD = (PROFILES / "city.toml").read_text()
NAMES = ["world", "commune", "city", "departement"]


@pytest.mark.parametrize("name", NAMES)
def test_the_profiles_that_come_with_it_can_be_used(name: str, home: Place) -> None:
    profile = load_profile(name, None if name == "world" else home)
    assert profile.name == name
    assert set(profile.hazards) == {"fire", "flood", "industrial", "other"}


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_the_budget_add_up_to_it(name: str, home: Place) -> None:
    spread = load_profile(name, None if name == "world" else home).spread
    assert spread.home_share + spread.surroundings_share + spread.rest_share == pytest.approx(1.0)


def test_thresholds_spend_the_budget() -> None:
    thresholds = thresholds_for(Budget(watches=2.0, alerts=0.5), eta=1.0)
    assert (thresholds.watch, thresholds.alert) == (5040.0, 20160.0)
    assert thresholds.close == 504.0
    assert thresholds_for(Budget(watches=2.0, alerts=0.5), eta=2.0).watch == 2520.0


def test_home_weighs_more_than_its_surroundings_and_these_more_than_the_world(
    home: Place, place_with: Callable[..., Place]
) -> None:
    profile = load_profile("city", home)
    harfleur = place_with(place_id="fr:76341", insee="76341", lat=49.51, lon=0.20)
    marseille = place_with(place_id="fr:13055", insee="13055", dep="13", lat=43.3, lon=5.4)
    weights = [
        profile.weight_of(node_of(place), place.area, place.lat, place.lon) for place in (home, harfleur, marseille)
    ]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 3


def test_in_the_world_all_places_weigh_the_same(home: Place) -> None:
    assert load_profile("world", home).weight_of("fr:76351", "76", home.lat, home.lon) == 1 / 1000


def test_a_quarter_counts_for_its_commune(place_with: Callable[..., Place]) -> None:
    assert node_of(place_with(place_id="local:neiges", level="quartier")) == "fr:76351"
    assert node_of(place_with(place_id="fr:dep:76", level="dep", insee=None)) == "fr:dep:76"
    assert node_of(place_with(place_id="geonames:1", insee=None, dep=None)) == "geonames:1"


def test_the_nodes_above_home_share_a_small_part_of_its_budget(place_with: Callable[..., Place]) -> None:
    home = place_with(epci="200084952")
    profile = load_profile("city", home)
    weights = [profile.weight_of(node, "76", home.lat, home.lon) for node in path_of(home)]
    assert sum(weights) * len(profile.hazards) == pytest.approx(profile.spread.home_share)
    assert weights[0] > 4 * weights[1] > 8 * weights[2]


def test_a_place_counts_for_all_nodes_above_it(place_with: Callable[..., Place]) -> None:
    quarter = place_with(place_id="local:neiges", level="quartier", epci="200084952")
    assert path_of(quarter) == ("fr:76351", "fr:epci:200084952", "fr:dep:76")
    whole = place_with(place_id="fr:dep:76", level="dep", insee=None)
    assert path_of(whole) == ("fr:dep:76",)
    moore = place_with(place_id="geonames:4543762", insee=None, country="US", dep="US-OK", lat=35.34, lon=-97.49)
    assert path_of(moore) == ("geonames:4543762", "h3:8326c1fffffffff", "admin1:US-OK")
    state = place_with(place_id="admin1:US-OK", insee=None, country="US", dep="US-OK", level="region")
    assert path_of(state) == ("admin1:US-OK",)
    france = place_with(place_id="country:FR", level="country", insee=None, dep=None)
    assert path_of(france) == ("country:FR",)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            "watch = 14.0",
            'watch = "many"',
            "x.toml: budget.watch = 'many': expected `float`, got `str`",
            id="a word for a number",
        ),
        pytest.param(
            "watch = 14.0", "watch = -1", "x.toml: budget.watch = -1: expected `float` >= 0.0001", id="below zero"
        ),
        pytest.param(
            "watch = 14.0", "watch = inf", "x.toml: budget.watch = inf: a finite number is needed", id="infinite"
        ),
        pytest.param("watch = 14.0", "", "x.toml: budget: object missing required field `watch`", id="missing"),
        pytest.param(
            "watch = 14.0",
            "watch = 0.1",
            "x.toml: budget.alert = 0.5: more than budget.watch = 0.1; ask for less",
            id="more alerts than watches",
        ),
        pytest.param(
            "watch = 14.0",
            "watch = 14.0\nwach = 2",
            "x.toml: budget: object contains unknown field `wach`",
            id="misspelt",
        ),
        pytest.param(
            "Europe/Paris",
            "Europe/Le_Havre",
            "x.toml: time_zone = 'Europe/Le_Havre': no such zone; write it like 'Europe/Paris'",
            id="no such zone",
        ),
        pytest.param(
            "Europe/Paris",
            "../etc",
            "x.toml: time_zone = '../etc': no such zone; write it like 'Europe/Paris'",
            id="not even a zone",
        ),
        pytest.param(
            "rest_share = 0.1",
            "rest_share = 0.2",
            "x.toml: spread: home_share + surroundings_share + rest_share = 1.1: they must add up to 1",
            id="shares",
        ),
        pytest.param(
            "[hazard.fire]",
            "[hazard.smoke]",
            "x.toml: hazard: invalid enum value 'smoke'; the hazards are fire, flood, industrial, other",
            id="unknown hazard",
        ),
        pytest.param(
            '"fire", "flood", "industrial", "other"]',
            '"fire", "smoke"]',
            "x.toml: hazards[1]: invalid enum value 'smoke'; the hazards are",
            id="unknown hazard watched",
        ),
        pytest.param(
            "[hazard.other]",
            "[hazard.other2]",
            "x.toml: hazard: invalid enum value 'other2'; the hazards are fire, flood, industrial, other",
            id="misspelt hazard",
        ),
        pytest.param(
            "least_rate = 0.002",
            "least_rate = 2",
            "x.toml: hazard.flood.least_rate = 2.0: above most_rate = 0.3; the least must come first",
            id="rates",
        ),
        pytest.param(
            "[budget]",
            "[gate]\nwitnesses_with_support = 13\n[budget]",
            "x.toml: gate.witnesses_with_support = 13: more than witnesses_alone = 12: more support must not ask",
            id="support that asks for more witnesses",
        ),
        pytest.param(
            "[budget]",
            "[gate]\nauthors_alone = 5\n[budget]",
            "x.toml: gate.authors_alone = 5: less than witnesses_alone = 12: ",
            id="a crowd of anybody before one of witnesses",
        ),
        pytest.param(
            "[hazard.fire]",
            "[hazard.fire]\nhold_minutes = 400.0",
            "x.toml: hazard.fire.hold_minutes = 400.0: longer than reopen_hours = 6.0, ",
            id="a hold that is longer than the longest",
        ),
        pytest.param(
            'hazards = ["fire", ', 'hazards = ["fire", "fire", ', "x.toml: hazards = fire, fire, flood", id="twice"
        ),
        pytest.param('name = "city"', 'name = "city', "x.toml: this is not TOML: ", id="no TOML"),
        pytest.param(
            'time_zone = "Europe/Paris"',
            'time_zone = "Europe/Paris"\nholidays = "Gaul"',
            "x.toml: holidays = 'Gaul': no such country; write it like 'FR', or '' for none",
            id="holidays of nowhere",
        ),
        pytest.param(
            "[budget]",
            "[weights]\nimage = 0.0\n[budget]",
            "x.toml: weights.image = 0.0: expected `float` >= 0.01",
            id="a weight of nothing",
        ),
        pytest.param(
            'version = "2"', "version = 1", "x.toml: version = 1: expected `str`, got `int`", id="a number for a word"
        ),
        pytest.param(
            "[budget]",
            "[home]\n[budget]",
            "x.toml: home: does not belong in a profile; give it when starting (--home INSEE)",
            id="home",
        ),
    ],
)
def test_a_broken_profile_says_where_and_what_would_do(before: str, after: str, message: str) -> None:
    assert before in GOOD
    with pytest.raises(SettingsError) as raised:
        profile_from(GOOD.replace(before, after), file="x.toml")
    assert str(raised.value).startswith(message)


def test_a_hazard_that_is_watched_needs_its_table() -> None:
    without = GOOD[: GOOD.index("[hazard.other]")]
    with pytest.raises(SettingsError, match=r"'other' is watched, but there is no table \[hazard.other\]"):
        profile_from(without, file="x.toml")


def test_a_profile_with_a_home_needs_one() -> None:
    with pytest.raises(SettingsError, match=r"city.toml: .* need a home and none was given"):
        load_profile("city", None)


def test_an_unknown_profile_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give one of city, commune, departement, world"):
        load_profile("town", None)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_profile(tmp_path / "none.toml", None)


def test_a_profile_may_come_from_a_file(tmp_path: Path, home: Place) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD.replace('name = "city"', 'name = "mine"'))
    assert load_profile(file, home).name == "mine"
