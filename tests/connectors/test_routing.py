"""Routes, silences, intervals, inhibitions and windows: who is told, when, and why not."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sinks.outbox import Outbox
from connectors.sinks.routing import Inhibition, Interval, Route, Router, Window, matcher_from
from records import Alert, ManualClock, Matcher, SettingsError, Silence
from records.labels import labels_of

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)  # a Sunday, 8 in the morning in Paris
NIGHTS = Interval(name="nights", zone=PARIS, days=frozenset(range(7)), spans=((time(22), time(7)),))


class Box:
    """A sink that keeps what it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[tuple[str, int]] = []
        self.failures = 0

    async def send(self, alert: Alert) -> None:
        if self.failures:
            self.failures -= 1
            raise TryLater("not now")
        self.got.append((alert.incident_id, alert.revision))


class Letterbox(Box):
    """A sink that takes several at once."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.letters: list[list[tuple[str, int]]] = []

    async def send_many(self, alerts: Sequence[Alert]) -> None:
        self.letters.append([(alert.incident_id, alert.revision) for alert in alerts])


class Desk:
    """An outbox with routes, on a clock that stands still until it is moved."""

    def __init__(self, folder: Path, witness: Any, *sinks: Box, **rules: Any) -> None:
        self.clock = ManualClock(AT)
        self.silences: list[Silence] = []
        self.witness = witness
        self.sinks = {sink.name: sink for sink in sinks}
        routes = rules.pop("routes", [Route(name="all", receivers=tuple(self.sinks))])
        self.outbox = Outbox(
            folder / "outbox.sqlite",
            sinks,
            clock=self.clock,
            observer=witness,
            router=Router(routes, **rules),
            silences=lambda: self.silences,
        )

    async def tell(self, *alerts: Alert) -> None:
        await self.outbox.enqueue(alerts)
        await self.outbox.drain()

    async def wait(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        await self.outbox.drain()

    def got(self, name: str = "box") -> list[tuple[str, int]]:
        return self.sinks[name].got


def revision(alert: Alert, number: int, incident: str = "fire-1", **fields: Any) -> Alert:
    return replace(alert, incident_id=incident, revision=number, **fields)


def silence(**fields: Any) -> Silence:
    given = {
        "silence_id": "s1",
        "matchers": (matcher_from("hazard = fire"),),
        "author": "permanence",
        "reason": "exercice connu",
        "starts_at": AT,
        "ends_at": AT + timedelta(hours=2),
        "made_at": AT,
    }
    return Silence(**{**given, **fields})


# Matchers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("hazard = fire", {"hazard": "fire"}, True),
        ('hazard="fire"', {"hazard": "flood"}, False),
        ("level != watch", {"level": "alert"}, True),
        ('level =~ "alert|confirmed"', {"level": "alerts"}, False),
        ("level=~alert|confirmed", {"level": "confirmed"}, True),
        ("place !~ Le .*", {"place": "Le Havre"}, False),
        ("insee = ", {}, True),
        ("insee != 76351", {}, True),
    ],
)
def test_a_matcher_is_read_and_fits_as_in_alertmanager(text: str, labels: dict[str, str], *, expected: bool) -> None:
    assert matcher_from(text).fits(labels) is expected


@pytest.mark.parametrize("text", ["", "hazard", "hazard > fire", "level =~ (", "Hazard = fire"])
def test_what_is_no_matcher_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="write such as"):
        matcher_from(text)


def test_a_pattern_from_elsewhere_that_is_none_fits_nothing() -> None:
    assert not Matcher(name="level", value="(", is_regex=True).fits({"level": "alert"})


# Routes --------------------------------------------------------------------------------------------------------------


def routes_taken(routes: list[Route], **labels: str) -> list[str]:
    return [route.name for route in Router(routes).routes_of(labels)]


def test_the_first_route_that_fits_decides_unless_it_goes_on() -> None:
    fire = Route(name="fire", receivers=("a",), matchers=(matcher_from("hazard = fire"),), goes_on=True)
    loud = Route(name="loud", receivers=("b",), matchers=(matcher_from("level = alert"),))
    rest = Route(name="rest", receivers=("c",))
    assert routes_taken([fire, loud, rest], hazard="fire", level="alert") == ["fire", "loud"]
    assert routes_taken([fire, loud, rest], hazard="fire", level="watch") == ["fire", "rest"]
    assert routes_taken([fire, loud, rest], hazard="flood", level="alert") == ["loud"]
    assert routes_taken([loud], hazard="flood", level="watch") == []


async def test_receivers_get_what_their_routes_say_each_once(tmp_path: Path, alert: Alert, witness: Any) -> None:
    first = Route(name="alerts", receivers=("cell", "box"), matchers=(matcher_from("level = alert"),), goes_on=True)
    desk = Desk(
        tmp_path, witness, Box("cell"), Box("box"), routes=[first, Route(name="all", receivers=("box", "gone"))]
    )
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 2, level="alert"))
    assert desk.got("cell") == [("fire-1", 2)]
    assert desk.got() == [("fire-1", 1), ("fire-1", 2)]


def test_labels_say_what_is_known_and_no_more(alert: Alert) -> None:
    labels = labels_of(alert)
    assert labels["hazard"] == alert.hazard
    assert labels["insee"] == "76351"
    assert "epci" not in labels_of(replace(alert, place=replace(alert.place, epci=None)))


async def test_who_was_told_of_an_alert_is_told_of_its_end_by_whatever_route(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    loud = Route(name="loud", receivers=("cell",), matchers=(matcher_from("level = alert"),))
    desk = Desk(tmp_path, witness, Box("cell"), routes=[loud])
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 1, "fire-2", level="watch"))
    await desk.tell(revision(alert, 2, level="alert"), revision(alert, 3, level="monitoring"))
    await desk.tell(revision(alert, 4, level="resolved"), revision(alert, 2, "fire-2", level="resolved"))
    assert desk.got("cell") == [("fire-1", 2), ("fire-1", 3), ("fire-1", 4)]


# What holds back -----------------------------------------------------------------------------------------------------


async def test_a_silence_keeps_back_and_when_it_is_over_the_newest_revision_goes_out(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    desk = Desk(tmp_path, witness, Box("box"))
    desk.silences = [silence()]
    await desk.tell(revision(alert, 1), revision(alert, 2, "flood-1", hazard="flood"))
    assert desk.got() == [("flood-1", 2)]
    assert desk.outbox.held() == {"silence: silence s1 by permanence: exercice connu": 1}
    assert witness.sinks["box", "silence"] == 1
    await desk.tell(revision(alert, 2), revision(alert, 3))
    await desk.wait(hours=2, seconds=1)
    assert desk.got() == [("flood-1", 2), ("fire-1", 3)]
    assert desk.outbox.counts() == {("box", "sent"): 2, ("box", "superseded"): 2}


async def test_a_silence_that_is_ended_early_holds_no_longer(tmp_path: Path, alert: Alert, witness: Any) -> None:
    desk = Desk(tmp_path, witness, Box("box"))
    desk.silences = [silence(ends_at=AT + timedelta(days=7))]
    await desk.tell(revision(alert, 1))
    desk.silences = []
    await desk.wait(seconds=31)
    assert desk.got() == [("fire-1", 1)]


@pytest.mark.parametrize(
    ("fields", "is_held"),
    [
        pytest.param({"starts_at": AT + timedelta(minutes=1)}, False, id="not yet"),
        pytest.param({"ends_at": AT}, False, id="over"),
        pytest.param({"matchers": ()}, False, id="of nothing"),
        pytest.param({"origin": "box"}, True, id="read from this receiver"),
        pytest.param({"origin": "other"}, False, id="read from another receiver"),
    ],
)
async def test_a_silence_holds_what_it_speaks_of_alone(
    tmp_path: Path, alert: Alert, witness: Any, fields: dict[str, Any], *, is_held: bool
) -> None:
    desk = Desk(tmp_path, witness, Box("box"))
    desk.silences = [silence(**fields)]
    await desk.tell(revision(alert, 1))
    assert bool(desk.got()) is not is_held


async def test_at_night_a_watch_waits_for_the_morning_and_an_alert_does_not(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    desk = Desk(tmp_path, witness, Box("box"), routes=[Route(name="all", receivers=("box",), mute=(NIGHTS,))])
    desk.clock.at = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 1, "fire-2", level="alert"))
    assert desk.got() == [("fire-2", 1)]
    await desk.wait(hours=6, minutes=59)
    assert desk.got() == [("fire-2", 1)]
    await desk.wait(minutes=1)
    assert desk.got() == [("fire-2", 1), ("fire-1", 1)]


@given(st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)))
def test_hours_hold_exactly_while_the_clock_on_the_wall_says_so(now: datetime) -> None:
    local = now.astimezone(PARIS)
    until = NIGHTS.until(now)
    assert (until is not None) == (local.time() >= time(22) or local.time() < time(7))
    if until is not None:
        assert now < until <= now + timedelta(hours=10)
        assert until.astimezone(PARIS).time() == time(7)


def test_hours_of_some_days_begin_on_these_days_only() -> None:
    friday_night = Interval(name="f", zone=PARIS, days=frozenset({4}), spans=((time(22), time(7)),))
    assert friday_night.until(datetime(2026, 11, 21, 3, 0, tzinfo=UTC)) is not None  # Saturday at 4
    assert friday_night.until(datetime(2026, 11, 20, 3, 0, tzinfo=UTC)) is None  # Friday at 4


async def test_a_watch_is_not_told_while_an_alert_is_on_in_the_same_area(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    rule = Inhibition(
        source=(matcher_from("level = alert"),), target=(matcher_from("level = watch"),), equal=("area", "hazard")
    )
    desk = Desk(tmp_path, witness, Box("box"), inhibitions=[rule])
    await desk.tell(revision(alert, 1, level="alert", area="76"))
    await desk.tell(revision(alert, 1, "fire-2", level="watch", area="76"))
    await desk.tell(revision(alert, 1, "fire-3", level="watch", area="27"))
    assert desk.got() == [("fire-1", 1), ("fire-3", 1)]
    assert list(desk.outbox.held()) == ["inhibition: inhibited by fire-1 (alert)"]
    await desk.tell(revision(alert, 2, level="resolved", area="76"))
    await desk.wait(seconds=31)
    assert desk.got()[-1] == ("fire-2", 1)


async def test_a_window_says_who_announced_it_and_lets_alerts_pass(tmp_path: Path, alert: Alert, witness: Any) -> None:
    window = Window(
        name="PPI",
        kind="exercise",
        matchers=(matcher_from("area = 76"),),
        starts_at=AT,
        ends_at=AT + timedelta(hours=4),
        author="prefecture",
        reason="exercice PPI",
    )
    desk = Desk(tmp_path, witness, Box("box"), windows=[window])
    await desk.tell(
        revision(alert, 1, level="watch", area="76"), revision(alert, 1, "fire-2", level="alert", area="76")
    )
    assert desk.got() == [("fire-2", 1)]
    assert list(desk.outbox.held()) == ["window: exercise window PPI by prefecture: exercice PPI"]
    await desk.tell(revision(alert, 2, level="alert", area="76"))
    assert desk.got() == [("fire-2", 1), ("fire-1", 2)], "what has become an alert is told"


# Groups and rates ----------------------------------------------------------------------------------------------------

BY_AREA = Route(
    name="all",
    receivers=("post",),
    group_by=("area",),
    group_wait=timedelta(minutes=2),
    group_interval=timedelta(minutes=10),
)


async def test_incidents_of_a_group_are_told_in_one_letter_by_their_newest_revisions(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    post = Letterbox("post")
    desk = Desk(tmp_path, witness, post, routes=[BY_AREA])
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 1, "fire-2", level="watch"))
    await desk.wait(seconds=60)
    await desk.tell(revision(alert, 2, level="watch"), revision(alert, 1, "fire-3", level="watch", area="27"))
    assert (post.got, post.letters) == ([], [])
    await desk.wait(seconds=61)
    assert [sorted(letter) for letter in post.letters] == [[("fire-1", 2), ("fire-2", 1)]]
    await desk.wait(seconds=60)
    assert post.got == [("fire-3", 1)]
    await desk.tell(revision(alert, 3, level="watch"))
    await desk.wait(minutes=5)
    assert post.got == [("fire-3", 1)], "the group was told five minutes ago"
    await desk.wait(minutes=6)
    assert post.got == [("fire-3", 1), ("fire-1", 3)]


async def test_what_rises_to_an_alert_waits_for_nobody(tmp_path: Path, alert: Alert, witness: Any) -> None:
    post = Letterbox("post")
    desk = Desk(tmp_path, witness, post, routes=[replace_route(BY_AREA, most_per_hour=1)])
    await desk.tell(revision(alert, 1, level="watch"))
    await desk.wait(minutes=2)
    await desk.tell(revision(alert, 2, level="alert"))
    assert post.got == [("fire-1", 1), ("fire-1", 2)]
    await desk.tell(revision(alert, 3, level="alert"))
    assert len(post.got) == 2, "the next one of the same alert does"


def replace_route(route: Route, **fields: Any) -> Route:
    return Route(**{**vars(route), **fields})


async def test_no_more_than_so_many_an_hour_and_then_the_newest(tmp_path: Path, alert: Alert, witness: Any) -> None:
    route = Route(name="all", receivers=("box",), most_per_hour=3)
    desk = Desk(tmp_path, witness, Box("box"), routes=[route])
    for number in range(1, 11):
        await desk.tell(revision(alert, number, level="watch"))
        await desk.wait(minutes=1)
    assert desk.got() == [("fire-1", 1), ("fire-1", 2), ("fire-1", 3)]
    assert list(desk.outbox.held()) == ["rate: 3 an hour at most by route all"]
    await desk.wait(minutes=51)
    assert desk.got()[3:] == [("fire-1", 10)]


# Escalation ----------------------------------------------------------------------------------------------------------

ESCALATING = Route(
    name="cell",
    receivers=("box",),
    escalate_after=timedelta(minutes=15),
    escalate_to=("duty",),
)


async def test_who_nobody_answers_for_calls_others(tmp_path: Path, alert: Alert, witness: Any) -> None:
    desk = Desk(tmp_path, witness, Box("box"), Box("duty"), routes=[ESCALATING])
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 2, level="alert"))
    await desk.wait(minutes=14)
    await desk.tell(revision(alert, 3, level="alert"))
    assert desk.got("duty") == []
    await desk.wait(minutes=1)
    assert desk.got("duty") == [("fire-1", 3)], "the newest"
    assert witness.sinks["cell", "escalated"] == 1
    await desk.wait(hours=1)
    assert desk.got("duty") == [("fire-1", 3)], "once"


@pytest.mark.parametrize("answer", ["acknowledged", "confirmed", "rejected", "resolved", "watch only"])
async def test_who_somebody_answers_for_calls_nobody(tmp_path: Path, alert: Alert, witness: Any, answer: str) -> None:
    desk = Desk(tmp_path, witness, Box("box"), Box("duty"), routes=[ESCALATING])
    await desk.tell(revision(alert, 1, level="watch" if answer == "watch only" else "alert"))
    if answer == "acknowledged":
        await desk.outbox.acknowledge("fire-1")
    elif answer != "watch only":
        await desk.tell(revision(alert, 2, level=answer))
    await desk.wait(hours=1)
    assert desk.got("duty") == []


async def test_an_escalation_is_not_forgotten_over_a_restart(tmp_path: Path, alert: Alert, witness: Any) -> None:
    desk = Desk(tmp_path, witness, Box("box"), Box("duty"), routes=[ESCALATING])
    await desk.tell(revision(alert, 1, level="alert"))
    desk.outbox.close()
    reborn = Desk(tmp_path, witness, Box("box"), Box("duty"), routes=[ESCALATING])
    await reborn.wait(minutes=16)
    assert (reborn.got(), reborn.got("duty")) == ([], [("fire-1", 1)])


# Receivers that are not well -----------------------------------------------------------------------------------------


async def test_a_receiver_that_cannot_be_told_is_shown_until_it_can(tmp_path: Path, alert: Alert, witness: Any) -> None:
    box = Box("box")
    box.failures = 1
    desk = Desk(tmp_path, witness, box)
    await desk.tell(revision(alert, 1))
    assert desk.outbox.troubles() == {"box": "not now"}
    await desk.wait(minutes=10)
    assert (desk.outbox.troubles(), desk.got()) == ({}, [("fire-1", 1)])


async def test_a_route_that_the_settings_have_no_more_loses_nothing(tmp_path: Path, alert: Alert, witness: Any) -> None:
    desk = Desk(tmp_path, witness, Box("box"), routes=[Route(name="old", receivers=("box",), mute=(NIGHTS,))])
    desk.clock.at = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    await desk.tell(revision(alert, 1, level="watch"))
    desk.outbox.close()
    await asyncio.sleep(0)
    reborn = Desk(tmp_path, witness, Box("box"))
    await reborn.wait(days=1)
    assert reborn.got() == [("fire-1", 1)]


# What a review found -------------------------------------------------------------------------------------------------


async def test_what_was_held_for_days_is_tried_for_a_day_from_the_first_try(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    box = Box("box")
    desk = Desk(tmp_path, witness, box)
    desk.silences = [silence(ends_at=AT + timedelta(hours=26))]
    await desk.tell(revision(alert, 1))
    box.failures = 1
    await desk.wait(hours=26, minutes=1)
    await desk.wait(minutes=10)
    assert desk.got() == [("fire-1", 1)]


async def test_one_that_is_refused_costs_its_group_nothing(tmp_path: Path, alert: Alert, witness: Any) -> None:
    class Picky(Letterbox):
        async def send_many(self, alerts: Sequence[Alert]) -> None:
            raise Undeliverable("one of them is too long")

        async def send(self, alert: Alert) -> None:
            if alert.incident_id == "fire-2":
                raise Undeliverable("too long")
            await super().send(alert)

    desk = Desk(tmp_path, witness, Picky("post"), routes=[BY_AREA])
    await desk.tell(*(revision(alert, 1, f"fire-{n}", level="watch") for n in (1, 2, 3)))
    await desk.wait(minutes=3)
    assert desk.got("post") == [("fire-1", 1), ("fire-3", 1)]
    assert desk.outbox.counts() == {("post", "sent"): 2, ("post", "failed"): 1}


async def test_two_that_are_both_greater_do_not_hold_each_other_back(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    rule = Inhibition(source=(matcher_from("level =~ alert|confirmed"),), target=(), equal=("area",))
    desk = Desk(tmp_path, witness, Box("box"), inhibitions=[rule])
    await desk.tell(
        revision(alert, 1, level="alert", area="76"),
        revision(alert, 1, "flood-1", level="alert", hazard="flood", area="76"),
        revision(alert, 1, "fire-2", level="watch", area="76"),
    )
    assert desk.got() == [("fire-1", 1), ("flood-1", 1)]


async def test_a_receiver_that_hangs_holds_no_other_up(tmp_path: Path, alert: Alert, witness: Any, until: Any) -> None:
    class Hanging(Box):
        async def send(self, alert: Alert) -> None:
            await asyncio.Event().wait()

    desk = Desk(tmp_path, witness, Hanging("slow"), Box("fast"))
    task = asyncio.create_task(desk.outbox.run(look_every_secs=0.01))
    await desk.outbox.enqueue([revision(alert, 1)])
    await until(lambda: desk.got("fast") == [("fire-1", 1)])
    await desk.outbox.enqueue([revision(alert, 1, "fire-2")])
    await until(lambda: desk.got("fast") == [("fire-1", 1), ("fire-2", 1)])
    task.cancel()
    await asyncio.wait({task})


async def test_a_rise_that_was_held_stays_urgent_in_the_revision_that_stands_for_it(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    desk = Desk(tmp_path, witness, Letterbox("post"), routes=[replace_route(BY_AREA, most_per_hour=1)])
    await desk.tell(revision(alert, 1, "fire-9", level="watch"))
    await desk.wait(minutes=3)
    desk.silences = [silence(ends_at=AT + timedelta(minutes=10))]
    await desk.tell(revision(alert, 1, level="alert"))
    await desk.tell(revision(alert, 2, level="alert"))
    await desk.wait(minutes=8)
    assert desk.got("post") == [("fire-9", 1), ("fire-1", 2)]


async def test_an_alert_that_is_one_again_is_as_urgent_as_the_first_time(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    desk = Desk(tmp_path, witness, Letterbox("post"), routes=[BY_AREA])
    await desk.tell(revision(alert, 1, level="alert"))
    await desk.tell(revision(alert, 2, level="monitoring"))
    await desk.wait(minutes=11)
    await desk.tell(revision(alert, 3, level="alert"))
    assert desk.got("post") == [("fire-1", 1), ("fire-1", 2), ("fire-1", 3)]


async def test_no_revision_overtakes_an_earlier_one_in_a_letter(tmp_path: Path, alert: Alert, witness: Any) -> None:
    post = Letterbox("post")
    desk = Desk(tmp_path, witness, post, routes=[BY_AREA])
    post.failures = 1
    await desk.tell(revision(alert, 1, level="alert"))
    await desk.tell(revision(alert, 2, level="rejected"), revision(alert, 1, "fire-2", level="alert"))
    await desk.wait(hours=1)
    await desk.wait(hours=1)
    told = [*post.got, *(one for letter in post.letters for one in letter)]
    mine = [number for incident, number in told if incident == "fire-1"]
    assert mine == sorted(mine) == [1, 2]


async def test_a_receiver_that_asks_for_a_year_is_asked_again_in_an_hour(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    class Year(Box):
        async def send(self, alert: Alert) -> None:
            if self.failures:
                self.failures -= 1
                raise TryLater("busy", retry_after_secs=31_536_000)
            await super().send(alert)

    box = Year("box")
    box.failures = 1
    desk = Desk(tmp_path, witness, box)
    await desk.tell(revision(alert, 1))
    await desk.wait(hours=1, minutes=1)
    assert desk.got() == [("fire-1", 1)]


async def test_what_the_disk_cannot_note_is_noted_later_and_not_told_again(
    tmp_path: Path, alert: Alert, witness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, witness, Box("box"))
    done, full = desk.outbox._store.done, [True, True, True]

    def sometimes(*noted: Any) -> None:
        if full:
            full.pop()
            raise sqlite3.OperationalError("disk I/O error")
        done(*noted)

    monkeypatch.setattr(desk.outbox._store, "done", sometimes)
    await desk.tell(revision(alert, 1))
    assert "cannot be noted" in desk.outbox.troubles()["box"]
    for _ in range(4):
        await desk.wait(seconds=1)
    assert desk.got() == [("fire-1", 1)]
    assert desk.outbox.counts() == {("box", "sent"): 1}


async def test_what_joins_a_letter_that_was_told_and_not_noted_is_told_itself(
    tmp_path: Path, alert: Alert, witness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Letterbox("post")
    desk = Desk(tmp_path, witness, post, routes=[BY_AREA])
    done, full = desk.outbox._store.done, [True]

    def sometimes(*noted: Any) -> None:
        if full:
            raise sqlite3.OperationalError("disk I/O error")
        done(*noted)

    monkeypatch.setattr(desk.outbox._store, "done", sometimes)
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 1, "fire-2", level="watch"))
    await desk.wait(minutes=3)
    await desk.tell(revision(alert, 1, "fire-3", level="watch"))
    full.clear()
    await desk.wait(minutes=15)
    told = [*post.got, *(one for letter in post.letters for one in letter)]
    assert sorted(told) == [("fire-1", 1), ("fire-2", 1), ("fire-3", 1)]
    assert desk.outbox.counts() == {("post", "sent"): 3}


async def test_an_answer_from_before_an_escalation_began_does_not_end_it(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    desk = Desk(tmp_path, witness, Box("box"), Box("duty"), routes=[ESCALATING])
    answered_at = desk.clock.now() - timedelta(minutes=5)
    await desk.tell(revision(alert, 1, level="alert"))
    await desk.outbox.acknowledge("fire-1", answered_at)
    await desk.wait(minutes=16)
    assert desk.got("duty") == [("fire-1", 1)]


async def test_an_alert_that_takes_no_route_is_told_of(tmp_path: Path, alert: Alert, witness: Any) -> None:
    desk = Desk(tmp_path, witness, Box("box"), routes=[Route(name="none", receivers=("gone",))])
    await desk.tell(revision(alert, 1))
    assert witness.sinks["fire-1", "untold"] == 1


async def test_an_alert_that_takes_no_route_is_told_of_beside_one_that_does(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    route = Route(name="fires", receivers=("box",), matchers=(matcher_from("hazard = fire"),))
    desk = Desk(tmp_path, witness, Box("box"), routes=[route])
    await desk.tell(revision(alert, 1), revision(alert, 1, "flood-1", hazard="flood"))
    assert (witness.sinks["fire-1", "untold"], witness.sinks["flood-1", "untold"]) == (0, 1)


async def test_what_waits_for_a_receiver_that_there_is_no_more_keeps_no_words(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    box = Box("old")
    box.failures = 99
    desk = Desk(tmp_path, witness, box)
    await desk.tell(revision(alert, 1))
    desk.outbox.close()
    reborn = Desk(tmp_path, witness, Box("new"))
    assert reborn.outbox.counts() == {("old", "failed"): 1}
    assert reborn.outbox.waits_secs() == 0


async def test_no_words_of_posts_stay_once_all_is_told(tmp_path: Path, alert: Alert, witness: Any) -> None:
    words = alert.evidence[0].text
    assert words
    desk = Desk(tmp_path, witness, Box("box"))
    await desk.tell(revision(alert, 1))
    desk.outbox.forget_before(AT - timedelta(days=1))
    desk.outbox.close()
    assert words.encode() not in all_bytes(tmp_path)


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("departement = 76", "there is no label departement"),
        ("hazard = feu", 'hazard is never "feu": it is one of fire, flood, industrial, other'),
        ("level != Alert", 'level is never "Alert"'),
        ('hazard = "fire', "is no matcher"),
    ],
)
def test_a_matcher_that_can_never_mean_anything_is_refused(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(expected)):
        matcher_from(text)


def test_the_hour_that_comes_twice_belongs_to_one_night() -> None:
    late = Interval(name="late", zone=PARIS, days=frozenset(range(7)), spans=((time(22), time(2, 30)),))
    assert late.until(datetime(2026, 10, 25, 0, 15, tzinfo=UTC)) is not None  # 02:15, the first time
    until_when = late.until(datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
    assert until_when is not None
    assert until_when > datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert late.until(datetime(2026, 10, 25, 1, 15, tzinfo=UTC)) is None  # 02:15, the second time
