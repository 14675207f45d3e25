"""From the first witness to the alert: who raises what, and who cannot."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from detectors.detector import Detector
from detectors.evidence import Weights
from detectors.profile import load_profile
from records import Place, Signal

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any


def test_the_first_credible_witness_raises_a_watch_at_once(desk: Desk, signal: MakesSignals) -> None:
    (alert,) = desk.tell(signal(1, 0))
    assert alert.level == "watch"
    assert alert.raised_at == signal(1, 0).event_time
    assert alert.certainty == "Possible"
    assert "single_witness" in alert.unknowns
    assert alert.evidence[0].post_key == "twitter:1"


@pytest.mark.parametrize("name", ["commune", "city", "departement", "world"])
def test_every_profile_hears_a_first_witness_at_home(
    name: str, home: Place, desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]
) -> None:
    town = place_with(population=5_000) if name in ("commune", "world") else home
    desk.detector = Detector(load_profile(name, town))
    desk.tell(signal(1, 0, place=town))
    assert desk.levels == ["watch"]


def test_a_post_that_says_little_raises_nothing(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0, ratio=1.5), signal(2, 1, ratio=0.4))
    assert desk.levels == []


def test_faint_posts_open_nothing_by_their_number(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number, ratio=1.4) for number in range(12)))
    assert desk.levels == []
    desk.tell(signal(12, 12))
    assert desk.levels == ["watch"]


@pytest.mark.parametrize(
    ("changes", "levels"),
    [
        pytest.param([{"witness_probability": 0.1}] * 2, [], id="two repeat what they heard"),
        pytest.param([{"witness_probability": 0.1}] * 3, ["watch"], id="three do"),
        pytest.param([{"witness_probability": 0.1, "author_tier": 1}], ["watch"], id="the local paper does"),
        pytest.param([{"witness_probability": 0.9}], ["watch"], id="one was there"),
        pytest.param([{"witness_probability": 0.9, "likelihood_ratio": 1.4}], [], id="one was there and says little"),
    ],
)
def test_a_first_witness_must_be_one(
    changes: list[dict[str, Any]], levels: list[str], desk: Desk, signal: MakesSignals
) -> None:
    for number, change in enumerate(changes):
        made = signal(number, number * 2.0)
        desk.tell(Signal(**{**{name: getattr(made, name) for name in made.__struct_fields__}, **change}))
    assert desk.levels == levels


def test_a_witness_who_outweighs_all_before_him_is_told_at_once(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0, ratio=6.0), signal(1, 1, ratio=5.0))
    assert len(desk.alerts) == 1
    desk.tell(signal(2, 2))
    assert len(desk.alerts) == 2
    assert desk.alerts[-1].evidence[0].post_key == "twitter:2"


def test_three_witnesses_on_two_platforms_with_a_picture_raise_the_alert(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(
        signal(1, 0, platform="facebook"),
        signal(2, 2),
        signal(3, 4, has_image=True),
    )
    assert desk.levels == ["watch", "alert"]
    assert desk.alerts[-1].certainty == "Likely"
    assert desk.alerts[-1].witnesses == 3


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        pytest.param([{}, {}], "watch", id="two unknown accounts"),
        pytest.param([{"author_tier": 1}, {"author_tier": 1}], "alert", id="two established accounts"),
        pytest.param([{"author_tier": 2}, {}], "alert", id="one trusted and one other"),
        pytest.param([{"author_tier": 2}], "watch", id="one trusted alone"),
        pytest.param([{}] * 3, "watch", id="three unknown ones without support"),
        pytest.param([{}] * 10, "watch", id="ten sock puppets"),
        pytest.param([{}] * 12, "alert", id="a crowd of twelve"),
        pytest.param([{}] * 3 + [{"has_image": True}], "alert", id="four and a picture"),
        pytest.param([{}] * 3 + [{"platform": "mastodon"}], "alert", id="four on two platforms"),
        pytest.param([{"witness_probability": 0.1}] * 39, "watch", id="hearsay of a few dozen"),
        pytest.param([{"witness_probability": 0.1}] * 45, "alert", id="a whole town talks of it"),
        pytest.param([{"witness_probability": 0.1, "is_relay": True}] * 60, "nothing", id="a whole town relays it"),
        pytest.param([{"author_id": "", "has_image": True}] * 12, "watch", id="nobody signs"),
        pytest.param([{"author_tier": 1}, {"author_tier": 1, "likelihood_ratio": 1.5}], "watch", id="a faint second"),
    ],
)
def test_what_it_takes_to_corroborate(
    changes: list[dict[str, Any]], level: str, desk: Desk, signal: MakesSignals
) -> None:
    for number, change in enumerate(changes):
        made = signal(number, number * 2.0)
        fields = {name: getattr(made, name) for name in made.__struct_fields__}
        desk.tell(Signal(**{**fields, **change}))
    assert max(["nothing", *desk.levels], key=["nothing", "watch", "alert"].index) == level


def test_a_crowd_within_one_minute_is_no_crowd(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 60, has_image=True) for number in range(20)))
    assert desk.levels == ["watch"]


def test_one_account_with_twenty_posts_raises_no_alert(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number * 3, author_id="one") for number in range(20)))
    assert "alert" not in desk.levels
    assert desk.levels.count("watch") == 1
    assert desk.wait(60 * 24)[-1].copies == 19


def test_two_hundred_relays_raise_nothing(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 10, ratio=50.0, is_relay=True) for number in range(200)))
    assert desk.levels == []


def test_relays_of_a_witness_are_folded_into_his_post(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(0, 0))
    desk.tell(*(signal(n, n / 10, is_relay=True, cluster_ids=("text:0",)) for n in range(1, 201)))
    assert desk.levels == ["watch"]
    quiet = desk.wait(60)[0]
    assert (quiet.level, quiet.copies, quiet.evidence[0].copies) == ("monitoring", 200, 200)


def test_bots_with_nearly_the_same_texts_count_once_a_text(desk: Desk, signal: MakesSignals) -> None:
    texts = [0x0123456789ABCDEF, -0x0123456789ABCDEF, 0x5555AAAA5555AAAA, -0x3333CCCC3333CCCC]
    for number in range(120):
        fingerprint = texts[number % 4] ^ (1 << (number % 60))
        desk.tell(signal(number, number / 4, fingerprint=fingerprint))
    assert desk.wait(60 * 24)[-1].posts == 4
    assert "alert" not in desk.levels


def test_one_post_about_a_whole_country_raises_nothing(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]
) -> None:
    country = place_with(place_id="fr", level="country", insee=None, population=0)
    region = place_with(place_id="fr:region:28", level="region", insee=None, population=0)
    desk.tell(signal(1, 0, place=country), signal(2, 0, place=region))
    assert desk.levels == []


def test_a_busy_control_series_makes_a_post_weigh_less(
    desk: Desk, fresh_desk: Callable[..., Desk], signal: MakesSignals
) -> None:
    desk.tell(*(signal(number, number, ratio=0.3) for number in range(40)))
    (busy,) = desk.tell(signal(99, 40, author_tier=2, ratio=500.0))
    (quiet,) = fresh_desk().tell(signal(99, 40, author_tier=2, ratio=500.0))
    assert busy.score < quiet.score - 0.5


def test_one_account_cannot_blind_us_with_chatter(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 10, ratio=0.3, author_id="one") for number in range(300)))
    assert desk.tell(signal(999, 31))[0].level == "watch"


def test_an_incident_moves_to_the_quarter_that_two_name(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]
) -> None:
    quarter = place_with(place_id="local:neiges", name="Les Neiges", level="quartier", population=0)
    desk.tell(signal(1, 0), signal(2, 1, place=quarter))
    assert desk.alerts[-1].place.name == "Le Havre"
    desk.tell(signal(3, 2, place=quarter))
    assert desk.alerts[-1].place.name == "Les Neiges"
    assert desk.alerts[-1].revision == 2


def test_a_post_from_our_future_counts_as_said_when_received(desk: Desk, signal: MakesSignals) -> None:
    now = signal(1, 0).received_at
    (alert,) = desk.tell(signal(1, 0, event_time=now + timedelta(days=4000)))
    assert alert.raised_at == now


@pytest.mark.parametrize(
    ("weights", "changes", "factor"),
    [
        pytest.param(Weights(image=3.0), {"has_image": True}, 3.0, id="a picture"),
        pytest.param(Weights(image=3.0), {}, 1.0, id="none"),
        pytest.param(Weights(account=(0.5, 1.0, 1.0)), {}, 0.5, id="an unknown author"),
        pytest.param(Weights(image=99.0), {"has_image": True}, 10.0, id="no more than the clip"),
    ],
)
def test_a_profile_may_weigh_pictures_and_authors(
    weights: Weights, changes: dict[str, Any], factor: float, home: Place, desk: Desk, signal: MakesSignals
) -> None:
    desk.detector = Detector(msgspec.structs.replace(load_profile("city", home), weights=weights))
    (alert,) = desk.tell(signal(1, 0, ratio=2.0 if factor > 1 else 8.0, author_tier=0, **changes))
    stated = 2.0 if factor > 1 else 8.0
    assert alert.evidence[0].likelihood_ratio == pytest.approx(1 + 0.9 * (stated * factor - 1))


def test_absurd_values_raise_nothing_and_break_nothing(desk: Desk, signal: MakesSignals) -> None:
    old = signal(1, 0).event_time.replace(year=1)
    for number, change in enumerate(
        [{"event_time": old}, {"received_at": old.replace(year=9999), "event_time": old.replace(year=9998)}]
    ):
        desk.tell(signal(number, 0, **change))
    for number, ratio in enumerate([float("nan"), 0.0], start=10):
        desk.tell(signal(number, 0, ratio=ratio))
    assert desk.levels == []
    counted = desk.tell(signal(20, 0, ratio=float("inf")))[0].evidence[0].likelihood_ratio
    assert counted == pytest.approx(1 + 0.9 * 19)  # the clip of an unknown account, at a place that is 90 % sure
