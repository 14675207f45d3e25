"""Under which id an incident is told: late posts change what is believed, never which incident people talk about."""

from collections.abc import Callable
from typing import Any

import pytest

from records import Bulletin, Statement, Verdict

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any


@pytest.fixture
def decide(desk: Desk, signal: MakesSignals) -> Callable[..., list[Any]]:
    """Have the officer on duty decide on an incident, the last one unless told otherwise."""

    def decided(decision: Any, minutes: float, incident_id: str = "") -> list[Any]:
        verdict = Verdict(
            incident_id=incident_id or desk.alerts[-1].incident_id,
            hazard="fire",
            area="76",
            decision=decision,
            decided_at=signal(0, minutes).event_time,
            decided_by="officier de permanence",
        )
        new: list[Any] = desk.heed(Statement(hazard="fire", area="76", said=verdict))
        return new

    return decided


@pytest.fixture
def body(place_with: Callable[..., Any]) -> Any:
    """Return the inter-communal body of Le Havre."""
    return place_with(
        place_id="fr:epci:200084952", insee=None, level="epci", epci="200084952", name="LHSM", population=270_000
    )


def test_late_chatter_before_a_rejected_incident_tells_nobody_anything(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 10))
    decide("reject", 15)
    assert desk.tell(*(signal(100 + number, 3 + number, ratio=0.3) for number in range(4))) == []


def test_late_chatter_does_not_tell_an_earlier_life_again(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 10, author_tier=1), signal(2, 12, author_tier=1))
    decide("close", 40)
    (watch,) = desk.tell(signal(3, 100))
    assert watch.level == "watch"
    assert desk.tell(*(signal(100 + number, 3 + number, ratio=0.3) for number in range(3))) == []


def test_a_verdict_on_what_is_long_over_leaves_the_next_incident_alone(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 10))
    first = desk.alerts[-1].incident_id
    desk.wait(370)
    desk.tell(signal(2, 720, ratio=0.3))
    desk.wait(734)
    desk.tell(*(signal(10 + number, 735 + number, author_tier=1) for number in range(3)))
    assert desk.alerts[-1].incident_id != first
    assert decide("reject", 745, first) == []


def test_a_late_point_on_the_map_does_not_take_the_id_of_a_watch(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any], body: Any
) -> None:
    desk.tell(signal(1, 60))
    watch = desk.alerts[-1].incident_id
    (point,) = desk.tell(signal(2, 50, place=body))
    assert (point.level, point.incident_id == watch) == ("signal", False)
    (rejected,) = decide("reject", 61, watch)
    assert (rejected.incident_id, rejected.level, rejected.place.place_id) == (watch, "rejected", "fr:76351")


@pytest.mark.parametrize(("decision", "level"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_what_was_decided_stands_though_a_late_post_has_it_begin_later(
    decision: str, level: str, desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    """The first witness turns out to be a copy: the incident begins only after what the officer decided of it."""
    desk.tell(signal(1, 10, cluster_ids=("one",)))
    decide(decision, 11)
    desk.tell(signal(2, 14))
    desk.tell(signal(0, 9, ratio=1.0, cluster_ids=("one",)))
    assert desk.levels[-1] == level
    assert len({alert.incident_id for alert in desk.alerts}) == 1


@pytest.mark.parametrize(("decision", "level"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_what_was_decided_of_a_point_stands_though_a_late_post_has_it_begin_earlier(
    decision: str, level: str, desk: Desk, signal: MakesSignals, decide: Callable[..., Any], body: Any
) -> None:
    desk.tell(signal(1, 60, place=body))
    assert desk.levels == ["signal"]
    decide(decision, 65)
    desk.tell(signal(2, 45, place=body, author_id="author 1"))
    assert desk.levels == ["signal", level]


def test_an_acknowledgement_undoes_no_decision(desk: Desk, signal: MakesSignals, decide: Callable[..., Any]) -> None:
    desk.tell(signal(1, 10, cluster_ids=("one",)))
    decide("confirm", 11)
    decide("acknowledge", 12)
    desk.tell(signal(2, 14))
    desk.tell(signal(0, 9, ratio=1.0, cluster_ids=("one",)))
    assert desk.levels[-1] == "confirmed"


def test_a_confirmation_is_not_undone_by_silence_at_once(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    desk.wait(60)
    assert desk.levels[-1] == "monitoring"
    (confirmed,) = decide("confirm", 60)
    assert confirmed.level == "confirmed"
    desk.wait(85)
    assert desk.levels[-1] == "confirmed"
    desk.wait(95)
    assert desk.levels[-1] == "monitoring"


def test_what_an_authority_says_now_does_not_make_a_backlog_too_old(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0, ratio=0.3))
    at = signal(0, 600).event_time
    bulletin = Bulletin(
        bulletin_id="b", source="météo", kind="vigilance", area="76", issued_at=at, received_at=at, text="Orages"
    )
    desk.heed(Statement(hazard="fire", area="76", said=bulletin))
    desk.tell(signal(1, 60, author_tier=1), signal(2, 62, author_tier=1))
    assert "alert" in desk.levels


def test_an_alert_that_a_backlog_brings_is_told_although_it_is_over(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0, ratio=0.3))
    desk.tick(signal(0, 600).event_time)
    desk.tell(*(signal(1 + number, 60 + number, author_tier=1) for number in range(2)))
    assert desk.levels[-2:] == ["alert", "resolved"]
    assert desk.alerts[-1].explanation["en"].startswith("Nothing more since")


def test_two_incidents_never_bear_one_id(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any], body: Any
) -> None:
    """One that began with a point of the wider area has moved; the next point there falls into the same ten minutes."""
    desk.tell(signal(1, 3.1, place=body), signal(2, 3.3, place=body))
    decide("close", 4)
    desk.tell(signal(3, 5))
    decide("close", 6)
    desk.tell(signal(30, 7, place=body))
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    names = [incident.incident_id for incident in ledger.incidents.values()]
    assert len(names) == len(set(names)) > 1
