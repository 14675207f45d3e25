"""What people decide and authorities state: heard at once, never a reason to be silent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from records import Statement, Verdict

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any


@pytest.fixture
def decide(desk: Desk, signal: MakesSignals) -> Callable[..., list[Any]]:
    """Have the officer on duty decide on the last incident, so many minutes after the morning's start."""

    def decided(decision: Any, minutes: float, **changes: Any) -> list[Any]:
        verdict = Verdict(
            incident_id=desk.alerts[-1].incident_id,
            hazard="fire",
            area="76",
            decision=decision,
            decided_at=signal(0, minutes).event_time,
            decided_by="officier de permanence",
            **changes,
        )
        new: list[Any] = desk.heed(Statement(hazard="fire", area="76", said=verdict))
        return new

    return decided


@pytest.fixture
def faint(signal: MakesSignals, place_with: Callable[..., Any]) -> Any:
    """Ten minutes in, a post about a town far from home, which alone is not enough there."""
    dieppe = place_with(place_id="fr:76217", name="Dieppe", insee="76217", lat=49.92, lon=1.08, population=29_000)
    return signal(1, 10, ratio=30.0, author_tier=1, witness_probability=0.1, place=dieppe)


def test_a_confirmed_incident_is_observed_and_says_by_whom(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    (alert,) = decide("confirm", 5, reason="appel du CODIS")
    assert (alert.level, alert.certainty, alert.revision) == ("confirmed", "Observed", 2)
    assert "Confirmé par officier de permanence : appel du CODIS." in alert.explanation["fr"].replace("\xa0", " ")
    assert "no_official_word" not in alert.unknowns
    assert [one.level for one in desk.wait(60 * 24)] == ["monitoring", "resolved"]
    assert desk.alerts[-1].certainty == "Observed"


def test_a_confirmed_incident_that_comes_back_is_confirmed(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    decide("confirm", 5)
    desk.wait(40)
    assert desk.levels[-1] == "monitoring"
    desk.tell(signal(2, 41))
    assert desk.levels[-1] == "confirmed"


def test_a_rejected_incident_is_over_and_its_rumour_opens_no_other(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    (alert,) = decide("reject", 5, reason="tournage d’un film")
    assert (alert.level, alert.certainty, alert.urgency) == ("rejected", "Unlikely", "Past")
    assert "tournage d’un film" in alert.explanation["fr"]
    assert desk.tell(*(signal(number, 5 + number) for number in range(2, 6))) == []


def test_a_rejection_does_not_silence_what_is_an_alert_by_itself(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    decide("reject", 5)
    desk.tell(*(signal(number, 5 + number, author_tier=1) for number in range(2, 6)))
    assert desk.levels[-1] == "alert"
    assert len({alert.incident_id for alert in desk.alerts}) == 1


def test_what_was_said_before_a_rejection_does_not_count_after_it(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(*(signal(number, number / 10) for number in range(11)))
    decide("reject", 5)
    assert desk.tell(signal(20, 6), signal(21, 7)) == []


def test_after_the_time_for_coming_back_a_rejected_place_is_as_any_other(
    desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    decide("reject", 5)
    desk.wait(60 * 13)
    (watch,) = desk.tell(signal(2, 60 * 13))
    assert (watch.level, watch.revision) == ("watch", 1)


def test_a_closed_incident_is_over(desk: Desk, signal: MakesSignals, decide: Callable[..., Any]) -> None:
    desk.tell(signal(1, 0))
    (alert,) = decide("close", 5)
    assert alert.level == "resolved"
    assert "Clos par officier de permanence." in alert.explanation["fr"]


@pytest.mark.parametrize("decision", ["acknowledge", "confirm"])
def test_a_verdict_twice_or_of_another_incident_changes_nothing(
    decision: str, desk: Desk, signal: MakesSignals, decide: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    told = len(decide(decision, 5))
    before = dict(desk.store.values)
    assert told == (decision == "confirm")
    assert decide(decision, 5) == []
    assert desk.store.values == before
    verdict = Verdict(
        incident_id="fire-of-somewhere-else",
        hazard="fire",
        area="76",
        decision="confirm",
        decided_at=signal(0, 6).event_time,
        decided_by="officier",
    )
    assert desk.heed(Statement(hazard="fire", area="76", said=verdict)) == []


def test_a_vigilance_lowers_what_a_watch_takes_and_raises_the_probability(
    desk: Desk, fresh_desk: Callable[..., Any], faint: Any, state: Callable[..., Any]
) -> None:
    without = fresh_desk()
    assert without.tell(faint) == []
    state(0, kind="vigilance", colour="orange", text="Vigilance orange feux de forêt")
    (watch,) = desk.tell(faint)
    assert watch.level == "watch"
    assert "Vigilance orange feux de forêt." in watch.explanation["fr"]
    assert [one.kind for one in watch.context] == ["vigilance"]
    assert watch.context[0].fits is None


def test_a_vigilance_that_is_over_moves_nothing(
    desk: Desk, signal: MakesSignals, faint: Any, state: Callable[..., Any]
) -> None:
    state(0, kind="vigilance", colour="red", ends_at=signal(0, 5).event_time)
    assert desk.tell(faint) == []


@pytest.mark.parametrize(
    ("changes", "fits", "because"),
    [
        pytest.param({}, True, "same time, flames announced", id="whole area"),
        pytest.param({"where": (49.48, 0.12)}, True, "same place, same time, flames announced", id="here"),
        pytest.param({"where": (49.9, 1.0)}, False, "79 km away to the north-east", id="far away"),
        pytest.param({"begins": 300}, False, "begins only later", id="later"),
        pytest.param({"begins": -900, "ends": -600}, False, "was over by then", id="before"),
    ],
)
def test_an_operators_notice_is_a_candidate_explanation_and_nothing_more(
    changes: dict[str, Any],
    fits: bool,
    because: str,
    desk: Desk,
    signal: MakesSignals,
    state: Callable[..., Any],
    place_with: Callable[..., Any],
) -> None:
    fields: dict[str, Any] = {}
    if "where" in changes:
        fields["place"] = place_with(lat=changes["where"][0], lon=changes["where"][1], radius_km=0.5)
    if "begins" in changes:
        fields["starts_at"] = signal(0, changes["begins"]).event_time
    if "ends" in changes:
        fields["ends_at"] = signal(0, changes["ends"]).event_time
    state(
        -1000,
        kind="operator_notice",
        source="Allo Industrie",
        text="Torche visible",
        **{"ends_at": signal(0, 100).event_time, **fields},
    )
    (watch,) = desk.tell(signal(1, 0))
    (notice,) = watch.context
    assert (notice.fits, notice.because["en"]) == (fits, because)
    assert watch.level == "watch"
    assert ("Fits" if fits else "Does not fit") in watch.explanation["en"]


def test_a_bulletin_during_an_incident_is_told_with_it(
    desk: Desk, signal: MakesSignals, state: Callable[..., Any]
) -> None:
    desk.tell(signal(1, 0))
    (told,) = state(5, kind="siren_test", source="mairie", text="Essai des sirènes à midi")
    assert (told.level, told.revision, told.context[0].kind) == ("watch", 2, "siren_test")


def test_old_bulletins_are_let_go(desk: Desk, state: Callable[..., Any]) -> None:
    for day in range(100):
        state(day * 1440, kind="vigilance", colour="yellow")
    desk.wait(101 * 1440)
    assert len([key for key in desk.store.values if "/bulletin/" in key]) <= 3


def test_a_credible_post_where_more_is_needed_is_a_signal_for_the_map(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number * 2, ratio=0.3) for number in range(400)))
    (shown,) = desk.tell(signal(500, 801, ratio=15.0))
    assert (shown.level, shown.certainty, shown.severity) == ("signal", "Possible", "Unknown")
    later = desk.tell(*(signal(500 + number, 801 + number, ratio=400.0, author_tier=2) for number in range(1, 4)))
    assert later[0].incident_id == shown.incident_id
    assert (later[0].level, later[0].revision) == ("watch", 2)


def test_a_signal_that_nobody_follows_is_forgotten_without_a_word(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number * 2, ratio=0.3) for number in range(400)))
    desk.tell(signal(500, 801, ratio=15.0))
    assert desk.wait(60 * 48) == []
    assert desk.next_due() is None
    assert not [key for key in desk.store.values if "/told/" in key]


def test_a_statement_late_by_minutes_stands_where_it_was_said(
    desk: Desk, faint: Any, state: Callable[..., Any]
) -> None:
    assert desk.tell(faint) == []
    (watch,) = state(5, kind="vigilance", colour="orange")
    assert watch.level == "watch"
    assert watch.raised_at == faint.event_time
    assert watch.raised_at - watch.context[0].issued_at == timedelta(minutes=5)
