"""A profile that people put in force decides from there on; what is open, counted, learned and told goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.case import Case, Watched
from detectors.detector import Detector
from detectors.ledger import Ledger
from detectors.profile import load_profile
from detectors.promotion import promoted
from detectors.shelf import CHANGES, MOST_CHANGES, newest_changes
from records import BrokenInvariant, ProfileChange, Retraction, SettingsError
from records.profile_change import MOST_TOML

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any
MakesChanges = Callable[..., ProfileChange]
FreshDesk = Callable[..., Any]

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

DEAF = (("watch = 14.0", "watch = 0.0002"), ("alert = 0.5", "alert = 0.0001"))
KEEN = (("watch = 14.0", "watch = 9000.0"), ("alert = 0.5", "alert = 100.0"))
FEWER_RATES = (("[hazard.fire]", "[hazard.fire]\nrates = 3"),)
PATIENT = (("[hazard.fire]", "[hazard.fire]\nhold_minutes = 120.0"),)
HASTY = (("[hazard.fire]", "[hazard.fire]\nhold_minutes = 5.0\npace_minutes = 5.0\nmemory_hours = 3.0"),)
BACK: dict[str, str] = {"toml": "", "name": "", "version": "", "approved_by": ""}


def raised(desk: Desk) -> list[Any]:
    """Return what was told of incidents, and not of single posts on the map."""
    return [alert for alert in desk.alerts if alert.level != "signal"]


def test_the_next_decision_is_by_the_new_profile(desk: Desk, signal: MakesSignals, change: MakesChanges) -> None:
    far = replace(signal(0, 0).place, place_id="fr:76540", insee="76540", lat=49.44, lon=1.1)
    desk.tell(signal(1, 0, ratio=1.6, place=far))
    assert raised(desk) == []
    assert desk.promote(change(2, *KEEN))
    (alert,) = desk.tell(signal(2, 3, ratio=1.6, place=far))
    assert (alert.level, alert.profile, alert.posts) == ("watch", "city/3", 2)


def test_an_open_incident_goes_on_under_its_id_whatever_it_would_take_now(
    desk: Desk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 0, author_tier=1), signal(2, 2, author_tier=1), signal(3, 4))
    assert desk.levels[-1] == "alert"
    before = desk.alerts[-1]
    desk.promote(change(5, *DEAF))
    desk.tell(*(signal(number, number + 2) for number in range(4, 12)))
    after = desk.alerts[-1]
    assert after is not before
    assert {alert.incident_id for alert in desk.alerts} == {before.incident_id}
    assert (after.level, after.profile, before.profile) == ("alert", "city/3", "city/2")
    assert [alert.revision for alert in desk.alerts] == list(range(1, after.revision + 1))
    assert after.posts > before.posts
    assert [alert.level for alert in desk.wait(24 * 60)] == ["monitoring", "resolved"]


def test_what_would_have_been_nothing_opens_nothing_more(
    desk: Desk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.promote(change(0, *DEAF))
    desk.tell(signal(0, 0))  # which is a watch by the profile of the settings
    assert raised(desk) == []


def test_what_comes_late_is_worked_out_by_what_was_in_force_then(
    desk: Desk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 30, ratio=0.5))
    desk.promote(change(31, *DEAF))
    desk.tell(signal(2, 5))
    assert next((alert.level, alert.profile) for alert in raised(desk)) == ("watch", "city/2")


def test_what_comes_after_it_is_decided_by_it_however_late_the_change_was_made(
    desk: Desk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 30, ratio=0.5))
    desk.promote(change(1_000_000, *DEAF))  # a replay's people live later than its posts
    desk.tell(signal(2, 31))
    assert raised(desk) == []


def test_going_back_is_to_the_profile_of_the_settings(desk: Desk, signal: MakesSignals, change: MakesChanges) -> None:
    desk.promote(change(0, *DEAF))
    desk.tell(signal(1, 1))
    assert raised(desk) == []
    desk.promote(change(2, **BACK))
    (alert,) = desk.tell(signal(2, 3))
    assert (alert.level, alert.profile) == ("watch", "city/2")


def test_the_newest_holds_and_what_is_known_changes_nothing(desk: Desk, change: MakesChanges) -> None:
    first, second = change(10, *DEAF), change(5, *KEEN, version="3")
    assert desk.promote(first)
    assert not desk.promote(second)
    assert not desk.promote(replace(first, decided_at=first.decided_at + timedelta(hours=1)))
    assert desk.detector.profile_in_force(desk.shelf).budget.watch == 0.0002
    assert desk.promote(change(10, **BACK, change_id="of the same moment, and later"))
    assert desk.detector.profile_in_force(desk.shelf) is desk.detector.profile


def test_it_holds_after_a_restart(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 0))
    desk.promote(change(1, *DEAF))
    reborn = fresh_desk(desk.store)
    assert reborn.detector.profile_in_force(reborn.shelf).version == "3"
    reborn.tell(signal(2, 2, hazard="flood"))
    assert raised(reborn) == []


def test_time_passes_by_the_new_profile(desk: Desk, signal: MakesSignals, change: MakesChanges) -> None:
    desk.tell(signal(1, 0))
    desk.promote(change(1, *PATIENT))
    desk.tick(signal(0, 2).event_time)
    held = {alert.level: alert.raised_at for alert in desk.wait(24 * 60)}
    assert held["resolved"] - held["monitoring"] >= timedelta(minutes=120)


def test_another_number_of_rates_loses_no_incident(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 0), signal(2, 1, place=replace(signal(0, 0).place, insee="76341", place_id="fr:76341")))
    desk.promote(change(2, *FEWER_RATES))
    desk.tell(signal(3, 3))
    reborn = fresh_desk(desk.store.copy())
    for one in (desk, reborn):
        (alert,) = one.tell(*(signal(number, number, author_tier=1) for number in range(4, 6)))
        assert (alert.incident_id, alert.level, alert.posts) == (desk.alerts[0].incident_id, "alert", 4)


def test_a_profile_that_is_forgotten_leaves_the_one_in_force(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.promote(change(0, *FEWER_RATES))
    desk.tell(signal(1, 1))
    for number in range(MOST_CHANGES):
        desk.promote(change(2 + number, *KEEN))
    assert len(desk.shelf.profile_changes) == MOST_CHANGES
    reborn = fresh_desk(desk.store)
    (alert,) = reborn.tell(signal(2, 20, ratio=150.0))
    assert (alert.incident_id, alert.posts) == (desk.alerts[0].incident_id, 2)


def test_what_is_taken_back_is_gone_under_another_profile(
    desk: Desk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.tell(signal(1, 0), signal(2, 1))
    desk.promote(change(2, *DEAF))
    (revision,) = desk.detector.retract(Retraction(at=signal(0, 3).event_time, post_key="twitter:1"), desk.shelf)
    desk.write()
    assert (revision.level, revision.revision) == ("watch", desk.alerts[-1].revision + 1)
    assert "La centrale brûle, 1".encode() not in b"".join(desk.store.values.values())


def test_what_fails_while_it_speaks_of_what_was_leaves_what_is_in_force(detector: Detector) -> None:
    usual, then = (Watched(detector.profile, "fire", {}, ()) for _ in range(2))
    case = Case(Ledger(1), "76", usual, by=lambda _: usual)
    with pytest.raises(ZeroDivisionError), case.as_of(then):
        raise ZeroDivisionError
    assert case.watched is usual


STEPS = st.tuples(
    st.floats(0.0, 40.0),
    st.integers(0, 12),
    st.sampled_from([0.3, 0.8, 2.0, 20.0, 150.0]),
    st.sampled_from([0, 0, 1, 2]),
    st.sampled_from(["", "", "", "deaf", "keen", "rates", "patient", "hasty", "back", "tick"]),
)
KINDS = {"deaf": DEAF, "keen": KEEN, "rates": FEWER_RATES, "patient": PATIENT, "hasty": HASTY, "back": ()}


@pytest.fixture
def told(signal: MakesSignals) -> Callable[..., list[Any]]:
    def made(story: list[Any]) -> list[Any]:
        signals, at = [], 0.0
        for number, (gap, author, ratio, tier, _) in enumerate(story):
            at += gap
            signals.append(signal(number, at, ratio=ratio, author_id=f"author {author}", author_tier=tier))
        return signals

    return made


@RELAXED
@given(
    story=st.lists(STEPS, min_size=1, max_size=30), chance=st.randoms(use_true_random=False), crash=st.integers(0, 30)
)
def test_a_restart_makes_no_difference(
    story: list[Any], chance: Any, crash: int, fresh_desk: FreshDesk, told: Any, change: MakesChanges
) -> None:
    """Under changes, ticks and hours of disorder at once; beyond the memory, too."""
    pairs = list(zip(told(story), (what for *_, what in story), strict=True))
    pairs.sort(key=lambda pair: pair[0].event_time + timedelta(minutes=700 * chance.random() * (chance.random() < 0.5)))
    steady, reborn = fresh_desk(), fresh_desk()
    for number, (one, what) in enumerate(pairs):
        if number >= crash:  # and again, after each
            reborn = fresh_desk(reborn.store)
        if what == "tick":
            assert steady.tick(one.event_time) == reborn.tick(one.event_time)
        elif what:
            made = change(number, *KINDS[what], **(BACK if what == "back" else {}))
            assert steady.promote(made) == reborn.promote(made)
        assert steady.tell(one) == reborn.tell(one)
        assert reborn.store.values == steady.store.values


@RELAXED
@given(story=st.lists(STEPS, min_size=2, max_size=30), chance=st.randoms(use_true_random=False), data=st.data())
def test_the_order_on_each_side_of_a_change_makes_no_difference(
    story: list[Any], chance: Any, data: st.DataObject, fresh_desk: FreshDesk, told: Any, change: MakesChanges
) -> None:
    scale = min(1.0, 350.0 / max(sum(gap for gap, *_ in story), 1.0))  # within the memory
    signals = told([(gap * scale, *rest) for gap, *rest in story])
    at = data.draw(st.integers(1, len(signals) - 1))
    by_chance = chance.sample(signals, len(signals))  # what is said before it may be heard after it
    kind = data.draw(st.sampled_from([DEAF, KEEN, FEWER_RATES, PATIENT]))
    states = []
    for _ in range(2):
        desk, before, after = fresh_desk(), by_chance[:at], by_chance[at:]
        chance.shuffle(before)
        desk.tell(*before)
        desk.promote(change(0, *kind))
        chance.shuffle(after)
        desk.tell(*after)
        ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
        outcomes = sorted((step.entry.order, step.entry.odds) for step in ledger.steps if step.entry)
        states.append((sorted(ledger.nodes.items()), sorted(ledger.incidents.items()), outcomes))
    assert states[0] == states[1]


@pytest.mark.parametrize(
    ("replaced", "found"),
    [
        ([("watch = 14.0", "watch = -1.0")], "budget.watch = -1.0"),
        ([("alert = 0.5", "alert = 20.0")], "budget.alert = 20.0: more than budget.watch"),
        ([("least_rate = 0.01", "least_rate = 99.0")], "least_rate = 99.0: above most_rate"),
        ([("home_share = 0.5", "home_share = 0.9")], "they must add up to 1"),
        ([("[budget]", "[budget")], "this is not TOML"),
        ([('hazards = ["fire", "flood", "industrial", "other"]', 'hazards = ["fire"]')], "read at its start"),
        ([("Europe/Paris", "Indian/Reunion")], "learned by the clock of 'Europe/Paris'"),
        ([('version = "3"', 'version = "4"')], "its text says city/4"),
        ([('name = "city"', 'name = "town"')], "its text says town/3"),
        ([("[budget]", f"# {'x' * MOST_TOML}\n[budget]")], f"no more than {MOST_TOML} fit"),
    ],
)
def test_what_cannot_take_over_is_refused_with_the_reason_and_the_one_before_stays(
    replaced: list[tuple[str, str]], found: str, desk: Desk, change: MakesChanges
) -> None:
    desk.promote(change(0, *KEEN))
    with pytest.raises(SettingsError) as refused:
        desk.promote(change(1, *replaced))
    assert str(refused.value).startswith("profile city/3: ")
    assert found in str(refused.value)
    assert desk.detector.profile_in_force(desk.shelf).budget.watch == 9000.0


def test_a_profile_that_needs_a_home_is_refused_where_there_is_none(change: MakesChanges) -> None:
    with pytest.raises(SettingsError, match="need a home and none was given"):
        promoted(change(0), load_profile("world", None))


def test_one_in_force_that_cannot_be_used_any_more_stops_the_worker_and_says_what_to_do(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.promote(change(0, *KEEN))
    desk.store.values[CHANGES] = desk.store.values[CHANGES].replace(b"watch = 9000.0", b"watch = -900.0")
    reborn = fresh_desk(desk.store)
    with pytest.raises(BrokenInvariant, match="say `vigie profile back`"):
        reborn.tell(signal(1, 0))


def test_one_before_that_cannot_be_used_any_more_stops_nobody(
    desk: Desk, fresh_desk: FreshDesk, signal: MakesSignals, change: MakesChanges
) -> None:
    desk.promote(change(0, *KEEN))
    desk.tell(signal(1, 0))
    desk.promote(change(1, **BACK))
    desk.store.values[CHANGES] = desk.store.values[CHANGES].replace(b"watch = 9000.0", b"watch = -900.0")
    (alert,) = fresh_desk(desk.store).tell(signal(2, 2, author_tier=2))
    assert alert.incident_id == desk.alerts[0].incident_id


def test_of_what_several_shelves_have_the_newest_is_found(fresh_desk: FreshDesk, change: MakesChanges) -> None:
    desks = [fresh_desk() for _ in range(3)]
    for number, one in enumerate(desks):
        one.promote(change(0, *KEEN))
        if number == 1:
            one.promote(change(1, *DEAF))
    values = [one.store.values[CHANGES] for one in desks]
    assert newest_changes(values) == values[1]
    assert newest_changes([]) is None
