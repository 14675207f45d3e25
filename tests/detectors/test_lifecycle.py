"""From watch to resolved and back, whoever asks and whenever."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records import Alert, BrokenInvariant, encode

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

STEPS = st.tuples(
    st.floats(0.0, 90.0),  # minutes since the one before
    st.integers(0, 30),  # author
    st.sampled_from([0.3, 0.8, 2.0, 20.0, 150.0]),
    st.sampled_from([0, 0, 0, 1, 2]),  # tier
    st.booleans(),  # relay
    st.booleans(),  # image
    st.integers(0, 200),  # late by so many minutes
)
STORIES = st.lists(STEPS, min_size=1, max_size=40)


def signals_of(story: list[Any], signal: MakesSignals) -> list[Any]:
    made, at = [], 0.0
    for number, (gap, author, ratio, tier, is_relay, has_image, late) in enumerate(story):
        at += gap
        told = at - late if number % 7 == 3 else at
        made.append(
            signal(
                number,
                told,
                ratio=ratio,
                author_id=f"author {author}",
                author_tier=tier,
                is_relay=is_relay,
                has_image=has_image,
                cluster_ids=(f"text:{number % 17}",),
                platform=("twitter", "mastodon")[author % 2],
            )
        )
    return made


def test_silence_leads_from_watch_to_resolved(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.wait(60 * 24)
    assert desk.levels == ["watch", "monitoring", "resolved"]
    assert [alert.revision for alert in desk.alerts] == [1, 2, 3]
    assert len({alert.incident_id for alert in desk.alerts}) == 1
    assert desk.alerts[-1].urgency == "Past"
    assert desk.next_due() is None


def test_an_incident_that_comes_back_is_the_same_one(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.wait(6 * 60)
    assert desk.levels[-1] == "resolved"
    (again,) = desk.tell(signal(2, 9 * 60))
    assert (again.level, again.revision) == ("watch", 4)
    assert again.incident_id == desk.alerts[0].incident_id
    assert again.posts == 2


def test_after_the_time_for_coming_back_it_is_another_one(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.wait(13 * 60)
    (again,) = desk.tell(signal(2, 13 * 60))
    assert (again.level, again.revision) == ("watch", 1)
    assert again.incident_id != desk.alerts[0].incident_id


def test_a_second_witness_during_monitoring_raises_the_watch_again(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.wait(30)
    desk.tell(signal(2, 31))
    assert desk.levels == ["watch", "monitoring", "watch"]


def test_a_straggler_after_a_loud_incident_does_not_raise_it_again(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 2, has_image=True) for number in range(40)))
    desk.wait(80)
    assert desk.levels[-1] == "monitoring"
    desk.tell(signal(99, 80))
    assert desk.levels[-1] == "monitoring"


def test_an_incident_that_keeps_coming_back_is_held_longer_each_time(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number * 70) for number in range(40)))
    desk.wait(70 * 40 + 60 * 24)
    assert desk.levels.count("monitoring") <= 4
    assert len(desk.alerts) <= 12


def test_updates_come_at_most_every_five_minutes_and_when_twice_as_many_speak(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 3, author_tier=1) for number in range(120)))
    told = [alert for alert in desk.alerts if alert.level == "alert"]
    assert [alert.authors for alert in told] == sorted({alert.authors for alert in told})
    assert all(later.authors >= 2 * sooner.authors for sooner, later in pairwise(told))
    assert len({alert.raised_at for alert in told}) == 1


def test_due_revisions_come_before_the_signal_that_is_late_for_them(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0), signal(2, 9 * 60))
    assert desk.levels == ["watch", "monitoring", "resolved", "watch"]
    assert desk.alerts[1].raised_at < desk.alerts[2].raised_at < signal(2, 9 * 60).event_time


def test_a_slow_flood_is_held_longer(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0, hazard="flood"))
    desk.wait(60 * 12, key="flood/76")
    assert "resolved" not in desk.levels
    desk.wait(60 * 72, key="flood/76")
    assert desk.levels[-1] == "resolved"


def revisions(alerts: list[Alert]) -> list[bytes]:
    return [encode(alert) for alert in alerts]


@RELAXED
@given(story=STORIES, seed=st.randoms(use_true_random=False), ticks=st.integers(0, 30))
def test_ticks_at_any_times_give_the_same_revisions(
    story: list[Any], seed: Any, ticks: int, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    told = signals_of([(*step[:6], 0) for step in story], signal)
    end = told[-1].event_time + timedelta(days=3)
    without, often = fresh_desk(), fresh_desk()
    without.tell(*told)
    without.alerts += without.tick(end)
    for number, made in enumerate(told):
        last = told[number - 1].event_time if number else made.event_time
        for _ in range(ticks % 5):
            often.alerts += often.tick(last + (made.event_time - last) * seed.random())
        often.tell(made)
    for hour in range(72):
        often.alerts += often.tick(told[-1].event_time + timedelta(hours=hour))
    often.alerts += often.tick(end)
    assert revisions(often.alerts) == revisions(without.alerts)


@pytest.mark.parametrize("ticks", [0, 1])
def test_who_returns_to_a_long_incident_is_no_further_author(ticks: int, desk: Desk, signal: MakesSignals) -> None:
    voices = [signal(number, number * 20) for number in range(30)]
    for made in voices:
        desk.tell(made)
        desk.alerts += [alert for _ in range(ticks) for alert in desk.tick(made.event_time)]
    desk.tell(signal(99, 601, author_id="author 0"))
    desk.wait(60 * 24)
    assert (desk.alerts[-1].posts, desk.alerts[-1].authors) == (31, 30)


@RELAXED
@given(story=STORIES)
def test_a_signal_delivered_again_at_any_time_changes_nothing(
    story: list[Any], fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    told = signals_of(story, signal)
    desk = fresh_desk()
    for number, made in enumerate(told):
        desk.tell(made)
        before = dict(desk.store.values)
        assert desk.tell(*told[: number + 1]) == []
        assert desk.store.values == before


@RELAXED
@given(story=STORIES, data=st.data())
def test_a_replay_after_a_crash_at_any_point_gives_the_same_alerts(
    story: list[Any], data: st.DataObject, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    told = signals_of(story, signal)
    crash = data.draw(st.integers(0, len(told)))
    saved = data.draw(st.integers(0, crash))
    desk = fresh_desk()
    desk.tell(*told[:saved])
    checkpoint = desk.store.copy()
    sent = len(desk.alerts)
    desk.tell(*told[saved:crash])
    reborn = fresh_desk(checkpoint)
    reborn.tell(*told[saved:])
    again, first = revisions(reborn.alerts), revisions(desk.alerts[sent:])
    assert again[: len(first)] == first
    assert sorted(reborn.store.values) == sorted(straight_through(fresh_desk, told).store.values)
    assert reborn.store.values == straight_through(fresh_desk, told).store.values


@RELAXED
@given(story=STORIES)
def test_revisions_count_up_and_time_never_runs_back(
    story: list[Any], fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    desk = fresh_desk()
    desk.tell(*signals_of(story, signal))
    desk.alerts += desk.tick(desk.alerts[-1].raised_at + timedelta(days=9)) if desk.alerts else []
    by_incident: dict[str, list[Alert]] = {}
    for alert in desk.alerts:
        by_incident.setdefault(alert.incident_id, []).append(alert)
    by_incident = {key: alerts for key, alerts in by_incident.items() if alerts[-1].level != "signal"}
    for alerts in by_incident.values():
        assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
        raised: list[datetime] = [alert.raised_at for alert in alerts]
        assert raised == sorted(raised)
        assert alerts[-1].level == "resolved"


def straight_through(fresh_desk: Callable[..., Any], told: list[Any]) -> Any:
    desk = fresh_desk()
    desk.tell(*told)
    return desk


@pytest.mark.parametrize(
    "name",
    ["head", "entry/0", "told/fire-f388b09e7b278697"],
)
def test_a_damaged_table_stops_us(name: str, desk: Desk, fresh_desk: Callable[..., Any], signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    assert f"fire/76/{name}" in desk.store.values
    desk.store.values[f"fire/76/{name}"] = b"\xff nonsense"
    with pytest.raises(BrokenInvariant, match=f"fire/76/{name}"):
        fresh_desk(desk.store).tell(signal(2, 1))
