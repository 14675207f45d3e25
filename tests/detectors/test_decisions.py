"""What people decide beside the level of an incident, and what they take back: one table a decision."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from detectors.case import Case
from detectors.detector import Detector
from detectors.moment import moment_from
from detectors.neighbours import Neighbours
from detectors.profile import load_profile
from detectors.verdicts import forgotten
from records import Alert, Place, Retraction, Statement, Verdict

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any
Decides = Callable[..., list[Alert]]

HARFLEUR = {"place_id": "fr:76341", "name": "Harfleur", "insee": "76341", "lat": 49.51, "lon": 0.2, "population": 8_000}
ELSEWHERE = {**HARFLEUR, "place_id": "fr:76540", "name": "Rouen", "insee": "76540", "lat": 49.44, "lon": 1.1}


@pytest.fixture
def decide(desk: Desk, signal: MakesSignals) -> Decides:
    """Have the officer on duty decide on an incident, the last one told unless another is given; `d1` is the first."""
    count = [0]

    def decided(decision: Any, minutes: float, **changes: Any) -> list[Alert]:
        count[0] += 1
        fields: dict[str, Any] = {
            "incident_id": desk.alerts[-1].incident_id,
            "hazard": desk.alerts[-1].state_hazard,
            "area": "76",
            "decision": decision,
            "decided_at": signal(0, minutes).event_time,
            "decided_by": "officier de permanence",
            "decision_id": f"d{count[0]}",
        }
        verdict = Verdict(**{**fields, **changes})
        new: list[Alert] = desk.heed(Statement(hazard=verdict.hazard, area=verdict.area, said=verdict))
        return new

    return decided


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def shape_of(alert: Alert) -> tuple[Any, ...]:
    """Return what an alert says of an incident, but for when it says so and what it tells of decisions."""
    place = alert.place.place_id
    counts = alert.posts, alert.authors, alert.witnesses, alert.copies
    return alert.level, alert.certainty, alert.hazard, place, *counts, alert.evidence, alert.joins


def test_a_relocated_incident_is_shown_where_a_person_put_it_whatever_posts_say(
    desk: Desk, signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    vague = place_with(place_id="fr:dep:76", insee=None, level="dep", population=1_250_000)
    desk.tell(*(signal(number, number / 10, ratio=200.0, author_tier=1, place=vague) for number in range(3)))
    assert "place_uncertain" in desk.alerts[-1].unknowns
    where = place_with(**{**HARFLEUR, "level": "dep", "confidence": 0.2})
    (moved,) = decide("relocate", 5, place=where, reason="vu à la caméra")
    assert (moved.place.place_id, moved.place.confidence, moved.place.source) == ("fr:76341", 1.0, "person")
    assert moved.place.reasons == ("placé par officier de permanence : vu à la caméra",)
    assert "place_uncertain" not in moved.unknowns
    assert "Lieu précisé par officier de permanence : vu à la caméra." in plain(moved.explanation["fr"])
    assert "Place given by officier de permanence: vu à la caméra." in moved.explanation["en"]
    assert [one.what for one in moved.corrections] == ["place"]
    desk.tell(*(signal(10 + number, 6 + number, ratio=200.0, author_tier=1) for number in range(8)))
    assert desk.alerts[-1].posts > moved.posts
    assert {alert.place.place_id for alert in desk.alerts[-1:]} == {"fr:76341"}


def test_posts_go_on_counting_where_an_incident_was_relocated(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    desk.tell(signal(1, 0))
    decide("relocate", 5, place=place_with(**ELSEWHERE))
    plain_desk, later = fresh_desk(), [signal(number, 5 + number, author_tier=1) for number in range(2, 8)]
    plain_desk.tell(signal(1, 0))
    last, other = desk.tell(*later)[-1], plain_desk.tell(*later)[-1]
    assert (last.level, last.posts, last.score) == (other.level, other.posts, other.score)


def test_another_hazard_is_shown_and_its_state_keeps_the_incident(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    (read,) = decide("change_hazard", 5, read_as="industrial")
    assert (read.hazard, read.owned_as, read.state_hazard) == ("industrial", "fire", "fire")
    assert "Danger corrigé par officier de permanence." in read.explanation["fr"]
    later = desk.tell(signal(2, 6, author_tier=1), signal(3, 7, author_tier=1))
    assert {(one.hazard, one.state_hazard, one.incident_id) for one in later} == {
        ("industrial", "fire", read.incident_id)
    }
    assert Retraction(at=read.raised_at, post_key="twitter:1", told=read).key == "fire/76"
    (again,) = decide("change_hazard", 9, read_as="fire")
    assert (again.hazard, again.owned_as, again.state_hazard) == ("fire", None, "fire")


def test_a_post_taken_back_of_an_incident_read_as_another_hazard_is_found_in_its_state(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    (read,) = decide("change_hazard", 5, read_as="industrial")
    assert desk.detector.retract(Retraction(at=read.raised_at, post_key="twitter:1", told=read), desk.shelf) == []
    (without,) = desk.detector.retract(Retraction(at=read.raised_at, post_key="twitter:1"), desk.shelf)
    assert (without.hazard, without.state_hazard, without.evidence[0].text) == ("industrial", "fire", "")


def test_a_merged_incident_joins_the_other_on_a_persons_word_until_it_is_split(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    (merged,) = decide("merge", 5, other="fire-of-another")
    assert (merged.joins, merged.apart_from) == ("fire-of-another", ())
    (again,) = decide("merge", 6, other="fire-of-a-third")
    assert (again.joins, [one.what for one in again.corrections]) == ("fire-of-a-third", ["merge"])
    (apart,) = decide("split", 7, other="fire-of-a-third")
    assert (apart.joins, apart.apart_from) == ("", ("fire-of-a-third",))
    assert [one.what for one in apart.corrections] == ["split"]
    (back,) = decide("merge", 8, other="fire-of-a-third")
    assert (back.joins, back.apart_from) == ("fire-of-a-third", ())


@pytest.fixture
def two(desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]) -> tuple[str, str]:
    """Return the ids of two incidents of one area, an hour's drive apart."""
    first = desk.tell(signal(1, 0))[-1].incident_id
    second = desk.tell(signal(2, 1, ratio=200.0, author_tier=2, place=place_with(**ELSEWHERE)))[-1].incident_id
    assert first != second
    return first, second


def test_what_joins_an_incident_back_is_not_joined(desk: Desk, decide: Decides, two: tuple[str, str]) -> None:
    first, second = two
    assert decide("merge", 5, incident_id=second, other=first)[0].joins == first
    assert decide("merge", 6, incident_id=first, other=second) == []


def test_merges_in_a_circle_over_two_areas_hold_nobody_up(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]
) -> None:
    here = {**HARFLEUR, "lat": 50.06, "lon": 1.38}
    across = {**here, "dep": "80", "lon": 1.39, "place_id": "fr:80533", "insee": "80533"}
    neighbours = Neighbours(load_profile("world", None))
    (one,) = desk.tell(signal(1, 0, ratio=500.0, author_tier=2, place=place_with(**here)))
    (two,) = desk.tell(signal(2, 12, ratio=500.0, author_tier=2, place=place_with(**across)))
    told = []
    for number, (alert, other) in enumerate([(one, two), (two, one), (one, two)]):
        said = Verdict(
            incident_id=alert.incident_id,
            hazard="fire",
            area=alert.area,
            decision="merge",
            decided_at=signal(0, 20 + number).event_time,
            decided_by="permanence",
            decision_id=f"m{number}",
            other=other.incident_id,
        )
        told += desk.heed(Statement(hazard="fire", area=alert.area, said=said))
    assert [neighbours.joined(alert).joins for alert in told] == [two.incident_id, "", two.incident_id]


def test_what_a_person_says_of_joining_is_not_overruled_by_nearness(
    desk: Desk, signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    here = {**HARFLEUR, "lat": 50.06, "lon": 1.38}
    across = {**here, "dep": "80", "lon": 1.39, "place_id": "fr:80533", "insee": "80533"}
    neighbours = Neighbours(load_profile("world", None))
    first, second = (
        neighbours.joined(alert)
        for number, where in enumerate((across, here))
        for alert in desk.tell(signal(number, 12 * number, ratio=500.0, author_tier=2, place=place_with(**where)))
    )
    assert second.joins == first.incident_id
    said = [
        ("split", {"other": first.incident_id}, ""),
        ("merge", {"other": "fire-of-a-third"}, "fire-of-a-third"),
        ("withdraw", {"withdraws": "d2"}, ""),
        ("withdraw", {"withdraws": "d1"}, first.incident_id),
    ]
    for number, (decision, fields, joins) in enumerate(said):
        (alert,) = decide(decision, 20 + number, incident_id=second.incident_id, **fields)
        assert neighbours.joined(alert).joins == joins, decision
    *_, other = decide("split", 30, incident_id=first.incident_id, area="80", other=second.incident_id)
    neighbours.joined(other)
    last = next(one for one in reversed(desk.alerts) if one.incident_id == second.incident_id)
    assert neighbours.joined(last).joins == "", "nor is one part of what is no part of it"


@pytest.fixture
def mixed(desk: Desk, signal: MakesSignals, state: Callable[..., Any], place_with: Callable[..., Place]) -> list[Any]:
    """Tell six posts of one incident, two of which speak of something else, and return them."""
    site = place_with(place_id="local:site:x", name="Raffinerie", level="site", lat=49.48, lon=0.23, radius_km=2.0)
    posts = [
        signal(1, 0, author_tier=1),
        signal(2, 1, author_tier=1),
        signal(3, 2, has_image=True, place=site, text="Des flammes à la raffinerie"),
        signal(4, 3, place=site),
        signal(5, 8, author_tier=1),
        signal(6, 9, author_tier=1),
    ]
    desk.tell(*posts)
    state(9.5, kind="siren_test", text="Essai des sirènes")  # so that all that was counted is told
    return posts


def test_posts_that_speak_of_something_else_make_an_incident_of_their_own(
    desk: Desk, mixed: list[Any], decide: Decides
) -> None:
    before = desk.alerts[-1]
    left, made = decide("split", 10, post_keys=("twitter:3", "twitter:4"), reason="deux feux")
    keys = {item.post_key for item in left.evidence}, {item.post_key for item in made.evidence}
    assert keys == ({"twitter:1", "twitter:2", "twitter:5", "twitter:6"}, {"twitter:3", "twitter:4"})
    assert (left.incident_id, left.revision > before.revision) == (before.incident_id, True)
    assert (made.incident_id != left.incident_id, made.revision, made.level) == (True, 1, "watch")
    assert (left.posts, left.authors, left.witnesses) == (4, 4, 4)
    assert (made.posts, made.authors, made.witnesses) == (2, 2, 2)
    assert (made.place.name, left.place.name) == ("Raffinerie", "Le Havre")
    assert made.onset == mixed[2].event_time
    assert left.score < before.score - 0.5
    assert [one.what for one in left.corrections] == [one.what for one in made.corrections] == ["split"]
    assert made.apart_from == (left.incident_id,)
    assert "Distingué d’un autre incident par officier de permanence : deux feux." in plain(made.explanation["fr"])


def test_what_was_split_off_is_an_incident_like_any_other_but_that_no_post_comes_in(
    desk: Desk, mixed: list[Any], signal: MakesSignals, decide: Decides
) -> None:
    left, made = decide("split", 10, post_keys=("twitter:3",))
    later = desk.tell(*(signal(20 + number, 16 + number, place=mixed[2].place) for number in range(7)))
    assert {alert.incident_id for alert in later} == {left.incident_id}
    desk.tell(signal(30, 24, is_relay=True, cluster_ids=("text:3",)))
    (confirmed,) = decide("confirm", 25, incident_id=made.incident_id)
    assert (confirmed.incident_id, confirmed.level, confirmed.copies) == (made.incident_id, "confirmed", 1)
    ends = {alert.incident_id: alert.level for alert in desk.wait(60 * 24)}
    assert ends == {left.incident_id: "resolved", made.incident_id: "resolved"}
    assert desk.wait(60 * 96) == []
    assert desk.next_due() is None
    assert not [key for key in desk.store.values if "/told/" in key or "#" in key]


def test_what_begins_next_door_takes_no_part_in_what_was_split_off(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place], decide: Decides
) -> None:
    desk.tell(signal(1, 0), *(signal(2 + number, 40 + 5 * number) for number in range(3)))
    left, made = decide("split", 52, post_keys=("twitter:3", "twitter:4"))
    near = place_with(**{**HARFLEUR, "place_id": "geonames:1", "insee": None, "country": "BE"})
    later = desk.tell(signal(10, 60, ratio=200.0, author_tier=2, place=near))
    assert [alert.level for alert in later] == ["watch"]
    assert not {alert.incident_id for alert in later} & {left.incident_id, made.incident_id}


def test_a_post_that_was_split_off_counts_for_no_other_incident_of_its_place(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place], decide: Decides
) -> None:
    area = place_with(place_id="fr:dep:76", insee=None, level="dep", population=1_250_000)
    dieppe = place_with(place_id="fr:76217", name="Dieppe", insee="76217", lat=49.92, lon=1.08, population=29_000)
    desk.tell(*(signal(number, number, ratio=200.0, author_tier=1, place=area) for number in range(3)))
    incident_id = desk.alerts[-1].incident_id
    desk.tell(signal(5, 8, ratio=30.0, author_tier=1, witness_probability=0.1, place=dieppe))
    _, made = decide("split", 10, post_keys=("twitter:5",))
    decide("close", 11, incident_id=incident_id)
    later = desk.tell(*(signal(10 + number, 12 + number, author_tier=1, place=dieppe) for number in range(8)))
    assert later
    assert "twitter:5" not in {item.post_key for alert in later for item in alert.evidence}
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    assert [one.incident_id for one in ledger.incidents.values() if "twitter:5" in str(one.slots)] == [made.incident_id]


def test_a_split_that_would_leave_nothing_or_names_nothing_does_nothing(
    desk: Desk, mixed: list[Any], decide: Decides
) -> None:
    assert decide("split", 10, post_keys=tuple(post.post_key for post in mixed)) == []
    assert decide("split", 11, post_keys=("twitter:404",)) == []
    (closed,) = decide("close", 12)
    assert closed.corrections == ()
    assert decide("split", 13, post_keys=("twitter:3",)) == []


def test_posts_that_are_not_shown_can_be_split_off_and_others_take_their_place(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(*(signal(number, number, ratio=20.0 + number, author_tier=1) for number in range(12)))
    shown = {item.post_key for item in desk.alerts[-1].evidence}
    hidden = next(key for number in range(12) if (key := f"twitter:{number}") not in shown)
    left, made = decide("split", 20, post_keys=(hidden, "twitter:11"))
    assert {item.post_key for item in made.evidence} == {hidden, "twitter:11"}
    assert (left.posts, len(left.evidence)) == (10, 8)


def test_a_split_that_is_taken_back_puts_the_posts_back(desk: Desk, mixed: list[Any], decide: Decides) -> None:
    before = desk.alerts[-1]
    _, made = decide("split", 10, post_keys=("twitter:3", "twitter:4"))
    whole, closed = decide("withdraw", 11, incident_id=before.incident_id, withdraws="d1", reason="un seul feu")
    assert (closed.incident_id, closed.level, closed.revision) == (made.incident_id, "resolved", 2)
    assert (whole.incident_id, whole.posts, whole.corrections) == (before.incident_id, 6, ())
    assert shape_of(whole) == shape_of(before)
    assert "Décision annulée par officier de permanence : un seul feu." in plain(whole.explanation["fr"])
    assert "Clos par officier de permanence : un seul feu." in plain(closed.explanation["fr"])


def test_what_is_put_back_raises_nothing_above_its_ceiling(desk: Desk, signal: MakesSignals, decide: Decides) -> None:
    desk.tell(*(signal(number, number / 10, ratio=500.0, author_tier=2) for number in range(9)))
    left, _ = decide("split", 2, post_keys=("twitter:1",))
    desk.tell(*(signal(20 + number, 3 + number / 10, ratio=500.0, author_tier=2) for number in range(9)))
    (whole, _) = decide("withdraw", 4, incident_id=left.incident_id, withdraws="d1")
    assert whole.posts == 18
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    watched = desk.detector._watched["fire"]
    ceiling = watched.thresholds(watched.weight("fr:76351", "76", ledger.nodes["fr:76351"])).ceiling
    assert max(value for one in ledger.incidents.values() for value in one.values) == ceiling


def test_a_split_that_makes_an_end_overdue_ends_it_afterwards(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0), *(signal(2 + number, 1 + number, ratio=200.0, author_tier=2) for number in range(4)))
    desk.wait(200)
    assert desk.levels[-1] == "monitoring"
    left, made, *ended = decide("split", 200, post_keys=tuple(f"twitter:{number}" for number in range(2, 6)))
    assert (left.level, made.level, ended) == ("monitoring", "watch", [])
    reborn = fresh_desk(desk.store.copy())
    ends = desk.wait(60 * 24)
    assert reborn.wait(60 * 24) == ends
    overdue = next(one for one in ends if one.incident_id == left.incident_id)
    assert overdue.level == "resolved"
    assert signal(0, 200).event_time < overdue.raised_at < signal(0, 201).event_time


@pytest.mark.parametrize("hours", [0, 20], ids=["remembered", "at the checkpoint"])
def test_words_taken_back_are_gone_from_what_was_split_off_and_may_come_back(
    hours: int, desk: Desk, mixed: list[Any], signal: MakesSignals, fresh_desk: Callable[..., Desk], decide: Decides
) -> None:
    decide("split", 10, post_keys=("twitter:3",))
    for hour in range(1, hours):  # it is talked of for longer than its first posts are remembered
        desk.tell(*(signal(1_000 * hour + minute, 60 * hour + minute, author_tier=1) for minute in (0, 15, 30, 45)))
    words = mixed[2].text.encode()
    assert any(words in value for value in desk.store.values.values())
    cold = fresh_desk(desk.store)
    cold.shelf = type(desk.shelf)(desk.store, keys=["fire/76"])
    for one in (desk, cold):
        one.detector.retract(Retraction(at=mixed[-1].event_time, post_key="twitter:3"), one.shelf)
        one.write()
        assert not [key for key, value in one.store.values.items() if words in value]


ONE = [
    pytest.param([("confirm", {})], id="confirm"),
    pytest.param([("reject", {})], id="reject"),
    pytest.param([("close", {})], id="close"),
    pytest.param([("relocate", {"place": ELSEWHERE})], id="relocate"),
    pytest.param([("change_hazard", {"read_as": "flood"})], id="change_hazard"),
    pytest.param([("merge", {"other": "fire-of-another"})], id="merge"),
    pytest.param([("split", {"other": "fire-of-another"})], id="split"),
]
TWO = [
    pytest.param([("confirm", {}), ("confirm", {})], id="confirm twice"),
    pytest.param([("confirm", {}), ("reject", {})], id="reject what was confirmed"),
    pytest.param([("reject", {}), ("confirm", {})], id="confirm what was rejected"),
    pytest.param([("confirm", {}), ("close", {})], id="close what was confirmed"),
    pytest.param([("close", {}), ("confirm", {})], id="confirm what was closed"),
    pytest.param([("change_hazard", {"read_as": "flood"}), ("change_hazard", {"read_as": "other"})], id="two hazards"),
    pytest.param([("relocate", {"place": ELSEWHERE}), ("relocate", {"place": HARFLEUR})], id="two places"),
    pytest.param([("merge", {"other": "fire-1"}), ("merge", {"other": "fire-2"})], id="two merges"),
]


def said(fields: dict[str, Any], place_with: Callable[..., Place]) -> dict[str, Any]:
    return {**fields, "place": place_with(**fields["place"])} if "place" in fields else fields


@pytest.mark.parametrize("posts", [1, 6])
@pytest.mark.parametrize("decisions", [*ONE, *TWO])
def test_what_is_taken_back_is_as_if_it_had_not_been_decided(
    decisions: list[Any],
    posts: int,
    desk: Desk,
    signal: MakesSignals,
    decide: Decides,
    state: Callable[..., Any],
    place_with: Callable[..., Place],
) -> None:
    desk.tell(*(signal(number, number / 2, author_tier=1) for number in range(posts)))
    state(9, kind="siren_test", text="Essai des sirènes")  # so that all that was counted is told
    shapes = [shape_of(desk.alerts[-1])]
    for number, (decision, fields) in enumerate(decisions):
        (alert,) = decide(decision, 10 + number, **said(fields, place_with))
        shapes.append(shape_of(alert))
    count = len(decisions)
    for number in range(count):
        (alert,) = decide("withdraw", 20 + number, withdraws=f"d{count - number}")
        assert shape_of(alert) == shapes[count - number - 1], number
        assert alert.revision == desk.alerts[-2].revision + 1
    desk.wait(30)
    assert decide("withdraw", 30, withdraws="d1") == []
    assert decide("withdraw", 31, withdraws="unknown") == []
    assert desk.wait(60 * 24)[-1].level == "resolved"


@pytest.mark.parametrize("decisions", TWO)
def test_the_first_of_two_taken_back_leaves_the_second(
    decisions: list[Any], desk: Desk, signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    desk.tell(*(signal(number, number / 2, author_tier=1) for number in range(6)))
    last = shape_of(desk.alerts[-1])
    for number, (decision, fields) in enumerate(decisions):
        last = shape_of(decide(decision, 10 + number, **said(fields, place_with))[0])
    (alert,) = decide("withdraw", 20, withdraws="d1")
    assert shape_of(alert) == last


def test_a_rejection_taken_back_counts_what_was_said_before_and_since(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals, decide: Decides
) -> None:
    before, after = signal(1, 0, ratio=150.0, author_tier=1), signal(2, 6, author_tier=1)
    (watch,) = desk.tell(before)
    decide("reject", 5)
    assert desk.tell(after) == []
    (back,) = decide("withdraw", 8, withdraws="d1")
    other = fresh_desk()
    assert other.tell(before, after)[-1].level == "alert"
    assert (back.level, back.posts, back.authors, back.certainty) == ("alert", 2, 2, "Likely")
    assert back.score > watch.score - 0.5


def test_the_second_of_two_rejections_taken_back_leaves_what_was_said_since_the_first(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    decide("reject", 5)
    desk.tell(signal(2, 6))
    decide("reject", 7, decided_by="un autre officier")
    desk.tell(signal(3, 8))
    before = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None).incidents["fr:76351"]
    (back,) = decide("withdraw", 9, withdraws="d2")
    after = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None).incidents["fr:76351"]
    assert (after.values, after.voices, back.level) == (before.values, before.voices, "rejected")
    assert "Rejected by officier de permanence" in back.explanation["en"]


@pytest.mark.parametrize(("said_since", "level"), [(False, "monitoring"), (True, "watch")])
def test_a_confirmation_of_what_was_quiet_taken_back_leaves_it_quiet_unless_somebody_spoke(
    said_since: bool, level: str, desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    desk.wait(40)
    assert desk.levels[-1] == "monitoring"
    decide("confirm", 40)
    if said_since:
        desk.tell(signal(2, 41))
    (back,) = decide("withdraw", 42, withdraws="d1")
    assert back.level == level


def test_an_incident_that_is_open_again_lasts_a_hold_at_least_and_ends_by_silence(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    decide("close", 5)
    (open_again,) = decide("withdraw", 200, withdraws="d1")
    assert (open_again.level, open_again.urgency) == ("watch", "Immediate")
    assert desk.wait(220) == []
    assert [alert.level for alert in desk.wait(60 * 24)] == ["monitoring", "resolved"]
    nodes = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None).nodes.values()
    assert {node.baseline.open_incidents for node in nodes} == {0}


def test_what_posts_have_reopened_is_not_closed_by_taking_the_closing_back(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    decide("close", 5)
    (watch,) = desk.tell(signal(2, 30))
    assert (watch.level, watch.revision) == ("watch", 3)
    assert decide("withdraw", 31, withdraws="d1") == []
    assert "closed by silence" in desk.wait(60 * 24)[-1].explanation["en"]


def test_a_decision_is_taken_back_after_the_posts_of_that_time_are_forgotten(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    desk.tell(*(signal(number, number / 2, author_tier=1) for number in range(6)))
    incident_id = desk.alerts[-1].incident_id
    decide("confirm", 5)
    decide("relocate", 6, place=place_with(**ELSEWHERE))
    decide("split", 7, post_keys=("twitter:2",))
    for hour in range(1, 40):  # it is talked of all the time, for longer than any post is remembered
        desk.tell(*(signal(1_000 * hour + minute, 60 * hour + minute, author_tier=1) for minute in (0, 15, 30, 45)))
    assert desk.alerts[-1].incident_id == incident_id
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    (posts,) = (one.posts for one in ledger.incidents.values() if one.parted)
    assert min(entry.at for entry in ledger.settled) > ledger.clock - 30 * 3_600_000_000
    desk.shelf = fresh_desk(desk.store).shelf
    (whole,) = decide("withdraw", 2_401, incident_id=incident_id, withdraws="d3")
    assert (whole.posts, [one.what for one in whole.corrections]) == (posts + 1, ["place"])
    (placed,) = decide("withdraw", 2_402, incident_id=incident_id, withdraws="d2")
    assert (placed.place.place_id, placed.corrections) == ("fr:76351", ())
    (level,) = decide("withdraw", 2_403, incident_id=incident_id, withdraws="d1")
    assert (level.level, level.certainty) == ("alert", "Likely")


def test_a_decision_that_comes_after_what_takes_it_back_is_not_heard(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    assert decide("withdraw", 6, withdraws="late") == []
    assert decide("confirm", 5, decision_id="late") == []
    assert desk.levels == ["watch"]


def called_here(desk: Desk) -> set[str]:
    """Return what the incidents are called in the state, under whatever ids they are told."""
    return {one.incident_id for one in desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None).incidents.values()}


def test_a_decision_that_came_after_what_takes_it_back_is_not_heard_when_its_incident_is_called_otherwise(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 10, cluster_ids=("one",)))
    before = called_here(desk)
    decide("withdraw", 12, withdraws="late")
    decide("confirm", 11, decision_id="late")
    desk.tell(signal(2, 120), signal(0, 1, ratio=1.0, cluster_ids=("one",)))
    assert called_here(desk) != before
    assert "confirmed" not in desk.levels


def test_what_took_a_decision_back_is_heard_again_where_an_incident_still_bears_that(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 10))
    decide("change_hazard", 11, read_as="flood")
    decide("withdraw", 12, withdraws="d1")
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    case = Case(ledger, "76", desk.detector._watched["fire"])
    assert forgotten(case) == []
    ((node, incident),) = ledger.incidents.items()
    gone = next(step.entry.statement for step in ledger.steps if step.entry and step.entry.statement)
    ledger.incidents[node] = replace(incident, decisions=(gone,), heard=("d1",))
    assert [one.decision_id for entry in forgotten(case) if isinstance(one := entry.statement, Verdict)] == ["d2"]


def test_a_confirmation_taken_back_of_late_leaves_a_post_on_the_map_under_its_id(
    desk: Desk, signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    desk.tell(*(signal(number, number * 2, ratio=0.3) for number in range(400)))
    (shown,) = desk.tell(signal(500, 801, ratio=15.0))
    decide("confirm", 802)
    decide("relocate", 805, place=place_with(**ELSEWHERE))
    (back,) = decide("withdraw", 803, withdraws="d1")
    assert (back.incident_id, back.level, back.place.place_id) == (shown.incident_id, "signal", "fr:76540")


@pytest.mark.parametrize("decision", ["acknowledge", "note"])
def test_what_decides_nothing_makes_no_revision(
    decision: str, desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    assert decide(decision, 5, reason="appelé le site") == []


def test_what_was_decided_of_a_post_on_the_map_stands_when_it_becomes_a_watch(
    desk: Desk, signal: MakesSignals, decide: Decides, place_with: Callable[..., Place]
) -> None:
    desk.tell(*(signal(number, number * 2, ratio=0.3) for number in range(400)))
    desk.tell(signal(500, 801, ratio=15.0))
    (moved,) = decide("relocate", 802, place=place_with(**ELSEWHERE))
    assert (moved.level, moved.place.place_id) == ("signal", "fr:76540")
    desk.tell(*(signal(500 + number, 802 + number, ratio=400.0, author_tier=2) for number in range(1, 4)))
    assert (desk.alerts[-1].incident_id, desk.alerts[-1].place.place_id) == (moved.incident_id, "fr:76540")
    assert desk.levels[-1] in ("watch", "alert")


LATE = [
    pytest.param("relocate", {"place": ELSEWHERE}, id="relocate"),
    pytest.param("change_hazard", {"read_as": "flood"}, id="change_hazard"),
    pytest.param("merge", {"other": "fire-of-another"}, id="merge"),
    pytest.param("split", {"other": "fire-of-another"}, id="split"),
]


@pytest.mark.parametrize(("decision", "fields"), LATE)
@pytest.mark.parametrize("is_withdrawn", [False, True], ids=["stands", "taken back"])
def test_what_was_decided_or_taken_back_stands_though_a_late_post_has_it_begin_later(
    decision: str,
    fields: dict[str, Any],
    is_withdrawn: bool,
    desk: Desk,
    signal: MakesSignals,
    decide: Decides,
    place_with: Callable[..., Place],
) -> None:
    """The first witness turns out to be a copy: the incident begins only after what the officer decided of it."""
    desk.tell(signal(1, 10, cluster_ids=("one",)))
    decide(decision, 11, **said(fields, place_with))
    if is_withdrawn:
        decide("withdraw", 12, withdraws="d1")
    before = called_here(desk)
    desk.tell(signal(2, 120), signal(3, 121))
    desk.tell(signal(0, 1, ratio=1.0, cluster_ids=("one",)))
    assert called_here(desk) != before
    desk.tell(*(signal(number, 120 + number, author_tier=1) for number in range(10, 16)))
    last = desk.alerts[-1]
    assert len({alert.incident_id for alert in desk.alerts}) == 1
    assert bool(last.corrections) == (not is_withdrawn)


def test_a_split_stands_though_a_late_post_has_its_incident_begin_later(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 10, cluster_ids=("one",)), signal(2, 120, author_tier=1), signal(3, 121, author_tier=1))
    first, made = decide("split", 122, post_keys=("twitter:3",))
    before = called_here(desk)
    desk.tell(signal(0, 1, ratio=1.0, cluster_ids=("one",)))
    assert len(called_here(desk) - before) == 1
    last = {alert.incident_id: alert for alert in desk.alerts}
    assert set(last) == {first.incident_id, made.incident_id}
    assert {item.post_key for item in last[made.incident_id].evidence} == {"twitter:3"}
    assert "twitter:3" not in {item.post_key for item in last[first.incident_id].evidence}


def test_what_was_split_off_does_not_take_the_place_of_an_incident_that_begins_with_it_now(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place], decide: Decides
) -> None:
    area = place_with(place_id="fr:dep:76", insee=None, level="dep", population=1_250_000)
    desk.tell(signal(1, 10, ratio=200.0, author_tier=2, cluster_ids=("one",), place=area))
    desk.tell(*(signal(number, 58 + number, author_tier=2, place=area) for number in (2, 3)))
    first, made = decide("split", 62, post_keys=("twitter:2",))
    desk.tell(signal(0, 1, ratio=1.0, cluster_ids=("one",), place=area))
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    assert {one.onset_at for one in ledger.incidents.values()} == {moment_from(made.onset)}
    desk.tell(*(signal(10 + number, 63 + number, author_tier=2, place=area) for number in range(6)))
    last = {alert.incident_id: {item.post_key for item in alert.evidence} for alert in desk.alerts}
    assert set(last) == {first.incident_id, made.incident_id}
    assert last[made.incident_id] == {"twitter:2"}
    assert "twitter:2" not in last[first.incident_id]


def test_how_many_posts_are_usual_now_goes_by_the_hour(desk: Desk, signal: MakesSignals) -> None:
    (morning,) = desk.tell(signal(1, 0))
    desk.wait(60 * 15)
    (night,) = desk.tell(signal(2, 60 * 20))
    assert 0.0 < night.usual_per_hour < morning.usual_per_hour
    weak = desk.detector.profile.weak_share
    expected = desk.detector.profile.usual_rate("fire", 170_000) * 60 * (1 - weak)
    assert morning.usual_per_hour == pytest.approx(expected, rel=1.0)


def test_a_decision_older_than_what_is_remembered_is_heard_all_the_same(
    desk: Desk, signal: MakesSignals, decide: Decides
) -> None:
    desk.tell(signal(1, 0))
    for hour in range(1, 12):
        desk.tell(*(signal(100 * hour + number, 60 * hour + 20 * number, author_tier=1) for number in range(3)))
    (confirmed,) = decide("confirm", 5)
    assert confirmed.level == "confirmed"


def test_a_ruling_is_taken_back_under_a_profile_with_other_rates(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals, decide: Decides, home: Place
) -> None:
    desk.tell(*(signal(number, number / 2, author_tier=1) for number in range(4)))
    (confirmed,) = decide("confirm", 5)
    for hour in range(1, 10):  # it is settled before the worker starts anew
        desk.tell(*(signal(100 * hour + number, 60 * hour + 15 * number, author_tier=1) for number in range(4)))
    profile = load_profile("city", home)
    fewer = {name: replace(one, rates=6) for name, one in profile.hazard.items()}
    reborn = fresh_desk(desk.store)
    reborn.detector = Detector(replace(profile, hazard=fewer))
    said = Verdict(
        incident_id=confirmed.incident_id,
        hazard="fire",
        area="76",
        decision="withdraw",
        decided_at=signal(0, 600).event_time,
        decided_by="permanence",
        decision_id="d2",
        withdraws="d1",
    )
    (back,) = reborn.heed(Statement(hazard="fire", area="76", said=said))
    assert (back.incident_id, back.level) == (confirmed.incident_id, "alert")


def test_more_chatter_than_usual_makes_more_posts_usual(desk: Desk, signal: MakesSignals, decide: Decides) -> None:
    (quiet,) = desk.tell(signal(1, 0))
    desk.tell(*(signal(10 + number, 1 + number / 10, ratio=0.3) for number in range(60)))
    (busy,) = decide("confirm", 8)
    assert busy.usual_per_hour > 5 * quiet.usual_per_hour
