"""The crisis clock: when who first spoke, for how long no authority has; a function of the evidence alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from detectors.crisis_clock import Times, clock_of, counted, gone_on, spoken
from detectors.duty import Duty

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any


def test_a_first_witness_starts_it(desk: Desk, signal: MakesSignals) -> None:
    (watch,) = desk.tell(signal(1, 0))
    at = signal(1, 0).event_time
    assert (watch.clock.first_post, watch.clock.first_witness) == (at, at)
    assert (watch.clock.first_picture, watch.clock.first_press, watch.clock.first_authority) == (None, None, None)
    assert (watch.clock.minutes, watch.clock.silent_minutes) == (0, 0)
    assert watch.clock.first_operator is None


def test_each_first_is_noted_once(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(
        signal(1, 0, witness_probability=0.1, author_tier=1),
        signal(2, 2),
        signal(3, 4, has_image=True),
        signal(4, 6, author_kind="press", author_tier=1, witness_probability=0.1),
        signal(5, 8, has_image=True, author_kind="press", author_tier=1),
    )
    clock = desk.wait(300)[-1].clock
    firsts = [clock.first_post, clock.first_witness, clock.first_picture, clock.first_press]
    assert firsts == [signal(0, minutes).event_time for minutes in (0, 2, 4, 6)]


def test_silence_grows_until_an_authority_speaks_and_stands_then(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0), signal(2, 5, author_tier=1))
    assert desk.alerts[-1].clock.silent_minutes == 5
    assert "no_official_word" in desk.alerts[-1].unknowns
    (told,) = desk.tell(signal(3, 22, author_kind="official", ratio=0.5))
    assert (told.clock.silent_minutes, told.clock.minutes) == (22, 22)
    assert told.clock.first_authority == signal(0, 22).event_time
    assert "no_official_word" not in told.unknowns
    assert "Parole officielle 08:59, au bout de 22 minutes." in told.explanation["fr"]
    assert desk.wait(600)[-1].clock.silent_minutes == 22


@pytest.mark.parametrize(
    "changes", [{"ratio": 0.5}, {"is_relay": True}, {"author_id": "author 1"}, {"cluster_ids": ("text:1",)}]
)
def test_a_word_counts_though_it_weighs_nothing(changes: dict[str, Any], desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.tell(signal(2, 15, **{"author_kind": "official", **changes}))
    assert desk.alerts[-1].clock.first_authority == signal(0, 15).event_time
    assert desk.alerts[-1].level == "watch"


def test_a_word_before_the_incident_opened_is_found(desk: Desk, signal: MakesSignals) -> None:
    """What the press passed on while one post was too little for a watch."""
    desk.tell(*(signal(number, number * 2, ratio=0.3) for number in range(400)))
    desk.tell(signal(500, 801, ratio=15.0), signal(501, 802, author_kind="press", is_relay=True))
    told = desk.tell(*(signal(500 + number, 801 + number, ratio=400.0, author_tier=2) for number in range(2, 5)))
    assert told[-1].clock.first_press == signal(0, 802).event_time


def test_what_a_mayor_says_of_other_things_is_no_word(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    assert desk.tell(signal(2, 15, author_kind="official", ratio=0.01)) == []
    assert desk.wait(300)[-1].clock.first_authority is None


def test_a_word_of_an_operator_is_told_and_ends_no_silence(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    (told,) = desk.tell(signal(2, 15, author_kind="operator", ratio=0.5))
    assert told.clock.first_operator == signal(0, 15).event_time
    assert (told.clock.first_authority, told.clock.silent_minutes) == (None, 15)


def test_a_statement_of_an_authority_is_its_word(desk: Desk, signal: MakesSignals, state: Callable[..., Any]) -> None:
    desk.tell(signal(1, 0))
    (told,) = state(20)
    assert (told.clock.first_authority, told.clock.silent_minutes) == (signal(0, 20).event_time, 20)


def test_a_statement_outlives_its_own_end(desk: Desk, signal: MakesSignals, state: Callable[..., Any]) -> None:
    desk.tell(signal(1, 0))
    state(10, ends_at=signal(0, 11).event_time)
    desk.tell(*(signal(number, number * 30) for number in range(2, 120)))
    last = desk.tell(signal(200, 3600, ratio=400.0, author_tier=2), signal(201, 3601, ratio=400.0, author_tier=2))[-1]
    assert [one.bulletin_id for one in last.context] == []
    assert last.clock.first_authority == signal(0, 10).event_time


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": "vigilance", "colour": "orange"}, id="a vigilance is of no fire"),
        pytest.param(
            {"kind": "operator_notice", "text": "Torche", "phenomenon": "odour"}, id="a notice that does not fit"
        ),
        pytest.param({"place": (50.5, 3.0)}, id="elsewhere"),
    ],
)
def test_what_is_not_of_this_incident_ends_no_silence(
    changes: dict[str, Any],
    desk: Desk,
    signal: MakesSignals,
    state: Callable[..., Any],
    place_with: Callable[..., Any],
) -> None:
    if "place" in changes:
        changes = {"place": place_with(lat=changes["place"][0], lon=changes["place"][1])}
    desk.tell(signal(1, 0, text="La centrale brûle"))
    state(10, **changes)
    clock = desk.wait(300)[-1].clock
    assert (clock.first_authority, clock.first_operator) == (None, None)


def test_a_notice_that_fits_is_the_operators_first_word_even_before_the_onset(
    desk: Desk, signal: MakesSignals, state: Callable[..., Any]
) -> None:
    state(-60, kind="operator_notice", phenomenon="flare", ends_at=signal(0, 300).event_time)
    (watch,) = desk.tell(signal(1, 0, text="des flammes"))
    assert watch.clock.first_operator == signal(0, -60).event_time
    assert (watch.declaration.outcome, watch.declaration.bulletin_id) == ("declared", "stub:-60")
    assert watch.level == "watch"


def test_a_notice_that_fits_no_longer_is_said_not_to_fit(
    desk: Desk, signal: MakesSignals, state: Callable[..., Any]
) -> None:
    state(-60, kind="operator_notice", phenomenon="flare", ends_at=signal(0, 300).event_time)
    desk.tell(signal(1, 0, text="des flammes"))
    desk.tell(*(signal(number, number, author_tier=1, text="ça pue, odeur terrible") for number in range(2, 9)))
    last = desk.alerts[-1]
    assert (last.level, last.declaration.outcome, last.clock.first_operator) == ("alert", "does_not_fit", None)
    assert last.context[0].because["fr"] == "n’annonce pas d’odeur"
    assert "Rien de déclaré qui corresponde depuis" in last.explanation["fr"]


def test_a_fire_that_nobody_would_declare_is_not_called_undeclared(desk: Desk, signal: MakesSignals) -> None:
    (watch,) = desk.tell(signal(1, 0))
    assert watch.declaration is None


def test_where_there_is_a_number_it_is_shown_while_nothing_is_declared(
    detector: Any, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    desk = fresh_desk()
    duty = Duty(name="Port, astreinte", number="00 00 00 00 00", area="76")
    desk.detector = type(detector)(detector.profile, None, [duty])
    (watch,) = desk.tell(signal(1, 0))
    assert (watch.declaration.outcome, watch.declaration.number) == ("undeclared", "00 00 00 00 00")
    assert "Non déclaré depuis 1 minute" in watch.explanation["fr"]
    (resolved,) = [alert for alert in desk.wait(600) if alert.level == "resolved"]
    assert resolved.declaration.outcome == "undeclared"
    assert "Non déclaré" not in resolved.explanation["fr"]


def test_an_incident_keeps_the_notices_of_its_beginning_while_it_lasts(
    desk: Desk, signal: MakesSignals, state: Callable[..., Any]
) -> None:
    state(-60, kind="operator_notice", phenomenon="noise", text="Bruit", ends_at=signal(0, 60).event_time)
    desk.tell(signal(1, 0))
    desk.tell(*(signal(number, number * 30) for number in range(2, 80)))
    state(80 * 30, kind="vigilance", colour="yellow")
    assert "stub:-60" in {one.bulletin_id for one in desk.alerts[-1].context}


def test_many_other_statements_push_no_notice_out(desk: Desk, signal: MakesSignals, state: Callable[..., Any]) -> None:
    state(-100, kind="operator_notice", phenomenon="flare", ends_at=signal(0, 300).event_time)
    for minute in range(40):
        state(-50 + minute, kind="vigilance", colour="yellow")
    (watch,) = desk.tell(signal(1, 0))
    assert "stub:-100" in {one.bulletin_id for one in watch.context}


def test_times_are_the_first_ones_whatever_order_they_come_in() -> None:
    late, early = 200_000_000, 100_000_000
    times = counted(Times(), late, is_first_hand=True, has_image=True, word="press")
    times = counted(times, early, is_first_hand=False, has_image=True, word="")
    assert times == Times(post=early, witness=late, picture=early, press=late)
    assert spoken(times, "press", late) is times
    assert counted(times, late, is_first_hand=True, has_image=True, word="") is times


def test_an_authority_that_spoke_before_the_onset_was_never_silent() -> None:
    clock = clock_of(Times(post=600_000_000, authority=60_000_000), 600_000_000, 1_200_000_000)
    assert (clock.minutes, clock.silent_minutes) == (10, 0)


def test_a_clock_that_was_told_goes_on(signal: MakesSignals) -> None:
    onset, later = signal(0, 0).event_time, signal(0, 50).event_time
    silent = gone_on(clock_of(Times(post=1), 0, 0), onset, later)
    assert silent is not None
    assert (silent.minutes, silent.silent_minutes) == (50, 50)
    assert gone_on(None, onset, later) is None
    spoke = gone_on(clock_of(Times(post=1, authority=60_000_000), 0, 0), onset, later)
    assert spoke is not None
    assert (spoke.minutes, spoke.silent_minutes) == (50, 1)
    assert later - onset == timedelta(minutes=50)
