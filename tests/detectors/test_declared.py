"""Whether what was declared fits what people perceive: place, direction, time, phenomenon; and whom to call if not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.declared import judged
from detectors.duty import Duty, duty_for
from detectors.perceived import bare, perceived_in, phenomena_in
from records import Bulletin, Place

NIGHT = datetime(2026, 1, 18, 22, 45, tzinfo=UTC)
GONFREVILLE: dict[str, Any] = {
    "place_id": "fr:76305",
    "name": "Gonfreville-l'Orcher",
    "insee": "76305",
    "lat": 49.505,
    "lon": 0.234,
    "radius_km": 2.5,
}
NOISE = ("Bruit assourdissant ici", "ça siffle depuis dix minutes")


def notice(**changes: Any) -> Bulletin:
    fields: dict[str, Any] = {
        "bulletin_id": "stub:1",
        "source": "Allo Industrie",
        "kind": "operator_notice",
        "area": "76",
        "issued_at": NIGHT - timedelta(hours=1),
        "received_at": NIGHT - timedelta(hours=1),
        "text": "Usine",
        "phenomenon": "noise",
    }
    return Bulletin(**{**fields, **changes})


@pytest.mark.parametrize(
    ("text", "phenomena"),
    [
        ("Énorme panache de fumée au-dessus du port", {"smoke"}),
        ("la torche crache des flammes", {"flare"}),
        ("un grondement, les vitres vibrent", {"noise"}),
        ("ça pue le soufre", {"odour"}),
        ("ça sent l’œuf pourri", {"odour"}),
        ("grosse déflagration", {"blast"}),
        ("les sirènes sonnent", {"siren"}),
        ("Loud roaring noise from the plant", {"noise"}),
        ("je ne comprends rien", set()),
        ("", set()),
    ],
)
def test_words_name_what_people_perceive(text: str, phenomena: set[str]) -> None:
    assert phenomena_in(bare(text)) == phenomena


def test_what_one_of_many_adds_does_not_speak_for_all() -> None:
    perceived = perceived_in([*NOISE, "quel bruit", "quel vacarme, et ça pue"])
    assert perceived.phenomena == {"noise"}
    assert perceived.named == {"noise", "odour"}


@pytest.mark.parametrize(
    ("text", "directions"),
    [
        ("je vois des flammes vers l'est", (90.0,)),
        ("grosse fumée au nord-est", (45.0,)),
        ("fumée noire plein sud ouest", (225.0,)),
        ("black smoke to the north", (0.0,)),
        ("la fumée part vers l'est", ()),
        ("incendie au nord de la ville", ()),
        ("le feu est dans le Nord", ()),
        ("il est à l'est", (90.0,)),
    ],
)
def test_directions_are_where_people_look_not_where_smoke_drifts(text: str, directions: tuple[float, ...]) -> None:
    assert perceived_in([text]).directions == directions


@pytest.mark.parametrize(
    ("changes", "texts", "because"),
    [
        pytest.param({}, NOISE, "same time, noise announced", id="fits"),
        pytest.param({}, (), "same time", id="words gone"),
        pytest.param({"phenomenon": "odour"}, NOISE, "does not announce noise", id="another phenomenon"),
        pytest.param({"phenomenon": "maintenance"}, NOISE, "does not announce noise", id="works, no more"),
        pytest.param(
            {"phenomenon": "maintenance", "text": "Arrêt : bruit possible"},
            NOISE,
            "same time, noise announced",
            id="works that are heard",
        ),
        pytest.param({"phenomenon": None, "text": "Torche"}, ("flammes",), "same time, flames announced", id="old"),
        pytest.param({"phenomenon": None, "text": "Avis"}, NOISE, "same time", id="says nothing"),
        pytest.param({"phenomenon": "incident"}, ("explosion !",), "same time", id="an incident may be anything"),
        pytest.param({}, ("explosion !",), "does not announce an explosion", id="a blast"),
        pytest.param({"kind": "siren_test"}, ("les sirènes !",), "same time, sirens announced", id="sirens"),
        pytest.param({"kind": "siren_test"}, NOISE, "nobody speaks of a siren", id="a siren unheard"),
        pytest.param({"kind": "siren_test"}, ("fumée",), "does not announce smoke", id="more than a siren"),
        pytest.param({"kind": "exercise"}, ("fumée, explosion",), "same time", id="an exercise may be anything"),
        pytest.param(
            {"phenomenon": "flare"}, ("flammes, sirènes partout",), "same time, flames announced", id="pin-pon"
        ),
    ],
)
def test_the_phenomenon_must_be_one_that_was_announced(
    changes: dict[str, Any], texts: tuple[str, ...], because: str, place_with: Callable[..., Any]
) -> None:
    judgement = judged(notice(**changes), place_with(**GONFREVILLE), NIGHT, perceived_in(texts))
    assert judgement.because["en"] == because
    assert judgement.fits == because.startswith("same")


@pytest.mark.parametrize(
    ("where", "texts", "because"),
    [
        pytest.param((49.505, 0.30), NOISE, "5 km away to the east, same time, noise announced", id="near"),
        pytest.param(
            (49.505, 0.30), ("bruit vers l'est",), "5 km away to the east, same time, noise announced", id="seen"
        ),
        pytest.param(
            (49.505, 0.30),
            ("bruit vers l'ouest",),
            "perceived to the west, the site lies to the east",
            id="the other way",
        ),
        pytest.param((49.505, 0.30), ("bruit plein nord", "bruit vers l'est"), "5 km away to the east", id="one does"),
        pytest.param((49.51, 0.24), ("bruit vers l'ouest",), "same place, same time, noise announced", id="too near"),
        pytest.param((49.3, 0.234), NOISE, "23 km away to the south", id="too far"),
    ],
)
def test_the_site_must_lie_near_and_where_people_look(
    where: tuple[float, float], texts: tuple[str, ...], because: str, place_with: Callable[..., Any]
) -> None:
    site = place_with(place_id="local:site:x", name="Usine", level="site", lat=where[0], lon=where[1], radius_km=2.0)
    judgement = judged(notice(place=site), place_with(**GONFREVILLE), NIGHT, perceived_in(texts))
    assert judgement.because["en"].startswith(because)


@given(texts=st.lists(st.text(max_size=80), max_size=8), lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_whatever_is_said_wherever_gets_an_answer_in_both_languages(texts: list[str], lat: float, lon: float) -> None:
    site, here = (
        Place(
            place_id=name,
            name=name,
            lat=where[0],
            lon=where[1],
            radius_km=2.0,
            level="site",
            confidence=1.0,
            source="text",
            reasons=("named",),
        )
        for name, where in (("site", (lat, lon)), ("here", (49.5, 0.1)))
    )
    judgement = judged(notice(place=site), here, NIGHT, perceived_in([*texts, "bruit vers l'est"]))
    assert judgement.because["fr"]
    assert judgement.because["en"]


def test_each_reason_against_is_told_in_both_languages(place_with: Callable[..., Any]) -> None:
    later = notice(phenomenon="odour", starts_at=NIGHT + timedelta(hours=3))
    judgement = judged(later, place_with(**GONFREVILLE), NIGHT, perceived_in(NOISE))
    assert judgement.because == {
        "fr": "ne commence qu’après, n’annonce pas de bruit",
        "en": "begins only later, does not announce noise",
    }


SITE = Duty(name="poste de garde", number="1", site="Raffinerie de Normandie")
COMMUNE = Duty(name="mairie", number="2", insee="76305")
AREA = Duty(name="port", number="3", area="76")


@pytest.mark.parametrize(
    ("name", "insee", "expected"),
    [
        ("raffinerie de Normandie", "76305", SITE),
        ("Gonfreville-l'Orcher", "76305", COMMUNE),
        ("Le Havre", "76351", AREA),
    ],
)
def test_the_nearest_number_is_called(name: str, insee: str, expected: Duty, place_with: Callable[..., Any]) -> None:
    place = place_with(name=name, insee=insee)
    assert duty_for([AREA, COMMUNE, SITE], [place], "76") == expected
    assert duty_for([SITE], [place_with(name="Dieppe", insee="76217")], "76") is None
    assert duty_for([], [place], "76") is None
