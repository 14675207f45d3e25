"""What the geoparser promises on any text, with a geotag, and over all communes."""

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geoparse import Geoparser
from models.geoparse.evaluate import evaluate, evaluate_generated
from models.places import Gazetteer
from records import Geo, Place, decode, encode

DATA = Path(os.environ.get("VIGIE_LABELLED_POSTS", "/nowhere"))
LE_HAVRE = Geo(lat=49.4941, lon=0.1079)
FRAGMENTS = [
    "Incendie", "au Havre", "#LeHavre", "à Tours", "(76)", "dans le 14", "Texas", "TX", "St", "rue de Paris",
    "Paris-Le Havre", "@quelqu.un", "https://exemple.fr/x", "\n", "😀🔥", "À", "l'", "près de", ",", "US",
]  # fmt: skip


@cache
def parsers() -> tuple[Geoparser, Geoparser]:
    gazetteer = Gazetteer()
    return Geoparser(gazetteer), Geoparser(gazetteer, home=gazetteer.home_place("76351"))


def assert_sound(places: list[Place]) -> None:
    for place in places:
        assert place.level
        assert place.radius_km > 0
        assert place.reasons
        assert 0 <= place.confidence <= 1
        assert place.h3
    assert len({(place.place_id, place.level) for place in places}) == len(places)


@given(st.text(max_size=400))
@settings(max_examples=40)
def test_answers_any_text(text: str) -> None:
    for parser in parsers():
        assert_sound(parser.locate(text))


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join), st.sampled_from([None, "fr", "en", "xx", ""]))
@settings(deadline=None)
def test_answers_any_mix_of_names_and_cues(text: str, lang: str | None) -> None:
    for parser in parsers():
        places = parser.locate(text, lang=lang)
        assert_sound(places)
        assert parser.locate(text, lang=lang) == places


@given(st.floats(-90, 90), st.floats(-180, 180))
@settings(deadline=None)
def test_answers_any_geotag(lat: float, lon: float) -> None:
    places = parsers()[0].locate("", geo=Geo(lat=lat, lon=lon))
    assert_sound(places)
    assert [place.source for place in places] == ["geotag"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n\t ", id="blank"),
        pytest.param("Le Havre " * 12_000, id="100,000 characters"),
        pytest.param("#" * 100_000, id="hashes"),
        pytest.param("aA1_" * 25_000, id="humps"),
        pytest.param("\x00\x01\ufffd\udcff\x7f", id="binary"),
        pytest.param("🔥🔥🚒", id="emoji"),
        pytest.param("火災が発生しました", id="Japanese"),
        pytest.param("حريق كبير في المدينة", id="Arabic"),
        pytest.param("пожар в городе", id="Cyrillic"),
        pytest.param("e\u0301" * 1000, id="combining accents"),
        pytest.param("a" + "\u0300" * 4000 + "\u0316" * 4000, id="a heap of marks"),
        pytest.param("tgv Lille " + "->" * 3000 + " Paris", id="arrows"),
        pytest.param("ZE " * 2600, id="names without end"),
        pytest.param("feu à Sâint\udcffÉtienne", id="half a character"),
    ],
)
def test_answers_odd_texts(text: str) -> None:
    for parser in parsers():
        places = parser.locate(text)
        assert_sound(places)
        assert [decode(encode(place), Place) for place in places] == places


@pytest.mark.parametrize(
    ("lat", "lon"), [(999.0, 999.0), (float("nan"), 0.1), (float("inf"), 0.0), (49.5, -181.0), (-90.001, 0.0)]
)
def test_a_geotag_beyond_the_world_is_none(lat: float, lon: float) -> None:
    geo = Geo(lat=lat, lon=lon)  # built, not decoded: nothing has looked at it yet
    assert parsers()[0].locate("grosse fumée", geo=geo) == []
    assert [place.name for place in parsers()[0].locate("feu à Rouen", geo=geo)] == ["Rouen"]


@given(st.text(st.characters(categories=["Lm", "Lo", "Mn"]), min_size=6, max_size=40))
@settings(deadline=None)
def test_answers_letters_of_any_script_where_a_misspelt_name_may_stand(letters: str) -> None:
    for parser in parsers():
        assert_sound(parser.locate(f"feu à {letters}"))


def test_a_geotag_alone_gives_its_commune() -> None:
    (place,) = parsers()[0].locate("grosse fumée", geo=LE_HAVRE)
    assert (place.insee, place.level, place.source, place.radius_km) == ("76351", "point", "geotag", 0.1)
    assert place.areas[0] == "fr:76351"


def test_a_geotag_that_tells_a_town_only_gives_that_town() -> None:
    (place,) = parsers()[0].locate("grosse fumée", geo=Geo(lat=49.4941, lon=0.1079, provenance="place"))
    assert (place.insee, place.level, place.source) == ("76351", "commune", "geotag")
    assert place.radius_km > 2


def test_a_point_in_the_town_that_the_text_names_is_kept() -> None:
    places = parsers()[0].locate("feu au Havre", geo=LE_HAVRE)
    assert [(place.level, place.insee) for place in places] == [("commune", "76351"), ("point", "76351")]


def test_a_misspelt_name_of_the_watched_area_is_guessed_where_something_burns() -> None:
    watching = parsers()[1]
    assert [place.name for place in watching.locate("incendie à Sandouvile", lang="fr")] == ["Sandouville"]
    assert watching.locate("joli marché à Sandouvile", lang="fr") == []
    assert parsers()[0].locate("incendie à Sandouvile", lang="fr") == []


def test_a_geotag_decides_between_places_of_one_name() -> None:
    places = parsers()[0].locate("feu à Sainte-Colombe", geo=Geo(lat=49.75, lon=0.75))
    assert places[0].place_id == "fr:76569"


def test_a_place_in_the_text_within_reach_of_the_geotag_leads() -> None:
    assert parsers()[0].locate("feu à Harfleur", geo=LE_HAVRE)[0].place_id == "fr:76341"


def test_a_geotag_leads_over_a_place_far_away() -> None:
    assert parsers()[0].locate("feu à Marseille", geo=LE_HAVRE)[0].source == "geotag"


def test_places_travel() -> None:
    for place in parsers()[0].locate("Incendie au Havre, Londres et Houston, Texas"):
        assert decode(encode(place), Place) == place


@pytest.mark.parametrize(
    ("every", "posts"), [pytest.param(9, 3_875, id="each ninth"), pytest.param(1, 34_875, marks=pytest.mark.long)]
)
def test_every_commune_is_found_by_name_and_departement(every: int, posts: int) -> None:
    scores = evaluate_generated(parsers()[0], every=every)
    assert scores["posts"] == posts
    assert scores["missed"] == []
    assert scores["plain_right"] >= 0.995


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "geo").is_dir(), reason="VIGIE_LABELLED_POSTS names no folder with labelled posts")
def test_gold_places_of_other_events() -> None:
    scores = evaluate(DATA / "geo" / "idrisi_d_en.jsonl.gz", parsers()[0])
    assert scores["city_accuracy161"] >= 0.92
    assert scores["city_median_km"] <= 2
    assert scores["precision"] >= 0.88
    assert scores["city_recall"] >= 0.82
