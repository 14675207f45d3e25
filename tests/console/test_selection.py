"""Selection: whatever the hazard and level, everybody gets a message or a reason; the words fit what is known."""

from collections.abc import Callable
from itertools import product
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.messages.map_files import shipped_map
from console.messages.message_map import STAGES, MessageMap
from console.messages.selection import AUDIENCES, phenomena_of, select, stage_of
from records import HAZARDS, Alert, Context, Level, Rumour, SettingsError

MakesAlert = Callable[..., Alert]

LEVELS = get_args(Level)
CERTAINTIES = {"signal": "Possible", "watch": "Possible", "alert": "Likely", "confirmed": "Observed"}


@pytest.mark.parametrize(("hazard", "level"), tuple(product(HAZARDS, LEVELS)))
@pytest.mark.parametrize("authors", [1, 5])
@pytest.mark.parametrize("certainty", ["Possible", "Observed"])
def test_everybody_gets_a_message_or_a_reason(
    hazard: str, level: str, authors: int, certainty: str, alert_with: MakesAlert, shipped: MessageMap
) -> None:
    alert = alert_with(hazard=hazard, level=level, authors=authors, certainty=CERTAINTIES.get(level, certainty))
    for phenomenon in ("", *phenomena_of(shipped)):
        selection = select(shipped, alert, phenomenon=phenomenon)
        reasons = {reason.audience: reason.words for reason in selection.reasons}
        for audience in AUDIENCES:
            assert bool(selection.of(audience)) != (audience in reasons)
        assert all(
            words["fr"] and words["en"] and "n’a pas de message" not in words["fr"] for words in reasons.values()
        )
        assert selection.of("staff"), "those on duty always get something to do"
        assert set(reasons) == ({"population", "press"} if level == "signal" else set())


@given(st.sampled_from(LEVELS), st.sampled_from(HAZARDS), st.integers(0, 40), st.sampled_from(["", "smoke", "noise"]))
def test_nothing_that_states_a_fact_is_chosen_before_it_is_confirmed(
    level: str, hazard: str, authors: int, phenomenon: str
) -> None:
    found = shipped_map()
    alert = msgspec.convert({**EMPTY, "level": level, "hazard": hazard, "authors": authors}, Alert)
    for message in select(found, alert, phenomenon=phenomenon).messages:
        if level in ("signal", "watch", "alert", "monitoring"):
            assert not STAGES[message.stage].allows_facts
            assert not [name for name in message.placeholders if found.placeholders[name].is_fact]
        assert message.stage != "over"


EMPTY = {
    "incident_id": "x",
    "revision": 1,
    "place": {
        "place_id": "fr:76351",
        "name": "Le Havre",
        "lat": 49.5,
        "lon": 0.1,
        "radius_km": 6.0,
        "level": "commune",
        "confidence": 0.9,
        "source": "text",
        "reasons": ["named"],
    },
    "onset": "2012-01-30T07:37:00Z",
    "raised_at": "2012-01-30T07:37:00Z",
    "score": 0.0,
    "probability": 0.5,
    "severity": "Unknown",
    "urgency": "Unknown",
    "certainty": "Possible",
    "evidence": [],
    "posts": 1,
    "witnesses": 1,
    "copies": 0,
    "explanation": {},
    "unknowns": [],
    "thresholds": {},
    "profile": "p",
    "versions": {},
}


@pytest.mark.parametrize(
    ("level", "authors", "certainty", "said", "stage"),
    [
        ("signal", 9, "Possible", (), "first_signal"),
        ("watch", 1, "Possible", (), "first_signal"),
        ("watch", 2, "Possible", (), "unconfirmed"),
        ("alert", 5, "Likely", (), "unconfirmed"),
        ("confirmed", 5, "Observed", (), "confirmed"),
        ("confirmed", 1, "Observed", ("first_signal",), "confirmed"),
        ("confirmed", 5, "Observed", ("confirmed",), "ongoing"),
        ("monitoring", 5, "Likely", (), "unconfirmed"),
        ("monitoring", 1, "Possible", (), "first_signal"),
        ("monitoring", 5, "Observed", (), "ongoing"),
        ("resolved", 5, "Likely", (), "nothing_found"),
        ("resolved", 5, "Observed", (), "over"),
        ("rejected", 5, "Unlikely", (), "nothing_found"),
        ("rejected", 5, "Observed", (), "nothing_found"),
    ],
)
def test_the_stage_follows_from_what_is_known(
    level: str, authors: int, certainty: str, said: tuple[str, ...], stage: str, alert_with: MakesAlert
) -> None:
    assert stage_of(alert_with(level=level, authors=authors, certainty=certainty), said) == stage


@pytest.mark.parametrize(
    ("hazard", "phenomenon", "situations"),
    [
        ("fire", "", {"fire"}),
        ("flood", "", {"flood"}),
        ("industrial", "", {"unclear"}),
        ("industrial", "smoke", {"smoke"}),
        ("industrial", "odour", {"odour"}),
        ("industrial", "noise", {"noise"}),
        ("fire", "smoke", {"fire"}),
        ("other", "", {"unclear"}),
    ],
)
def test_the_closest_situation_is_taken(
    hazard: str, phenomenon: str, situations: set[str], alert_with: MakesAlert, shipped: MessageMap
) -> None:
    selection = select(shipped, alert_with(level="alert", hazard=hazard, authors=4), phenomenon=phenomenon)
    assert {message.situation for message in selection.messages} == situations


def test_where_the_closest_has_nothing_the_wider_one_is_taken(alert_with: MakesAlert, shipped: MessageMap) -> None:
    alert = alert_with(level="confirmed", hazard="industrial", certainty="Observed")
    selection = select(shipped, alert, phenomenon="noise", said=("confirmed",))
    assert {message.situation for message in selection.messages} == {"unclear"}


def test_a_phenomenon_is_asked_for_and_not_guessed(alert_with: MakesAlert, shipped: MessageMap) -> None:
    alert = alert_with(level="alert", hazard="industrial", authors=4)
    assert any("smoke, smell, noise" in note["en"] for note in select(shipped, alert).notes)
    assert not select(shipped, alert, phenomenon="odour").notes


def test_a_notice_is_offered_beside_and_changes_nothing_else(
    alert_with: MakesAlert, notice: Context, shipped: MessageMap
) -> None:
    alert = alert_with(level="alert", authors=4)
    plain = select(shipped, alert)
    beside = select(shipped, msgspec.structs.replace(alert, context=(notice,)))
    assert beside.stage == plain.stage
    assert [one for one in beside.messages if one.situation != "operator_notice"] == list(plain.messages)
    assert {one.audience for one in beside.messages if one.situation == "operator_notice"} == set(AUDIENCES)
    assert any("settles nothing" in note["en"] for note in beside.notes)


def test_a_notice_that_does_not_fit_is_not_offered(
    alert_with: MakesAlert, notice: Context, shipped: MessageMap
) -> None:
    wrong = msgspec.structs.replace(notice, fits=False)
    alert = alert_with(level="alert", authors=4)
    assert select(shipped, msgspec.structs.replace(alert, context=(wrong,))) == select(shipped, alert)


def test_what_silence_closed_is_not_told_as_over(alert_with: MakesAlert, shipped: MessageMap) -> None:
    selection = select(shipped, alert_with(level="resolved", certainty="Likely", authors=5))
    assert selection.stage == "nothing_found"
    assert all("source_of_confirmation" in message.placeholders for message in selection.messages)
    assert any("Closed by silence" in note["en"] for note in selection.notes)


def test_a_rejected_incident_may_be_a_rumour_to_deny(alert_with: MakesAlert, shipped: MessageMap) -> None:
    selection = select(shipped, alert_with(level="rejected", certainty="Unlikely"))
    assert {message.situation for message in selection.messages} == {"nothing_found", "rumour"}


@pytest.mark.parametrize("level", ["signal", "watch", "alert"])
def test_what_may_be_a_rumour_comes_with_words_for_now_and_a_denial_to_have_at_hand(
    level: str, alert_with: MakesAlert, shipped: MessageMap
) -> None:
    plain = select(shipped, alert_with(level=level, authors=4))
    rumour = Rumour(signs=("only_relays",), relays=40)
    beside = select(shipped, alert_with(level=level, authors=4, rumour=rumour))
    assert [one for one in beside.messages if one.situation != "rumour"] == list(plain.messages), "nothing is hidden"
    for audience in AUDIENCES:
        assert [one.stage for one in beside.of(audience) if one.situation == "rumour"] == [
            "unconfirmed",
            "nothing_found",
        ]
    assert any("draft only" in note["en"] for note in beside.notes)
    assert not any("draft only" in note["en"] for note in plain.notes)


def test_no_denial_is_at_hand_where_nothing_speaks_for_a_rumour(alert_with: MakesAlert, shipped: MessageMap) -> None:
    assert not [one for one in select(shipped, alert_with()).messages if one.situation == "rumour"]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (
            {"phenomenon": "fumée"},
            "phenomenon 'fumée': the map has none of this name; give one of noise, odour, smoke",
        ),
        ({"stage": "later"}, "stage 'later': there is none of this name; give one of first_signal, unconfirmed, "),
    ],
)
def test_what_is_not_there_is_refused(
    wish: dict[str, str], expected: str, alert_with: MakesAlert, shipped: MessageMap
) -> None:
    with pytest.raises(SettingsError) as refused:
        select(shipped, alert_with(), **wish)
    assert str(refused.value).startswith(expected)
