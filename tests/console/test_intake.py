"""Intake: what a form tells, what is wrong with it, and the post that becomes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from console.access.roles import Role
from console.catalogue import words
from console.reports.intake import (
    SAID,
    SEEN,
    SEEN_BY,
    USUAL,
    WHATS,
    SeenBy,
    Spot,
    Told,
    What,
    author_kind_of,
    corrected,
    is_elsewhere,
    near,
    post_from,
    pseudonym,
    taken_back,
    text_of,
)
from console.reports.intake_form import PROBLEMS, Field, cleaned, told_from
from records import Geo, Place, Post, decode, encode, report_in
from tests.console.made import LE_HAVRE, an_alert, minutes

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
REPORT = "0123456789abcdef"
GOOD = {
    "report_id": REPORT,
    "what": "fire",
    "words": "Fumée noire",
    "lat": "49.505",
    "lon": "0.230",
    "seen_at": "2026-11-30T10:45",
    "seen_by": "caller",
}


def told(fields: dict[str, str], *, now: datetime = NOW, places: Sequence[Place] = ()) -> Told | dict[Field, str]:
    return told_from({**GOOD, **fields}, now=now, zone=PARIS, find_place=lambda _: places)


def a_told(**fields: str) -> Told:
    found = told(fields)
    assert isinstance(found, Told), found
    return found


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        pytest.param({"what": ""}, {"what": "what"}, id="nothing chosen"),
        pytest.param({"what": "volcano"}, {"what": "what"}, id="no kind of ours"),
        pytest.param({"what": "other", "words": " \n"}, {"words": "words"}, id="another danger without a word"),
        pytest.param({"words": "x" * 1001}, {"words": "too_long"}, id="too many words"),
        pytest.param({"lat": "", "lon": ""}, {"place": "where"}, id="nowhere"),
        pytest.param({"lat": "49.5", "lon": ""}, {"lat": "point"}, id="half a point"),
        pytest.param({"lat": "x", "lon": "0"}, {"lat": "point"}, id="no number"),
        pytest.param({"lat": "nan", "lon": "0"}, {"lat": "point"}, id="not a number"),
        pytest.param({"lat": "91", "lon": "0"}, {"lat": "point"}, id="off the earth"),
        pytest.param({"lat": "", "lon": "", "place": "Nullepart"}, {"place": "unknown_place"}, id="unknown place"),
        pytest.param({"place": "x" * 121}, {"place": "too_long"}, id="too long a place"),
        pytest.param({"seen_at": "yesterday"}, {"seen_at": "seen_at"}, id="no time"),
        pytest.param({"seen_at": "2026-11-30T11:06"}, {"seen_at": "ahead"}, id="in the future"),
        pytest.param({"seen_at": "2026-11-20T11:00"}, {"seen_at": "too_old"}, id="long ago"),
        pytest.param({"seen_at": "0001-01-01T00:00"}, {"seen_at": "too_old"}, id="at the beginning of time"),
        pytest.param({"seen_by": ""}, {"seen_by": "seen_by"}, id="nobody saw it"),
        pytest.param({"seen_by": "Mme Untel"}, {"seen_by": "seen_by"}, id="somebody's name"),
        pytest.param({"credibility": "absolute"}, {"credibility": "credibility"}, id="no credibility of ours"),
        pytest.param({"url": "javascript:alert(1)"}, {"url": "url"}, id="a script"),
        pytest.param({"url": "https://e.org/ x"}, {"url": "url"}, id="more than a link"),
        pytest.param({"url": "https://e.org/" + "x" * 2048}, {"url": "too_long"}, id="too long a link"),
        pytest.param({"photo_note": "x" * 301}, {"photo_note": "too_long"}, id="too long a note"),
        pytest.param({"report_id": "1/../2"}, {"report_id": "form"}, id="not our form"),
    ],
)
def test_what_is_wrong_is_told_of_its_field(fields: dict[str, str], wrong: dict[str, str]) -> None:
    assert told(fields) == wrong


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert told_from({}, now=NOW, zone=PARIS, find_place=lambda _: ()) == {
        "report_id": "form",
        "what": "what",
        "seen_by": "seen_by",
        "place": "where",
    }


def test_every_problem_is_said_in_french_too() -> None:
    french = words("fr")
    assert [said for said in PROBLEMS.values() if french.gettext(said) == said] == []


@pytest.mark.parametrize(
    ("typed", "now", "seen_at"),
    [
        pytest.param("2026-11-30T10:45", NOW, datetime(2026, 11, 30, 9, 45, tzinfo=UTC), id="by the clock of Paris"),
        pytest.param("", NOW, NOW, id="none: now"),
        pytest.param(
            "2026-10-25T02:30",
            datetime(2026, 10, 25, 1, 40, tzinfo=UTC),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            id="the hour that comes twice: the later one",
        ),
        pytest.param(
            "2026-10-25T02:30",
            datetime(2026, 10, 25, 0, 40, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            id="the hour that comes twice: the later one is still to come",
        ),
    ],
)
def test_a_time_is_read_by_the_clock_of_the_cell(typed: str, now: datetime, seen_at: datetime) -> None:
    found = told({"seen_at": typed}, now=now)
    assert isinstance(found, Told)
    assert found.seen_at == seen_at


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_who_saw_it_says_how_sure_it_is_unless_somebody_says_otherwise(seen_by: SeenBy) -> None:
    assert a_told(seen_by=seen_by).credibility == USUAL[seen_by]
    assert a_told(seen_by=seen_by, credibility="low").credibility == "low"


def test_a_point_goes_before_a_name() -> None:
    assert a_told(place="Le Havre").spot == Spot(name="Le Havre", lat=49.505, lon=0.23, accuracy="point")


def test_of_places_of_one_name_the_one_that_is_meant_is_taken() -> None:
    other = structs.replace(LE_HAVRE, place_id="fr:1")
    for meant, first in (("", "fr:76351"), ("fr:1", "fr:1"), ("fr:nothing", "fr:76351")):
        named = {"lat": "", "lon": "", "place": "Le Havre", "meant": meant}
        found = told(named, places=(LE_HAVRE, other))
        assert isinstance(found, Told)
        assert (found.meant[0].place_id, found.spot.accuracy) == (first, "place")


def test_what_nobody_types_is_left_out() -> None:
    assert cleaned(" a\x00\x1b\r\nb\ud800\t ") == "a\nb"


@pytest.mark.parametrize(
    ("text", "has_number"),
    [
        ("rappeler au 06 12 45 78 90", True),
        ("+33612457890", True),
        ("flammes de 12 m à 10 h 45, 3 camions", False),
        ("49.50512, 0.23045", False),
    ],
)
def test_a_number_that_looks_like_a_telephone_s_is_noticed(text: str, has_number: bool) -> None:
    assert a_told(words=text).has_number is has_number


@pytest.mark.parametrize(
    ("what", "ago", "is_old"),
    [("fire", 5, False), ("fire", 7, True), ("flood", 23, False), ("flood", 25, True)],
)
def test_what_detectors_have_forgotten_is_old(what: str, ago: int, is_old: bool) -> None:
    found = replace(a_told(what=what), seen_at=NOW - timedelta(hours=ago))
    assert found.is_old(NOW) is is_old


@pytest.mark.parametrize(
    ("language", "place", "text"),
    [
        ("fr", "Le Havre", "Incendie au Havre.\nFumée noire\n(Saisi à la main ; vu par : un appelant.)"),
        ("fr", "", "Incendie.\nFumée noire\n(Saisi à la main ; vu par : un appelant.)"),
        ("en", "Le Havre", "Fire in Le Havre.\nFumée noire\n(Typed in by hand; seen by: a caller.)"),
    ],
)
def test_the_text_says_what_where_and_who_saw_it(language: str, place: str, text: str) -> None:
    assert text_of(a_told(place=place), language) == text  # type: ignore[arg-type]


def a_post(told: Told, role: Role = "operator") -> Post:
    return post_from(told, post_id="r1", author_id="a1", role=role, language="fr", now=NOW)


def test_a_report_becomes_a_trusted_post_with_what_was_stated() -> None:
    post = a_post(a_told(what="smell", seen_by="colleague", url="https://e.org/1", accuracy="place"))
    assert decode(encode(post), Post) == post
    assert (post.key, post.source, post.is_trusted, post.url) == ("vigie:r1", "intake", True, "https://e.org/1")
    assert (post.posted_at, post.received_at, post.lang) == (datetime(2026, 11, 30, 9, 45, tzinfo=UTC), NOW, "fr")
    assert post.geo == Geo(lat=49.505, lon=0.23, provenance="place")
    assert report_in(post) == ("industrial", "high", True)


def test_the_note_on_a_photo_stays_here() -> None:
    assert "MMS" not in str(a_post(a_told(photo_note="MMS du standard")))


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_every_report_states_its_hazard(what: What, seen_by: SeenBy) -> None:
    report = report_in(a_post(a_told(what=what, seen_by=seen_by)))
    assert report is not None
    assert (report.hazard, report.credibility) == (a_told(what=what).hazard, USUAL[seen_by])


@pytest.mark.parametrize(
    ("seen_by", "role", "kind"),
    [
        pytest.param("own_eyes", "operator", "person", id="staff is no authority"),
        pytest.param("caller", "admin", "person", id="nor is a caller"),
        pytest.param("emergency_services", "operator", "official", id="the emergency services are"),
        pytest.param("site_operator", "analyst", "operator", id="the operator of a site"),
        pytest.param("press", "operator", "press", id="the press"),
        pytest.param("emergency_services", "volunteer", "volunteer", id="a volunteer speaks for nobody else"),
        pytest.param("own_eyes", None, "volunteer", id="nor does who has no role"),
    ],
)
def test_whose_word_it_is(seen_by: SeenBy, role: Role | None, kind: str) -> None:
    assert author_kind_of(seen_by, role) == kind


def test_a_pseudonym_is_one_for_a_day_and_leads_nobody_to_the_account() -> None:
    key, later = b"k" * 32, NOW + timedelta(hours=3)
    mine = pseudonym(key, "account-1", NOW)
    assert pseudonym(key, "account-1", later) == mine
    others = {
        pseudonym(key, "account-2", NOW),
        pseudonym(key, "account-1", NOW + timedelta(days=1)),
        pseudonym(b"l" * 32, "account-1", NOW),
    }
    assert mine not in others
    assert len(others) == 3
    assert "account" not in mine


def test_a_correction_and_a_withdrawal_are_of_the_same_post() -> None:
    post = a_post(a_told())
    gone = taken_back("r1", author_id="a1", now=NOW)
    assert (corrected(post).verb, corrected(post).key) == ("update", post.key)
    assert (gone.verb, gone.key, gone.text) == ("delete", post.key, "")
    assert decode(encode(gone), Post) == gone


@pytest.mark.parametrize(
    ("fields", "is_another"),
    [
        ({"words": "Autre"}, False),
        ({"seen_by": "press"}, False),
        ({"lat": "49.5055"}, False),
        ({"lat": "49.6"}, True),
        ({"accuracy": "place"}, True),
        ({"what": "smoke"}, True),
    ],
)
def test_another_hazard_or_place_makes_another_report(fields: dict[str, str], is_another: bool) -> None:
    assert is_elsewhere(a_told(), a_told(**fields)) is is_another


def test_smoke_and_smell_are_of_one_hazard() -> None:
    assert not is_elsewhere(a_told(what="smoke"), a_told(what="smell"))


def test_incidents_near_by_are_named_the_nearest_first() -> None:
    here = replace(a_told(), seen_at=minutes(20))

    def at(incident_id: str, lat: float, **changes: object) -> object:
        place = structs.replace(LE_HAVRE, lat=lat)
        return an_alert(incident_id=incident_id, place=place, **changes)

    alerts = [at("far", 50.5), at("next", 49.6), at("here", 49.5), at("yesterday", 49.5, onset=minutes(-2000))]
    assert [alert.incident_id for alert, _ in near(alerts, here)] == ["here", "next"]  # type: ignore[arg-type]


def test_what_is_offered_is_worded_in_both_languages() -> None:
    for worded in (*SAID.values(), *SEEN.values()):
        assert set(worded) == {"fr", "en"}
