"""Whatever happened before, a real incident is told: after restarts, verdicts, ticks, loud hours, other profiles."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from detectors.detector import Detector
from detectors.profile import load_profile
from records import Bulletin, Place, Statement, Verdict

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any
FreshDesk = Callable[..., Any]


def reject(desk: Desk, at: datetime) -> None:
    verdict = Verdict(
        incident_id=desk.alerts[-1].incident_id,
        hazard="fire",
        area="76",
        decision="reject",
        decided_at=at,
        decided_by="officier de permanence",
    )
    desk.heed(Statement(hazard="fire", area="76", said=verdict))


@pytest.mark.parametrize("hours", [1, 7, 9, 14, 20, 30])
def test_a_restart_in_a_quiet_area_forgets_nothing_and_hears_the_next_fire(
    hours: int, desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals
) -> None:
    desk.tell(*(signal(number, number, ratio=0.5) for number in range(20)), signal(20, 21))
    desk.wait(60 * hours)
    reborn = fresh_desk(desk.store.copy())
    later = [signal(100 + number, 60 * hours + 10 + number, author_tier=1) for number in range(4)]
    told = [alert.level for alert in desk.tell(*later)]
    assert "alert" in told
    assert [alert.level for alert in reborn.tell(*later)] == told
    for one in (desk, reborn):
        one.wait(60 * (hours + 48))
    assert reborn.store.values == desk.store.values


def test_a_bug_in_the_middle_costs_one_signal_and_no_alert(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("detectors.detector.moments_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.tell(signal(1, 0))
    other = fresh_desk()
    assert [alert.level for alert in desk.tell(signal(2, 1))] == [alert.level for alert in other.tell(signal(2, 1))]
    assert desk.levels == ["watch"]


def test_a_rejection_in_one_town_does_not_swallow_what_is_said_of_the_departement(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]
) -> None:
    whole = place_with(place_id="fr:dep:76", level="dep", insee=None, population=1_250_000)
    desk.tell(*(signal(number, number) for number in range(3)))
    reject(desk, signal(0, 5).event_time)
    desk.tell(*(signal(10 + n, 10 + n, ratio=300.0, author_tier=2, place=whole) for n in range(6)))
    assert desk.levels[-1] == "alert"
    assert len({alert.incident_id for alert in desk.alerts}) == 2


def test_a_second_outbreak_after_a_loud_one_is_told(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 20, author_tier=1) for number in range(600)))
    desk.wait(145)
    assert desk.levels[-1] == "monitoring"
    desk.tell(*(signal(1_000 + number, 150 + number / 5, author_tier=1) for number in range(30)))
    assert desk.levels[-1] == "alert"
    assert desk.alerts[-1].raised_at >= signal(0, 150).event_time


def test_a_place_that_joins_is_named(desk: Desk, signal: MakesSignals, place_with: Callable[..., Place]) -> None:
    fecamp = place_with(place_id="fr:76259", name="Fécamp", insee="76259", lat=49.65, lon=0.3, population=18_000)
    desk.tell(*(signal(number, number * 3, hazard="flood", author_tier=1) for number in range(12)))
    before = len(desk.alerts)
    desk.tell(*(signal(50 + n, 60 + n * 3, hazard="flood", author_tier=1, place=fecamp) for n in range(4)))
    assert len(desk.alerts) > before
    assert desk.alerts[-1].also == ("Fécamp",)


def test_a_rejected_incident_stays_rejected_after_a_late_post_and_a_restart(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals
) -> None:
    desk.tell(signal(1, 30), signal(2, 31))
    reject(desk, signal(0, 35).event_time)
    desk.tell(signal(3, 18))
    reborn = fresh_desk(desk.store.copy())
    later = [signal(10 + number, 40 + number) for number in range(3)]
    assert desk.tell(*later) == reborn.tell(*later) == []
    assert len({alert.incident_id for alert in desk.alerts}) == 1


@pytest.mark.parametrize("tick_at", [2, 9, 12])
def test_time_that_runs_ahead_of_a_backlog_does_not_throw_it_away(
    tick_at: int, desk: Desk, signal: MakesSignals
) -> None:
    desk.tell(signal(0, 0, ratio=0.5))
    desk.tick(signal(0, 60 * tick_at).event_time)
    desk.tell(*(signal(1 + number, 60 + number, author_tier=1) for number in range(4)))
    assert "alert" in desk.levels


def test_a_profile_with_other_rates_goes_on_with_what_is_kept(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, home: Place
) -> None:
    desk.tell(*(signal(number, number * 2) for number in range(3)))
    desk.tell(*(signal(10 + number, 60 * 7 + number, ratio=0.5) for number in range(3)))
    profile = load_profile("city", home)
    fewer = {name: msgspec.structs.replace(one, rates=6) for name, one in profile.hazard.items()}
    desk.tell(*(signal(20 + number, 60 * 8 + number) for number in range(2)))
    reborn = fresh_desk(desk.store.copy())
    reborn.detector = Detector(msgspec.structs.replace(profile, hazard=fewer))
    reborn.tell(*(signal(30 + number, 60 * 9 + number, author_tier=1) for number in range(4)))
    assert reborn.levels[-1] == "alert"


def test_a_vigilance_without_end_is_one_for_ever(desk: Desk, signal: MakesSignals) -> None:
    at = signal(0, 0).event_time
    bulletin = Bulletin(
        bulletin_id="stub:1",
        source="Météo",
        kind="vigilance",
        area="76",
        issued_at=at,
        received_at=at,
        text="Vigilance rouge",
        colour="red",
        ends_at=datetime(9999, 12, 31, tzinfo=UTC),
    )
    desk.heed(Statement(hazard="fire", area="76", said=bulletin))
    (watch,) = desk.tell(signal(1, 60))
    assert [one.text for one in watch.context] == ["Vigilance rouge"]


def test_nothing_of_it_stays_in_memory_once_it_is_over(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 0))
    desk.wait(60 * 48)
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    assert not ledger.falls
    assert not ledger.settled
    assert not ledger.told
    assert all(not node.baseline.is_frozen for node in ledger.nodes.values())


def test_one_late_post_writes_little_however_much_came_after_it(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 20, author_tier=1, text="é" * 280) for number in range(900)))
    before = desk.store.bytes
    desk.tell(signal(5_000, 0, ratio=0.3))
    assert desk.store.bytes - before < 100_000
    desk.wait(60 * 7)
    assert timedelta() < desk.next_due() - signal(0, 0).event_time
