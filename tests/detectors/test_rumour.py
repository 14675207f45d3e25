"""Rumours: what spreads without a witness, what is doubtful, what is denied; and that nothing is silenced by it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from records import Alert, Rumour

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any

HEARSAY = {"witness_probability": 0.1}


@pytest.fixture
def relay(signal: MakesSignals) -> Callable[..., Any]:
    """Make somebody pass on what was said by the first, or by another."""

    def made(number: int, minutes: float, of: int = 0, **changes: Any) -> Any:
        content = (f"text:{of}",)
        return signal(number, minutes, is_relay=True, cluster_ids=content, **{**HEARSAY, **changes})

    return made


@pytest.fixture
def deny(state: Callable[..., list[Alert]]) -> Callable[..., list[Alert]]:
    """Have an authority deny, so many minutes after the morning's start."""
    return partial(state, text="Aucun incendie à la centrale", is_denial=True)


def rumour_of(desk: Desk) -> Rumour:
    found: Rumour | None = desk.alerts[-1].rumour
    assert found is not None
    return found


def test_a_crowd_that_repeats_a_known_text_is_no_alert(desk: Desk, signal: MakesSignals) -> None:
    for number in range(14):
        desk.tell(signal(number, number * 2.0, doubts=("recycled_text",)))
    assert set(desk.levels) == {"watch"}
    found = rumour_of(desk)
    assert "doubtful" in found.signs
    assert found.is_held
    assert found.doubts["recycled_text"] > 0
    assert found.first_hand == 0, "who repeats a known text shows nobody who was there"


def test_what_is_doubtful_does_not_keep_back_those_who_were_there(desk: Desk, signal: MakesSignals) -> None:
    for number in range(14):
        desk.tell(signal(number, number * 2.0, doubts=("recycled_text",)))
    for number in range(20, 32):
        desk.tell(signal(number, 28.0 + number))
    assert desk.levels[-1] == "alert"
    assert not rumour_of(desk).is_held


def test_two_forged_statements_of_established_accounts_are_no_alert(desk: Desk, signal: MakesSignals) -> None:
    for number in range(4):
        desk.tell(signal(number, number * 2.0, author_tier=1, doubts=("false_official",), **HEARSAY))
    assert set(desk.levels) == {"watch"}


@pytest.mark.parametrize(
    ("relays", "witnesses", "level"),
    [
        pytest.param(20, 0, "alert", id="a whole town in its own words, some relays"),
        pytest.param(70, 0, "watch", id="passed on more than told, nobody was there"),
        pytest.param(70, 1, "alert", id="one of them was there"),
    ],
)
def test_where_it_is_only_relayed_number_is_no_ground(
    relays: int, witnesses: int, level: str, desk: Desk, signal: MakesSignals, relay: Callable[..., Any]
) -> None:
    for number in range(3):
        desk.tell(signal(number, number * 0.5, **HEARSAY))
    for number in range(relays):
        desk.tell(relay(1000 + number, 2.0 + number * 0.1))
    for number in range(3, 50):
        desk.tell(signal(number, 10.0 + number * 0.5, **({} if number < 3 + witnesses else HEARSAY)))
    assert max(desk.levels, key=["watch", "alert"].index) == level
    found = desk.alerts[-1].rumour
    assert (found is not None and found.is_held) == (level == "watch")


def test_a_first_witness_whom_hundreds_relay_is_no_rumour(
    desk: Desk, signal: MakesSignals, relay: Callable[..., Any]
) -> None:
    desk.tell(signal(0, 0.0))
    for number in range(1, 200):
        desk.tell(relay(number, number * 0.1))
    desk.tell(signal(300, 30.0))
    assert desk.alerts[-1].copies == 199
    assert desk.alerts[-1].rumour is None


@pytest.mark.parametrize(("copies", "levels"), [(9, []), (10, ["signal"]), (40, ["signal"])])
def test_what_goes_round_without_a_witness_is_shown_on_the_map(
    copies: int, levels: list[str], desk: Desk, signal: MakesSignals, relay: Callable[..., Any]
) -> None:
    desk.tell(signal(0, 0.0, ratio=4.0, **HEARSAY))
    for number in range(1, copies + 1):
        desk.tell(relay(number, number * 0.5, likelihood_ratio=4.0))
    assert desk.levels == levels
    if levels:
        assert rumour_of(desk).signs == ("only_relays",)


def test_an_authority_s_denial_is_told_at_once_and_takes_nothing_back(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    level, revisions = desk.levels[-1], len(desk.alerts)
    at = signal(9, 6.0).event_time
    desk.tell(signal(9, 6.0, ratio=5.0, author_tier=1, author_kind="official", is_denial=True, **HEARSAY))
    assert len(desk.alerts) == revisions + 1
    found = rumour_of(desk)
    assert (found.signs, found.denied_by, found.denied_at) == (("denied",), "authority", at)
    assert desk.levels[-1] == level
    assert "démenti par une autorité à 08:43" in desk.alerts[-1].explanation["fr"]
    assert "denied by an authority at 08:43" in desk.alerts[-1].explanation["en"]


def test_a_denial_that_weighs_nothing_is_heard_too(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    desk.tell(signal(8, 5.0, ratio=0.4, author_tier=1, author_kind="official", **HEARSAY))
    desk.tell(signal(9, 6.0, ratio=0.4, author_tier=1, author_kind="operator", is_denial=True, **HEARSAY))
    assert rumour_of(desk).denied_by == "operator"


def test_a_denial_corroborates_nothing(desk: Desk, signal: MakesSignals) -> None:
    established = {"author_tier": 1, "author_kind": "official", **HEARSAY}
    desk.tell(signal(0, 0.0, **established), signal(1, 3.0, is_denial=True, **established))
    assert set(desk.levels) == {"watch"}


@pytest.mark.parametrize("kind", ["person", "press", "volunteer", "unknown"])
def test_who_cannot_know_denies_nothing(kind: str, desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    desk.tell(signal(9, 6.0, author_kind=kind, is_denial=True))
    assert desk.alerts[-1].rumour is None


def test_a_statement_denies_what_is_near_and_began_before_it(
    desk: Desk, signal: MakesSignals, deny: Callable[..., list[Alert]], place_with: Callable[..., Any]
) -> None:
    deny(-60.0)
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    assert desk.alerts[-1].rumour is None, "it spoke of something else"
    deny(5.0, place=place_with(place_id="fr:76217", name="Dieppe", insee="76217", lat=49.92, lon=1.08))
    assert desk.alerts[-1].rumour is None, "it speaks of somewhere else"
    deny(6.0, text="Restez chez vous", is_denial=False)
    assert desk.alerts[-1].rumour is None
    before = desk.levels[-1]
    deny(7.0)
    found = rumour_of(desk)
    assert (found.signs, found.denied_by) == (("denied",), "préfecture")
    assert desk.levels[-1] == before


def test_the_first_denial_stands_whatever_comes_late(desk: Desk, signal: MakesSignals) -> None:
    official = {"author_tier": 1, "author_kind": "official", "is_denial": True, **HEARSAY}
    desk.tell(signal(0, 0.0), signal(1, 3.0), signal(9, 9.0, ratio=0.4, **official))
    late = signal(8, 6.0, ratio=0.4, **official)
    desk.tell(late, signal(2, 20.0, ratio=60.0, author_tier=1))
    assert rumour_of(desk).denied_at == late.event_time


def test_a_rumour_that_is_over_is_spoken_of_no_more(desk: Desk, signal: MakesSignals) -> None:
    for number in range(5):
        desk.tell(signal(number, number * 2.0, doubts=("old_link",)))
    desk.wait(60.0 * 24)
    assert desk.levels[-1] == "resolved"
    assert desk.alerts[-1].rumour is None


def test_a_doubt_stands_beside_the_post_that_carries_it(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0, doubts=("false_official", "old_link")), signal(1, 3.0), signal(2, 9.0))
    by_post = {item.post_key: item.doubts for item in desk.alerts[-1].evidence}
    assert by_post["twitter:0"] == ("false_official", "old_link")
    assert by_post["twitter:1"] == ()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_words_say_what_waits_and_that_nothing_is_settled(language: str, desk: Desk, signal: MakesSignals) -> None:
    for number in range(14):
        desk.tell(signal(number, number * 2.0, doubts=("old_link",)))
    said = desk.alerts[-1].explanation[language]
    for words in {
        "fr": ("Peut-être une rumeur, à vérifier", "lien ancien", "attend un témoin", "Démenti proposé"),
        "en": ("Maybe a rumour, to be verified", "old link", "waits for a witness", "A denial is proposed"),
    }[language]:
        assert words in said.replace("\N{NO-BREAK SPACE}", " ")


def test_a_held_alert_is_let_go_within_the_same_incident(desk: Desk, signal: MakesSignals) -> None:
    for number in range(14):
        desk.tell(signal(number, number * 2.0, doubts=("false_official",), **HEARSAY))
    for number in range(20, 24):
        desk.tell(signal(number, 30.0 + 2 * number, has_image=number == 20))
    assert len({alert.incident_id for alert in desk.alerts}) == 1
    assert desk.levels[-1] == "alert"
    assert timedelta(0) < desk.alerts[-1].raised_at - desk.alerts[0].raised_at


def test_what_was_denied_is_not_what_is_told_after_a_return(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    desk.tell(signal(9, 6.0, ratio=0.4, author_kind="official", is_denial=True, **HEARSAY))
    assert rumour_of(desk).denied_by == "authority"
    first = desk.alerts[-1].incident_id
    desk.wait(60.0 * 6.4)
    assert desk.levels[-1] == "resolved"
    for number in range(20, 26):
        platform = ("twitter", "mastodon")[number % 2]
        desk.tell(signal(number, 60.0 * 6.5 + 2 * (number - 20), has_image=True, platform=platform))
    assert desk.alerts[-1].incident_id == first
    assert desk.alerts[-1].rumour is None


def test_a_denial_that_hardly_names_the_hazard_is_no_word_of_the_clock(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0.0), signal(1, 3.0))
    desk.tell(signal(9, 6.0, ratio=0.001, author_kind="official", is_denial=True, **HEARSAY))
    assert rumour_of(desk).denied_by == "authority"
    assert desk.alerts[-1].clock.first_authority is None
