"""The backtest: a recorded past decided again tells what the detector told that was driven by hand, or by a worker."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.backtest import Replayed, Value, came_at, replayed
from detectors.detector import Detector, Shelf
from detectors.neighbours import Neighbours
from detectors.profile import Profile, load_profile
from records import Alert, BrokenInvariant, Bulletin, Place, Retraction, Signal, Statement, Tick, Verdict

MORNING = datetime.fromisoformat("2012-01-30T07:37:00Z")
TICK = timedelta(seconds=5)
LONG = timedelta(days=3)


class MakesSignals(Protocol):
    def __call__(self, number: int, minutes: float, ratio: float = 20.0, **changes: Any) -> Signal: ...


class Works(Protocol):
    """A desk: a detector driven by hand."""

    alerts: list[Alert]

    def tell(self, *signals: Signal) -> list[Alert]: ...
    def heed(self, statement: Statement) -> list[Alert]: ...
    def wait(self, minutes: float, key: str = "fire/76") -> list[Alert]: ...


def minutes_on(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


@pytest.fixture
def profile(home: Place) -> Profile:
    return load_profile("city", home)


def alerts_of(run: Replayed) -> list[Alert]:
    return [one.alert for one in run.told]


def a_fire(signal: MakesSignals, *, first: int = 0, at: float = 0.0, **changes: Any) -> list[Signal]:
    return [signal(first + number, at + number, has_image=True, **changes) for number in range(8)]


def test_it_tells_what_a_detector_driven_by_hand_tells(desk: Works, signal: MakesSignals, profile: Profile) -> None:
    values = [signal(100, -30, 0.2), *a_fire(signal)]
    desk.tell(*values)
    desk.wait(24 * 60)
    run = replayed(profile, values, until=minutes_on(24 * 60))
    assert alerts_of(run) == desk.alerts
    assert [alert.level for alert in desk.alerts][-2:] == ["monitoring", "resolved"]
    assert "alert" in [alert.level for alert in desk.alerts]
    assert run.failed == 0


def test_people_hear_of_a_signal_when_it_came_and_of_silence_when_it_fell_due(
    signal: MakesSignals, profile: Profile
) -> None:
    fire = [signal(number, number, received_at=minutes_on(number + 3)) for number in range(8)]
    run = replayed(profile, fire, until=minutes_on(24 * 60))
    first = run.told[0]
    assert (first.at, first.alert.raised_at) == (minutes_on(3), minutes_on(0))
    resolved = run.told[-1]
    assert resolved.alert.level == "resolved"
    assert resolved.at == resolved.alert.raised_at


def test_what_was_due_before_a_late_signal_came_is_not_told_before_it_came(
    signal: MakesSignals, profile: Profile
) -> None:
    later = signal(200, 300, 0.2)
    late = [signal(number, number, received_at=minutes_on(600)) for number in range(8)]
    run = replayed(profile, [later, *late], until=minutes_on(24 * 60))
    assert "resolved" in [one.alert.level for one in run.told]
    assert all(one.at >= minutes_on(600) for one in run.told)
    assert run.told[-1].alert.raised_at < minutes_on(600)


def test_time_passes_until_the_end_that_is_asked_for_and_no_further(signal: MakesSignals, profile: Profile) -> None:
    whole = replayed(profile, a_fire(signal), until=minutes_on(24 * 60))
    over = whole.told[-1]
    cut = replayed(profile, a_fire(signal), until=over.at - timedelta(seconds=1))
    assert cut.told == whole.told[:-1]
    assert replayed(profile, a_fire(signal), until=over.at).told == whole.told


def test_what_lies_quiet_elsewhere_falls_while_others_speak(
    signal: MakesSignals, place_with: Callable[..., Place], profile: Profile
) -> None:
    far = place_with(place_id="fr:59350", insee="59350", dep="59", lat=50.63, lon=3.06, name="Lille")
    there = [signal(500 + number, 60.0 * number, place=far) for number in range(1, 20)]
    run = replayed(profile, [*a_fire(signal), *there], until=minutes_on(20 * 60))
    over = [one for one in run.told if one.alert.area == "76" and one.alert.level == "resolved"]
    assert [one.at for one in over] == [over[0].alert.raised_at]
    assert over[0].at < minutes_on(19 * 60)


def test_an_incident_ends_however_many_posts_were_let_go_before(signal: MakesSignals, profile: Profile) -> None:
    """A worker writes what it lets go of; a backtest has nowhere to write, and must not wait for it."""
    usual = [signal(number, 2.0 * number, 0.2) for number in range(4000)]
    fire = a_fire(signal, first=10_000, at=8000.0)
    run = replayed(profile, [*usual, *fire], until=minutes_on(8000 + 24 * 60))
    assert [one.alert.level for one in run.told][-2:] == ["monitoring", "resolved"]


def test_late_signals_give_the_same_in_the_end_as_those_in_order(signal: MakesSignals, profile: Profile) -> None:
    fire = a_fire(signal)
    all_at_once = [signal(number, number, received_at=minutes_on(8)) for number in (7, 3, 0, 5, 1, 6, 2, 4)]
    in_order = replayed(profile, fire, until=minutes_on(24 * 60))
    shuffled = replayed(profile, all_at_once, until=minutes_on(24 * 60))
    assert shuffled.told[-1].alert.incident_id
    last, expected = shuffled.told[-1].alert, in_order.told[-1].alert
    assert (last.level, last.posts, last.onset, last.raised_at) == (
        expected.level,
        expected.posts,
        expected.onset,
        expected.raised_at,
    )


def test_what_people_decide_and_authorities_state_is_heard(desk: Works, signal: MakesSignals, profile: Profile) -> None:
    fire = a_fire(signal)
    desk.tell(*fire)
    incident = desk.alerts[0].incident_id
    confirmed = Verdict(
        incident_id=incident,
        hazard="fire",
        area="76",
        decision="confirm",
        decided_at=minutes_on(9),
        decided_by="officier",
    )
    said = Bulletin(
        bulletin_id="stub:1",
        source="préfecture",
        kind="other",
        area="76",
        issued_at=minutes_on(10),
        received_at=minutes_on(11),
        text="Restez chez vous",
    )
    statements = [Statement(hazard="fire", area="76", said=one) for one in (confirmed, said)]
    for statement in statements:
        desk.heed(statement)
    desk.wait(24 * 60)
    run = replayed(profile, [*fire, *statements], until=minutes_on(24 * 60))
    assert alerts_of(run) == desk.alerts
    assert "confirmed" in [alert.level for alert in desk.alerts]
    assert [came_at(one) for one in statements] == [minutes_on(9), minutes_on(10)]


def test_words_that_are_taken_back_are_in_no_later_revision(signal: MakesSignals, profile: Profile) -> None:
    back = Retraction(at=minutes_on(9), post_key="twitter:0")
    run = replayed(profile, [*a_fire(signal), back], until=minutes_on(24 * 60))
    after = [one.alert for one in run.told if one.at >= minutes_on(9)]
    assert after[0].evidence
    assert not [item.text for alert in after for item in alert.evidence if item.post_key == "twitter:0" and item.text]
    kept = replayed(profile, a_fire(signal), until=minutes_on(24 * 60))
    assert [item.text for item in kept.told[-1].alert.evidence if item.post_key == "twitter:0"] == [
        "La centrale brûle, 0"
    ]


def test_a_value_that_fails_costs_itself_and_is_counted(
    signal: MakesSignals, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire = a_fire(signal)
    observe = Detector.observe

    def broken(self: Detector, one: Signal, shelf: Shelf) -> list[Alert]:
        if one.post_key == "twitter:3":
            raise ZeroDivisionError
        return observe(self, one, shelf)

    without = replayed(profile, [one for one in fire if one.post_key != "twitter:3"], until=minutes_on(24 * 60))
    monkeypatch.setattr(Detector, "observe", broken)
    run = replayed(profile, fire, until=minutes_on(24 * 60))
    assert run.failed == 1
    assert run.told == without.told


def test_time_that_cannot_pass_is_counted_too_and_ends_nothing(
    signal: MakesSignals, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Detector, _tick: Tick, _shelf: Shelf) -> list[Alert]:
        raise ZeroDivisionError

    monkeypatch.setattr(Detector, "pass_time", broken)
    run = replayed(profile, a_fire(signal), until=minutes_on(24 * 60))
    assert run.failed == 1
    assert run.told[-1].alert.level == "alert"


def test_state_of_ours_that_is_wrong_ends_it(
    signal: MakesSignals, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Detector, _signal: Signal, _shelf: Shelf) -> list[Alert]:
        raise BrokenInvariant("state")

    monkeypatch.setattr(Detector, "observe", broken)
    with pytest.raises(BrokenInvariant):
        replayed(profile, a_fire(signal), until=minutes_on(60))


def test_progress_grows_from_nothing_to_the_whole_in_few_steps(signal: MakesSignals, profile: Profile) -> None:
    told: list[float] = []
    values = [signal(number, number, 0.2) for number in range(1000)]
    replayed(profile, values, until=minutes_on(1000), on_progress=told.append)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert 100 < len(told) <= 202


def test_who_is_told_of_progress_may_have_done_with_it(signal: MakesSignals, profile: Profile) -> None:
    class Stopped(Exception):
        pass

    heard: list[float] = []

    def stop(share: float) -> None:
        heard.append(share)
        if share >= 0.5:
            raise Stopped

    with pytest.raises(Stopped):
        replayed(profile, a_fire(signal), until=minutes_on(60), on_progress=stop)
    assert heard[-1] == 0.5


def test_nothing_gives_nothing(profile: Profile) -> None:
    assert replayed(profile, [], until=minutes_on(60)) == Replayed((), 0)


def test_revisions_stand_in_order_and_incidents_across_a_border_are_joined(
    signal: MakesSignals, place_with: Callable[..., Place], profile: Profile
) -> None:
    honfleur = place_with(place_id="fr:14333", insee="14333", dep="14", lat=49.45, lon=0.2, name="Honfleur")
    there = a_fire(signal, first=100, at=2.0, place=honfleur)
    values = sorted([*a_fire(signal), *there], key=came_at)
    run = replayed(profile, values, until=minutes_on(24 * 60))
    assert [one.alert.raised_at for one in run.told] == sorted(one.alert.raised_at for one in run.told)
    of_it = [one for one in run.told if one.alert.area == "14" and one.alert.level != "signal"]
    assert {bool(one.alert.joins) for one in of_it} == {True}


# ----- as a worker runs it -----


class Worker:
    """Detect as a worker runs it: a timer looks every five seconds for what is due, and has time pass for it."""

    def __init__(self, profile: Profile) -> None:
        self.detector = Detector(profile)
        self.table: dict[str, bytes] = {}
        self.shelf = Shelf(self.table)
        self.due: dict[str, datetime] = {}
        self.alerts: list[Alert] = []
        self.timer = MORNING - timedelta(seconds=3)  # at no round moment

    def take(self, value: Value | Tick) -> None:
        if isinstance(value, Tick):
            self.alerts += self.detector.pass_time(value, self.shelf)
        elif isinstance(value, Signal):
            self.alerts += self.detector.observe(value, self.shelf)
        for key, kept in self.shelf.changes().items():
            if kept is None:
                self.table.pop(key, None)
            else:
                self.table[key] = kept
        due = self.detector.next_due(value.key, self.shelf)
        self.due.pop(value.key, None)
        if due is not None:
            self.due[value.key] = due

    def wait(self, until: datetime) -> None:
        while self.due:
            first = min(self.due.values())
            while self.timer < first:
                self.timer += TICK * max(1, (first - self.timer) // TICK)
            if self.timer > until:
                return
            for key, at in list(self.due.items()):
                if at <= self.timer:
                    hazard, _, area = key.partition("/")
                    assert hazard in ("fire", "flood")
                    self.take(Tick(hazard="fire" if hazard == "fire" else "flood", area=area, at=self.timer))
            self.timer += TICK


def live(profile: Profile, values: Iterable[Signal], until: datetime) -> list[Alert]:
    worker = Worker(profile)
    for value in values:
        worker.wait(value.received_at)
        worker.take(value)
    worker.wait(until)
    order = sorted(worker.alerts, key=lambda one: (one.raised_at, one.incident_id, one.revision))
    neighbours = Neighbours(profile)
    return [neighbours.joined(alert) for alert in order]


Story = Sequence[tuple[float, float, str, str, str, bool]]
STORIES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 30.0, 700.0]) | st.floats(0.0, 90.0, allow_nan=False),
        st.sampled_from([0.1, 0.5, 20.0, 60.0, 200.0]),
        st.sampled_from(["76351", "76351", "76540", "14333"]),
        st.sampled_from(["fire", "fire", "flood"]),
        st.sampled_from("abcdefgh"),
        st.booleans(),
    ),
    min_size=8,
    max_size=40,
)
POINTS = {"76351": (49.49, 0.11, "76"), "76540": (49.44, 1.10, "76"), "14333": (49.45, 0.2, "14")}


BLAZE = [(0.5, 200.0, "76351", "fire", "abcdefgh"[number % 8], True) for number in range(24)]


@given(story=STORIES)
@example(story=[*BLAZE, (700.0, 0.5, "76351", "flood", "a", False)])
@settings(max_examples=60, deadline=None)
def test_signals_that_came_in_order_give_what_a_worker_with_its_timer_told(story: Story) -> None:
    profile = load_profile("city", _place("76351"))
    values = list(_signals(story))
    until = values[-1].received_at + LONG
    run = replayed(profile, values, until=until)
    assert "alert" in {alert.level for alert in alerts_of(run)} or story[: len(BLAZE)] != BLAZE
    assert alerts_of(run) == live(profile, values, until + 2 * TICK)


def _place(insee: str) -> Place:
    lat, lon, dep = POINTS[insee]
    return Place(
        place_id=f"fr:{insee}",
        name=insee,
        lat=lat,
        lon=lon,
        radius_km=6.0,
        level="commune",
        confidence=0.9,
        source="text",
        reasons=("named",),
        country="FR",
        insee=insee,
        dep=dep,
        population=100_000,
    )


def _signals(story: Story) -> Iterable[Signal]:
    at = MORNING
    for number, (gap, ratio, insee, hazard, author, is_witness) in enumerate(story):
        at += timedelta(minutes=round(gap, 3))
        yield Signal(
            post_key=f"stub:{number}",
            source="stub",
            hazard="fire" if hazard == "fire" else "flood",
            place=_place(insee),
            event_time=at,
            received_at=at,
            probability=0.9,
            likelihood_ratio=ratio,
            witness_probability=0.9 if is_witness else 0.1,
            actuality="now",
            author_id=f"author {author}{number % 5}",
            cluster_ids=(f"text:{number}",),
            platform="stub",
            has_image=is_witness,
            text=f"Ça brûle, {number}",
        )
