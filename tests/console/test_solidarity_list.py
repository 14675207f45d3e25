"""The list of needs and offers: what is near, later than the onset and still open, copies counted once, calls apart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from console.digests.solidarity_list import MOST, NEAR_KM, Listing, is_in_reach, listed, told
from console.distance import kilometres
from records import Alert, Claim, Place, decode, encode

GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
UNTIL = NOON + timedelta(hours=12)
ROUEN = Place(
    place_id="fr:76540", name="Rouen", lat=49.44, lon=1.1, radius_km=5, level="commune", confidence=0.9, source="text",
    reasons=("named",), country="FR", dep="76",
)  # fmt: skip
NEXT_TOWN = replace(ROUEN, place_id="fr:76451", name="Mont-Saint-Aignan", lat=49.463)
LE_HAVRE = replace(ROUEN, place_id="fr:76351", name="Le Havre", lat=49.494, lon=0.108)
DEP = replace(ROUEN, place_id="fr:dep:76", name="Seine-Maritime", lat=49.66, lon=0.9, radius_km=60, level="dep")
COUNTRY = replace(ROUEN, place_id="country:FR", name="France", lat=46.5, lon=2.5, radius_km=500, level="country")
COUNTRY = replace(COUNTRY, dep=None)

MakeClaim = Callable[..., Claim]


def alert(number: int = 1, **fields: Any) -> Alert:
    given = {"incident_id": f"flood-{number}", "hazard": "flood", "level": "watch", "area": "76", "also": ()}
    times = {"onset": NOON, "raised_at": NOON, "place": ROUEN}
    return replace(decode(GOLDEN.read_bytes(), Alert), **{**given, **times, **fields})


def claim(key: str, thing: str = "tools", minutes: float = 10, **fields: Any) -> Claim:
    at = NOON + timedelta(minutes=minutes)
    given: dict[str, Any] = {
        "kind": "need",
        "thing": thing,
        "post_key": key,
        "source": "stub",
        "event_time": at,
        "received_at": at,
        "place": ROUEN,
        "confidence": 0.65,
        "text": f"{key} {thing}",
    }
    return Claim(**{**given, **fields})


def one_list(*claims: Claim, **fields: Any) -> Listing:
    (listing,) = listed([alert(**fields)], claims, UNTIL)
    return listing


def keys(rows: Any) -> list[str]:
    return [row.claim.post_key for row in rows]


def needs(*claims: Claim, **fields: Any) -> list[str]:
    found = listed([alert(**fields)], claims, UNTIL)
    return [key for listing in found for key in keys(listing.needs)]


def test_needs_offers_and_calls_stand_apart_the_newest_first_in_whatever_order_they_come() -> None:
    said = [
        claim("old", minutes=1),
        claim("new", "food", minutes=5),
        claim("offer", kind="offer", minutes=9),
        claim("collection", "clothes", is_call=True),
    ]
    for order in permutations(said):
        listing = one_list(*order)
        assert (keys(listing.needs), keys(listing.offers), keys(listing.calls)) == (
            ["new", "old"],
            ["offer"],
            ["collection"],
        )


def test_what_was_said_before_the_incident_or_after_the_end_is_not_listed() -> None:
    assert needs(claim("before", minutes=-1), claim("with", minutes=0), claim("after", minutes=721)) == ["with"]


# Where


@pytest.mark.parametrize(
    ("place", "fields", "is_listed"),
    [
        pytest.param(NEXT_TOWN, {}, True, id="the next town"),
        pytest.param(LE_HAVRE, {}, False, id="another town of the same area"),
        pytest.param(LE_HAVRE, {"also": ("Le Havre",)}, True, id="another place of the incident"),
        pytest.param(DEP, {}, True, id="the area, no more precisely"),
        pytest.param(replace(DEP, dep="27"), {}, False, id="another area"),
        pytest.param(LE_HAVRE, {"place": DEP}, True, id="an incident that is somewhere in the area"),
        pytest.param(COUNTRY, {}, False, id="somewhere in the country"),
        pytest.param(None, {}, False, id="nowhere"),
    ],
)
def test_what_is_in_reach_is_listed(place: Place | None, fields: dict[str, Any], is_listed: bool) -> None:
    assert needs(claim("p", place=place), **fields) == ["p"] * is_listed


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_reach_is_the_incident_s_own_radius_and_some_kilometres_in_all_directions(north: float, east: float) -> None:
    place = replace(NEXT_TOWN, lat=ROUEN.lat + north, lon=ROUEN.lon + east)
    assert is_in_reach(place, alert()) == (kilometres(ROUEN, place) <= NEAR_KM + ROUEN.radius_km)


def test_of_two_incidents_in_reach_the_nearest_has_it_and_it_is_listed_once() -> None:
    alerts = [alert(1, place=NEXT_TOWN), alert(2), alert(3)]
    found = listed(alerts, [claim("p")], UNTIL)
    assert [one.alert.incident_id for one in found] == ["flood-2"]


@pytest.mark.parametrize(
    ("level", "hours", "is_listed"),
    [("alert", 1, True), ("resolved", 1, True), ("rejected", 1, False), ("signal", 1, False), ("resolved", 80, False)],
)
def test_open_and_recent_incidents_have_a_list(level: str, hours: float, is_listed: bool) -> None:
    heard = UNTIL - timedelta(hours=hours)
    found = needs(claim("p", event_time=heard), level=level, onset=heard, raised_at=heard)
    assert found == ["p"] * is_listed


def test_an_incident_around_which_nothing_is_said_has_no_list() -> None:
    assert listed([alert()], [], UNTIL) == []


# What is closed


def test_what_is_closed_in_its_own_post_is_not_listed() -> None:
    assert needs(claim("p", is_closed=True)) == []


@pytest.mark.parametrize(
    ("said", "closing", "is_open"),
    [
        pytest.param({}, {"answers": ("p",), "place": None}, False, id="by an answer that names no place"),
        pytest.param({}, {"answers": ("other",), "place": None}, True, id="by an answer to somebody else"),
        pytest.param({}, {}, False, id="by anybody there, of what a place needs"),
        pytest.param({}, {"minutes": 9}, True, id="before it was asked for"),
        pytest.param({}, {"place": NEXT_TOWN}, True, id="in the next town"),
        pytest.param({}, {"thing": "food"}, True, id="for another thing"),
        pytest.param({}, {"kind": "offer"}, True, id="for an offer of the same"),
        pytest.param({"thing": "shelter"}, {"thing": "shelter"}, True, id="by somebody else, of what a person needs"),
        pytest.param(
            {"thing": "shelter"}, {"thing": "shelter", "answers": ("p",)}, False, id="by an answer, of the same"
        ),
        pytest.param({"place": DEP}, {"place": DEP}, True, id="somewhere in the area"),
    ],
)
def test_a_need_is_closed(said: dict[str, Any], closing: dict[str, Any], is_open: bool) -> None:
    closing_claim = claim("c", **{"thing": "tools", "minutes": 30, "is_closed": True, **closing})
    assert needs(claim("p", **said), closing_claim) == ["p"] * is_open


def test_an_offer_is_closed_by_an_answer_alone() -> None:
    full = claim("full", kind="offer", thing="shelter", minutes=30, is_closed=True)
    mine = claim("mine", kind="offer", thing="shelter")
    assert keys(one_list(mine, full).offers) == ["mine"]
    assert listed([alert()], [mine, replace(full, answers=("mine",))], UNTIL) == []


# Copies, and how many


def test_nearly_the_same_words_are_one_line_with_several_voices() -> None:
    text = "On cherche des pelles et des seaux pour la rue du moulin à Rouen, merci de partager"
    copies = [claim(f"p{n}", minutes=n, text=f"{text} {'!' * n} https://example.org/{n}") for n in range(3)]
    (row,) = one_list(*copies).needs
    assert (row.claim.post_key, row.voices) == ("p2", 3)


@pytest.mark.parametrize("fields", [{"quantity": 2, "measure": "2 pelles"}, {"place": NEXT_TOWN}, {"thing": "food"}])
def test_another_number_place_or_thing_is_another_line(fields: dict[str, Any]) -> None:
    text = "On cherche des pelles, merci de partager"
    assert len(needs(claim("p", text=text), claim("q", **{"text": text, **fields}))) == 2


def test_there_are_so_many_lines_and_how_many_are_left_out_is_said() -> None:
    said = [claim(f"p{n:02}", minutes=n, text=f"numéro {n}") for n in range(MOST + 3)]
    listing = one_list(*said, claim("call", is_call=True))
    assert (len(listing.needs), listing.left_out) == (MOST, 3)
    assert keys(listing.needs)[0] == f"p{MOST + 2:02}", "the newest stand"


def test_a_digest_bears_neither_words_nor_links_nor_keys_of_posts() -> None:
    said = claim("facebook:secret", text="Besoin de pelles rue du Moulin", url="https://example.org/secret", quantity=2)
    shown = encode(told(one_list(replace(said, measure="2 pelles"))))
    assert b"secret" not in shown
    assert b"Moulin" not in shown
    assert b'"measure":"2 pelles"' in shown


PLACES = st.sampled_from([ROUEN, NEXT_TOWN, LE_HAVRE, DEP, None])


@given(
    st.lists(
        st.builds(
            lambda number, minutes, place, kind, is_closed, text: claim(
                f"p{number}", minutes=minutes, place=place, kind=kind, is_closed=is_closed, text=text
            ),
            st.integers(0, 5), st.integers(-60, 60), PLACES, st.sampled_from(["need", "offer"]), st.booleans(),
            st.text(max_size=9),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_no_claim_is_listed_twice_and_none_that_is_closed_early_or_nowhere(claims: list[Claim]) -> None:
    found = listed([alert(1), alert(2, place=NEXT_TOWN)], claims, UNTIL)
    rows = [row for one in found for row in (*one.needs, *one.offers, *one.calls)]
    assert sum(row.voices for row in rows) <= len(claims)
    assert all(row.claim.event_time >= NOON and row.claim.place and not row.claim.is_closed for row in rows)
