"""A form about an incident becomes a decision, or problems by field."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from console.deciding.decision_form import Deciding, identity_of, verdict_from
from console.deciding.silence_form import silence_from
from console.problem import Problem
from records import Alert, Matcher, Place, Silence, Verdict
from records.alert import Level
from tests.console.made import LE_HAVRE, an_alert, minutes

HARFLEUR = replace(LE_HAVRE, place_id="fr:76341", name="Harfleur", insee="76341", lat=49.51, lon=0.2)
ELSEWHERE = replace(HARFLEUR, place_id="fr:27001", insee="27001", dep="27")
PLACES = {"Harfleur": (HARFLEUR,), "Deux": (HARFLEUR, replace(HARFLEUR, place_id="x")), "Loin": (HARFLEUR, ELSEWHERE)}


def deciding(alert: Alert | None = None, **changes: Any) -> Deciding:
    found: dict[str, Any] = {
        "alert": alert or an_alert(),
        "by": "astreinte",
        "account_id": "a1",
        "at": minutes(4),
        "find_place": lambda text: PLACES.get(text, ()),
        "text": lambda text: text,
        "joinable": ("fire-other",),
        "shown": ("bluesky:1", "bluesky:2"),
    }
    return Deciding(**{**found, **changes})


def read(typed: dict[str, str], post_keys: Sequence[str] = (), alert: Alert | None = None) -> Verdict:
    verdict = verdict_from({"nonce": "n1", **typed}, post_keys, deciding(alert))
    assert isinstance(verdict, Verdict), verdict
    return verdict


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param({"decision": "acknowledge"}, {}, id="acknowledge says no more"),
        pytest.param({"decision": "close", "reason": " SDIS "}, {"reason": "SDIS"}, id="close"),
        pytest.param(
            {"decision": "confirm", "by": "authority", "reason": "SDIS 76"},
            {"reason": "by an authority: SDIS 76"},
            id="confirm says by whom",
        ),
        pytest.param({"decision": "confirm", "by": "staff"}, {"reason": "by our own staff on site"}, id="bare"),
        pytest.param({"decision": "reject", "why": "hoax"}, {"reason": "hoax"}, id="reject, from the list"),
        pytest.param(
            {"decision": "reject", "why": "other", "reason": "essai"}, {"reason": "essai"}, id="reject, in words"
        ),
        pytest.param(
            {"decision": "change_hazard", "read_as": "industrial"}, {"read_as": "industrial"}, id="change_hazard"
        ),
        pytest.param({"decision": "merge", "other": "fire-other"}, {"other": "fire-other"}, id="merge"),
        pytest.param({"decision": "note", "reason": "vu"}, {"reason": "vu"}, id="note"),
        pytest.param({"decision": "withdraw", "withdraws": "d1"}, {"withdraws": "d1"}, id="withdraw"),
    ],
)
def test_a_form_becomes_the_decision_that_it_states(typed: dict[str, str], said: dict[str, Any]) -> None:
    verdict = read(typed)
    usual = {"reason": "", "withdraws": "", "place": None, "read_as": None, "other": "", "post_keys": ()}
    assert {name: getattr(verdict, name) for name in usual} == {**usual, **said}
    assert (verdict.decision, verdict.decided_by, verdict.decided_at) == (typed["decision"], "astreinte", minutes(4))


def test_a_decision_goes_to_the_state_that_has_the_incident() -> None:
    verdict = read({"decision": "acknowledge"}, alert=an_alert(hazard="industrial", owned_as="fire", area=""))
    assert (verdict.hazard, verdict.area) == ("fire", "76")


def test_a_split_names_the_posts_that_leave() -> None:
    assert read({"decision": "split"}, ["bluesky:2"]).post_keys == ("bluesky:2",)


def test_a_split_of_what_is_joined_names_the_other_one() -> None:
    verdict = read({"decision": "split", "other": "fire-big"}, alert=an_alert(joins="fire-big"))
    assert (verdict.other, verdict.post_keys) == ("fire-big", ())


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        pytest.param({"decision": "explode"}, ("decision", "no_decision"), id="no decision of ours"),
        pytest.param({"decision": "confirm"}, ("by", "missing_by"), id="confirmed by nobody"),
        pytest.param({"decision": "confirm", "by": "me"}, ("by", "missing_by"), id="confirmed by whoever"),
        pytest.param({"decision": "reject", "reason": "x"}, ("why", "missing_why"), id="rejected for no reason"),
        pytest.param({"decision": "reject", "why": "other"}, ("reason", "missing_words"), id="another reason, unsaid"),
        pytest.param({"decision": "note", "reason": "  "}, ("reason", "missing_words"), id="an empty note"),
        pytest.param({"decision": "note", "reason": "x" * 2001}, ("reason", "too_long"), id="a note too long"),
        pytest.param({"decision": "close", "reason": "x" * 501}, ("reason", "too_long"), id="a reason too long"),
        pytest.param({"decision": "change_hazard"}, ("read_as", "missing_hazard"), id="no hazard"),
        pytest.param({"decision": "change_hazard", "read_as": "fire"}, ("read_as", "same_hazard"), id="same hazard"),
        pytest.param({"decision": "merge", "other": "fire-closed"}, ("other", "missing_other"), id="not an open one"),
        pytest.param({"decision": "split"}, ("post_keys", "missing_posts"), id="no post"),
        pytest.param({"decision": "split", "other": "fire-big"}, ("other", "not_joined"), id="was not joined"),
        pytest.param({"decision": "withdraw"}, ("withdraws", "missing_withdraws"), id="takes nothing back"),
        pytest.param({"decision": "relocate"}, ("name", "missing_place"), id="nowhere"),
    ],
)
def test_a_form_that_decides_nothing_says_which_field(typed: dict[str, str], problem: tuple[str, str]) -> None:
    assert verdict_from(typed, (), deciding()) == (Problem(*problem),)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param(["bluesky:1", "bluesky:2"], "all_posts", id="all of them"),
        pytest.param(["bluesky:9"], "missing_posts", id="one that was not shown"),
    ],
)
def test_a_split_leaves_posts_and_takes_such_as_were_shown(keys: list[str], code: str) -> None:
    assert verdict_from({"decision": "split"}, keys, deciding()) == (Problem("post_keys", code),)


def relocated(**typed: str) -> Place | tuple[Problem, ...]:
    verdict = verdict_from({"decision": "relocate", **typed}, (), deciding())
    if not isinstance(verdict, Verdict):
        return verdict
    assert verdict.place is not None
    return verdict.place


def test_a_position_is_a_point_in_the_same_areas_on_a_persons_word() -> None:
    place = relocated(lat="49,4801", lon="0.1502", name="Centrale")
    assert place == replace(
        LE_HAVRE,
        place_id="said:49.48010,0.15020",
        name="Centrale",
        lat=49.4801,
        lon=0.1502,
        radius_km=0.3,
        level="point",
        confidence=1.0,
        source="person",
        reasons=("astreinte",),
    )


def test_a_position_without_a_name_is_called_by_its_degrees() -> None:
    place = relocated(lat="49.4801", lon="0.1502", radius_km="2", level="quartier")
    assert isinstance(place, Place)
    assert (place.name, place.radius_km, place.level) == ("49.48010, 0.15020", 2.0, "quartier")


@pytest.mark.parametrize(
    ("insee", "dep"),
    [("76341", "76"), ("27001", "27"), ("2a004", "2A"), ("97411", "974"), ("98818", "988")],
)
def test_a_commune_that_is_said_gives_its_departement(insee: str, dep: str) -> None:
    place = relocated(lat="49.48", lon="0.15", insee=insee)
    assert isinstance(place, Place)
    assert (place.insee, place.dep, place.epci) == (insee.upper(), dep, None)


def test_a_name_gives_the_place_that_has_it_with_its_own_precision() -> None:
    place = relocated(name="Harfleur")
    assert place == replace(HARFLEUR, confidence=1.0, source="person", reasons=("astreinte",))


def test_of_several_places_the_only_one_of_this_area_is_meant() -> None:
    place = relocated(name="Loin")
    assert isinstance(place, Place)
    assert place.place_id == HARFLEUR.place_id


def test_who_says_which_of_several_places_gets_that_one() -> None:
    place = relocated(name="Loin", place_id="fr:27001")
    assert isinstance(place, Place)
    assert place.place_id == "fr:27001"


def test_several_places_of_a_name_are_shown_to_be_chosen_from() -> None:
    assert relocated(name="Deux") == (Problem("place_id", "which_place", PLACES["Deux"]),)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        pytest.param({"name": "Nulle part"}, ("name", "unknown_place"), id="a name that nobody knows"),
        pytest.param({"lat": "49"}, ("lat", "half_position"), id="half a position"),
        pytest.param({"lat": "91", "lon": "0"}, ("lat", "bad_lat"), id="beyond the pole"),
        pytest.param({"lat": "49", "lon": "est"}, ("lon", "bad_lon"), id="no number"),
        pytest.param({"lat": "nan", "lon": "0"}, ("lat", "bad_lat"), id="not a number"),
        pytest.param({"name": "Harfleur", "radius_km": "0"}, ("radius_km", "bad_radius_km"), id="no radius"),
        pytest.param({"lat": "49", "lon": "0", "insee": "7635"}, ("insee", "bad_insee"), id="no INSEE code"),
        pytest.param({"name": "x" * 201}, ("name", "too_long"), id="a name too long"),
    ],
)
def test_a_place_that_cannot_be_read_says_which_field(typed: dict[str, str], problem: tuple[str, str]) -> None:
    assert relocated(**typed) == (Problem(*problem),)


def test_a_form_sent_twice_is_one_decision() -> None:
    typed = {"nonce": "n1", "reason": "vu", "csrf": "a", "known": "3"}
    assert identity_of(typed, "a1") == identity_of({**typed, "csrf": "b", "known": "4"}, "a1")


@pytest.mark.parametrize(
    ("changes", "account_id"),
    [
        pytest.param({"reason": "autre"}, "a1", id="other words"),
        pytest.param({"nonce": "n2"}, "a1", id="another form"),
        pytest.param({}, "a2", id="somebody else"),
    ],
)
def test_what_is_not_the_same_is_another_decision(changes: dict[str, str], account_id: str) -> None:
    typed = {"nonce": "n1", "reason": "vu"}
    assert identity_of({**typed, **changes}, account_id) != identity_of(typed, "a1")


def test_a_silence_keeps_back_what_is_told_of_this_incident_alone() -> None:
    alert = an_alert()
    made = silence_from({"hours": "4", "reason": "essai"}, alert, silence_id="s1", by="astreinte", at=minutes(0))
    assert isinstance(made, Silence)
    assert made.matchers == (Matcher(name="incident_id", value=alert.incident_id),)
    assert made.ends_at - made.starts_at == timedelta(hours=4)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        pytest.param({"hours": "4"}, ("reason", "missing_reason"), id="no reason"),
        pytest.param({"hours": "9999", "reason": "x"}, ("hours", "bad_hours"), id="longer than a week"),
        pytest.param({"hours": "4", "reason": "x" * 301}, ("reason", "too_long"), id="a reason too long"),
    ],
)
def test_a_silence_says_why_and_ends_within_a_week(typed: dict[str, str], problem: tuple[str, str]) -> None:
    made = silence_from(typed, an_alert(), silence_id="s1", by="astreinte", at=minutes(0))
    assert made == (Problem(*problem),)


@pytest.mark.parametrize("level", get_args(Level))
def test_only_what_is_open_can_be_closed(level: Level) -> None:
    found = verdict_from({"nonce": "n1", "decision": "close"}, (), deciding(an_alert(level=level)))
    if level in ("watch", "alert", "confirmed", "monitoring"):
        assert isinstance(found, Verdict)
    else:
        assert found == (Problem("decision", "not_open"),)
