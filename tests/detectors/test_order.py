"""Whatever order signals come in, late or twice, in one stream or in two: the same state, and the same incidents."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, target
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from detectors import detector
from detectors.counting import take
from records import Bulletin, CrisisClock, Statement, Verdict

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any
FreshDesk = Callable[..., Any]

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PLACES = (
    {"place_id": "fr:76351", "insee": "76351", "epci": "200084952", "population": 170_000},
    {"place_id": "fr:76341", "insee": "76341", "epci": "200084952", "population": 8_000, "lat": 49.51, "lon": 0.2},
    {"place_id": "fr:76540", "insee": "76540", "epci": "200023414", "population": 110_000, "lat": 49.44, "lon": 1.1},
    {"place_id": "fr:dep:76", "insee": None, "level": "dep", "population": 1_250_000},
)
STEPS = st.tuples(
    st.floats(0.0, 40.0),  # minutes since the one before
    st.integers(0, 12),  # author
    st.sampled_from([0.3, 0.8, 2.0, 20.0, 150.0]),
    st.sampled_from([0, 0, 1, 2]),  # tier
    st.booleans(),  # relay
    st.integers(0, 3),  # place
    st.integers(0, 9),  # content
)
RELAYED = st.lists(
    st.tuples(
        st.floats(0.0, 5.0),
        st.integers(0, 60),
        st.sampled_from([1.2, 1.2, 1.2, 2.0]),  # too little for a watch, mostly
        st.just(0),
        st.sampled_from([True, True, True, False]),
        st.just(0),
        st.just(0),
    ),
    min_size=12,
    max_size=40,
)
"""One content, passed on more often than it takes to be shown."""
KINDS = {9: "press", 10: "operator", 11: "official"}  # by author
DOUBTFUL = (3, 7)  # contents; what an operator or an official says in them is a denial
SITE = {"place_id": "local:site:x", "name": "Raffinerie", "level": "site", "radius_km": 2.0, "lat": 49.48, "lon": 0.23}
STORIES = st.lists(STEPS, min_size=1, max_size=30)
FIRSTS = 6  # of the fields of a clock are moments at which somebody first spoke
WITHIN_MEMORY = 350.0  # minutes; memory is six hours


@pytest.fixture
def told(signal: MakesSignals, place_with: Callable[..., Any]) -> Callable[..., list[Any]]:
    def made(story: list[Any], *, scale: float = 1.0) -> list[Any]:
        signals, at = [], 0.0
        for number, (gap, author, ratio, tier, is_relay, where, content) in enumerate(story):
            at += gap * scale
            signals.append(
                signal(
                    number,
                    at,
                    ratio=ratio,
                    author_id=f"author {author}",
                    author_tier=tier,
                    author_kind=KINDS.get(author, "unknown"),
                    has_image=content == number % 10,
                    is_relay=is_relay,
                    place=place_with(**PLACES[where]),
                    cluster_ids=(f"text:{content}",),
                    doubts=("old_link",) if content in DOUBTFUL else (),
                    is_denial=content in DOUBTFUL,
                )
            )
        return signals

    return made


def state_of(desk: Desk) -> Any:
    """Return all that a desk believes, but for what it told on the way."""
    ledger = desk.shelf.ledger("fire/76", span=0, work_out=lambda _: None)
    incidents = sorted(ledger.incidents.items())
    since = ledger.clock - 60 * 60_000_000  # what went before may have been settled sooner or later
    steps = [step for step in ledger.steps if step.entry and step.entry.at > since]
    outcomes = sorted((step.entry.order, step.entry.odds, step.entry.original) for step in steps if step.entry)
    return sorted(ledger.nodes.items()), incidents, ledger.weeks, outcomes


def last_told(desk: Desk) -> list[tuple[Any, ...]]:
    """Return how each incident ended; but for those that were taken back, since a late post left them no ground."""
    last = {alert.incident_id: alert for alert in desk.alerts if alert.level != "signal"}
    stand = [alert for alert in last.values() if "posts that came late" not in alert.explanation["en"]]
    clocks = [replace(one.clock, minutes=0, silent_minutes=0) for one in stand]  # those hang on when it was told
    told = zip(stand, clocks, strict=True)
    rows = [(one.level, str(one.place), one.authors, str(one.evidence), clock) for one, clock in told]
    return sorted(rows, key=str)


def clocks_of(told: list[tuple[Any, ...]]) -> list[CrisisClock]:
    return [row[-1] for row in told]


def was_known(told: CrisisClock, known: CrisisClock) -> bool:
    """Tell whether a clock says nothing but what another says as well, or what was then the first of its kind."""
    return all(
        at is None or (first is not None and first <= at)
        for at, first in zip(astuple(told)[:FIRSTS], astuple(known)[:FIRSTS], strict=True)
    )


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_state(story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any) -> None:
    signals = told(story, scale=min(1.0, WITHIN_MEMORY / max(sum(step[0] for step in story), 1.0)))
    ordered, shuffled = fresh_desk(), fresh_desk()
    ordered.tell(*signals)
    chance.shuffle(signals)
    shuffled.tell(*signals)
    assert state_of(shuffled) == state_of(ordered)


@RELAXED
@given(story=RELAYED, chance=st.randoms(use_true_random=False))
def test_what_goes_round_is_shown_the_same_in_any_order(
    story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told([(5.0, 99, 1.2, 0, False, 0, 0), *story])
    ordered, shuffled = fresh_desk(), fresh_desk()
    ordered.tell(*signals)
    chance.shuffle(signals)
    shuffled.tell(*signals)
    target(sum(alert.level == "signal" for alert in ordered.alerts), label="shown")
    assert state_of(shuffled) == state_of(ordered)


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False))
def test_a_long_story_with_some_hours_of_lateness_gives_the_same_state(
    story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told(story, scale=3.0)
    ordered, late = fresh_desk(), fresh_desk()
    ordered.tell(*signals)
    late.tell(*sorted(signals, key=lambda one: one.event_time + timedelta(minutes=WITHIN_MEMORY * chance.random())))
    assert state_of(late) == state_of(ordered)


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False))
def test_two_halves_told_one_after_the_other_give_the_state_of_the_whole(
    story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told(story, scale=min(1.0, WITHIN_MEMORY / max(sum(step[0] for step in story), 1.0)))
    is_first = [chance.random() < 0.5 for _ in signals]
    whole, merged = fresh_desk(), fresh_desk()
    whole.tell(*signals)
    merged.tell(*(one for one, first in zip(signals, is_first, strict=True) if first))
    merged.tell(*(one for one, first in zip(signals, is_first, strict=True) if not first))
    assert state_of(merged) == state_of(whole)


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False), size=st.integers(1, 40))
def test_batches_of_any_size_give_the_state_of_one_by_one_and_tell_the_same_in_the_end(
    story: list[Any], chance: Any, size: int, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told(story, scale=min(1.0, WITHIN_MEMORY / max(sum(step[0] for step in story), 1.0)))
    ordered, batched = fresh_desk(), fresh_desk()
    ordered.tell(*signals)
    chance.shuffle(signals)
    for begin in range(0, len(signals), size):
        batched.tell_together(*signals[begin : begin + size], *signals[: begin // 2])  # some of them once more
    assert state_of(batched) == state_of(ordered)
    is_late = any(alert.level == "resolved" for alert in batched.alerts)
    after = signals[0].event_time + timedelta(days=1)
    for desk in (ordered, batched):
        desk.alerts += desk.tick(after)
    in_batches, in_order = last_told(batched), last_told(ordered)
    assert [row[:-1] for row in in_batches] == [row[:-1] for row in in_order]
    # What comes when an incident was told to be over is told no more: who spoke of it first may be among that.
    assert all(was_known(*clocks) for clocks in zip(clocks_of(in_batches), clocks_of(in_order), strict=True))
    assert is_late or in_batches == in_order


@RELAXED
@given(story=STORIES, size=st.integers(1, 40))
def test_a_batch_that_comes_in_order_is_told_as_one_by_one(
    story: list[Any], size: int, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told([(gap + 0.01, *rest) for gap, *rest in story])  # no two at once: those have an order of their own
    single, batched = fresh_desk(), fresh_desk()
    single.tell(*signals)
    for begin in range(0, len(signals), size):
        batched.tell_together(*signals[begin : begin + size])
    assert batched.alerts == single.alerts


def test_late_ones_of_a_batch_have_what_came_since_worked_out_again_once(
    fresh_desk: FreshDesk, signal: MakesSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[int] = []

    def counted(case: Any, entry: Any) -> None:
        worked_out.append(entry.post)
        take(case, entry)

    monkeypatch.setattr(detector, "take", counted)
    desk = fresh_desk()
    desk.tell(*(signal(number, minutes=60 + number, author_id=f"author {number}") for number in range(50)))
    worked_out.clear()
    desk.tell_together(*(signal(100 + number, minutes=50 + number, author_id=f"late {number}") for number in range(30)))
    assert len(worked_out) == 50 + 30


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False), data=st.data())
def test_a_worker_that_was_restarted_takes_late_ones_as_if_it_had_not_been(
    story: list[Any], chance: Any, data: st.DataObject, fresh_desk: FreshDesk, told: Any
) -> None:
    signals = told(story, scale=3.0)
    arriving = sorted(signals, key=lambda one: one.event_time + timedelta(minutes=WITHIN_MEMORY * chance.random()))
    crash = data.draw(st.integers(0, len(arriving)))
    steady, first = fresh_desk(), fresh_desk()
    steady.tell(*arriving)
    first.tell(*arriving[:crash])
    reborn = fresh_desk(first.store)
    reborn.tell(*arriving[crash:])
    assert [*first.alerts, *reborn.alerts] == steady.alerts
    assert reborn.store.values == steady.store.values


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False), data=st.data())
def test_a_restart_makes_no_difference_to_what_people_decide(
    story: list[Any], chance: Any, data: st.DataObject, fresh_desk: FreshDesk, told: Any
) -> None:
    """Under verdicts, bulletins, ticks and hours of disorder at once; beyond the memory, too."""
    signals = told(story, scale=3.0)
    arriving = sorted(signals, key=lambda one: one.event_time + timedelta(minutes=2 * WITHIN_MEMORY * chance.random()))
    crash = data.draw(st.integers(0, len(arriving)))
    steady, reborn = fresh_desk(), fresh_desk()
    at, made = arriving[0].event_time, list[Verdict]()
    for number, one in enumerate(arriving):
        if number == crash:
            reborn = fresh_desk(reborn.store)
        at = one.event_time + timedelta(minutes=60 * chance.random())
        choice = chance.choice((*DECISIONS, "part", "withdraw", "vigilance", "tick", "", ""))
        alerts = [desk.tell(one) for desk in (steady, reborn)]
        assert alerts[0] == alerts[1]
        if choice == "tick":
            assert steady.tick(at) == reborn.tick(at)
        elif choice == "vigilance":
            assert steady.heed(vigilance(at)) == reborn.heed(vigilance(at))
        elif choice and steady.alerts:
            verdict = verdict_on(chance.choice(steady.alerts[-5:]), choice, at, chance, made)
            assert steady.heed(verdict) == reborn.heed(verdict)
        assert reborn.store.values == steady.store.values
    at_last = fresh_desk(steady.store)
    assert at_last.tick(at) == steady.tick(at) == reborn.tick(at)
    assert state_of(at_last) == state_of(reborn) == state_of(steady)


STATED = st.lists(
    st.tuples(
        st.floats(0.0, 1.0),  # of the story's length
        st.sampled_from(["other", "operator_notice", "siren_test", "vigilance"]),
        st.booleans(),  # with a place
        st.sampled_from([None, "flare", "noise", "maintenance"]),
    ),
    max_size=8,
)


@RELAXED
@given(story=STORIES, stated=STATED, chance=st.randoms(use_true_random=False))
def test_what_is_stated_in_any_order_gives_the_same_clocks_and_the_same_explanations(
    story: list[Any], stated: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any, place_with: Any
) -> None:
    signals = told(story, scale=min(1.0, WITHIN_MEMORY / max(sum(step[0] for step in story), 1.0)))
    first, length = signals[0].event_time, signals[-1].event_time - signals[0].event_time
    heard = [(one.event_time, one) for one in signals]
    for number, (share, kind, has_place, phenomenon) in enumerate(stated):
        said = Bulletin(
            bulletin_id=f"stated:{number}",
            source="stub",
            kind=kind,
            area="76",
            issued_at=first + share * length,
            received_at=first + share * length,
            text="Bruit et torche",
            colour="yellow" if kind == "vigilance" else None,
            phenomenon=phenomenon if kind == "operator_notice" else None,
            place=place_with(**SITE) if has_place else None,
        )
        heard.append((said.issued_at, Statement(hazard="fire", area="76", said=said)))
    ordered, shuffled, end = fresh_desk(), fresh_desk(), first + length + timedelta(hours=1)
    for _, one in sorted(heard, key=lambda pair: pair[0]):
        hear(ordered, one)
    chance.shuffle(heard)
    for _, one in heard:
        hear(shuffled, one)
    reborn = fresh_desk(shuffled.store)
    assert state_of(shuffled) == state_of(ordered)
    assert reborn.tick(end) == shuffled.tick(end)
    ordered.tick(end)
    assert state_of(reborn) == state_of(shuffled) == state_of(ordered)


ANNOUNCED = st.lists(
    st.tuples(
        st.floats(-3.0, 1.0),  # of the story's length
        st.sampled_from(["operator_notice", "siren_test", "exercise"]),
        st.booleans(),  # with a place
        st.sampled_from([None, "flare", "noise", "maintenance", "incident"]),
    ),
    min_size=1,
    max_size=5,
)


@RELAXED
@given(story=STORIES, announced=ANNOUNCED)
def test_what_is_announced_changes_nothing_that_is_believed_and_silences_nothing(
    story: list[Any], announced: list[Any], fresh_desk: FreshDesk, told: Any, place_with: Any
) -> None:
    signals = told(story)
    first, length = signals[0].event_time, signals[-1].event_time - signals[0].event_time + timedelta(minutes=1)
    heard: list[Any] = [(one.event_time, one) for one in signals]
    for number, (share, kind, has_place, phenomenon) in enumerate(announced):
        said = Bulletin(
            bulletin_id=f"announced:{number}",
            source="stub",
            kind=kind,
            area="76",
            issued_at=first + share * length,
            received_at=first + share * length,
            text="Avis",
            phenomenon=phenomenon if kind == "operator_notice" else None,
            place=place_with(**SITE) if has_place else None,
        )
        heard.append((said.issued_at, Statement(hazard="fire", area="76", said=said)))
    without, with_notices = fresh_desk(), fresh_desk()
    without.tell(*signals)
    for _, one in sorted(heard, key=lambda pair: pair[0]):
        hear(with_notices, one)
    end = first + length + timedelta(days=2)
    for desk in (without, with_notices):
        desk.alerts += desk.tick(end)
    assert state_of(with_notices)[:3] == state_of(without)[:3]
    assert risings(with_notices) == risings(without)


def risings(desk: Desk) -> list[tuple[Any, ...]]:
    """Return each level that each incident has reached, when, and how sure it was held to be."""
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for alert in desk.alerts:
        key = alert.incident_id, alert.level, alert.raised_at
        seen.setdefault(key, (*key, alert.certainty, alert.severity, alert.urgency))
    return sorted(seen.values())


def hear(desk: Desk, one: Any) -> None:
    desk.heed(one) if isinstance(one, Statement) else desk.tell(one)


def vigilance(at: Any) -> Statement:
    said = Bulletin(
        bulletin_id=f"vigilance:{at}",
        source="météo",
        kind="vigilance",
        area="76",
        issued_at=at,
        received_at=at,
        text="Vigilance orange",
        colour="orange",
    )
    return Statement(hazard="fire", area="76", said=said)


DECISIONS = ("confirm", "reject", "close", "relocate", "change_hazard", "merge", "split", "part", "note", "withdraw")
"""What people decide; "part" splits posts off."""


def verdict_on(alert: Any, choice: Any, at: Any, chance: Any, made: list[Verdict]) -> Statement:
    """Return a decision on an incident, and note it among those made so far, of which some are taken back."""
    others = sorted({one.incident_id for one in made} - {alert.incident_id}) or ["fire-of-another"]
    gone = chance.choice(made) if made else None
    shown = [item.post_key for item in alert.evidence] or ["twitter:0"]
    about = gone if gone is not None and choice == "withdraw" else alert
    fields: dict[str, Any] = {
        "relocate": {"place": replace(alert.place, place_id="fr:76259")} if choice == "relocate" else {},
        "change_hazard": {"read_as": chance.choice(["fire", "flood", "other"])},
        "merge": {"other": chance.choice(others)},
        "split": {"other": chance.choice(others)},
        "part": {"post_keys": (chance.choice(shown), f"twitter:{chance.randrange(30)}")},
        "withdraw": {"withdraws": gone.decision_id if gone is not None else "unknown"},
    }.get(choice, {})
    said = Verdict(
        incident_id=about.incident_id,
        hazard="fire",
        area=alert.area,
        decision="split" if choice == "part" else choice,
        decided_at=at,
        decided_by="officier de permanence",
        decision_id=f"d{len(made)}",
        **fields,
    )
    made.append(said)
    return Statement(hazard="fire", area=alert.area, said=said)


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False))
def test_decisions_in_any_order_after_the_posts_give_the_same_state(
    story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any
) -> None:
    """But for merges that would lead back, of which the first that is heard stands."""
    signals = told(story, scale=min(1.0, WITHIN_MEMORY / max(sum(step[0] for step in story), 1.0)))
    ordered, shuffled = fresh_desk(), fresh_desk()
    for desk in (ordered, shuffled):
        desk.tell(*signals)
    if not ordered.alerts:
        return
    last, made = signals[-1].event_time, list[Verdict]()
    choices = [
        chance.choice([*DECISIONS[:5], "split", "part", "withdraw", "withdraw"]) for _ in range(chance.randrange(9))
    ]
    said = [
        verdict_on(chance.choice(ordered.alerts[-3:]), choice, last + timedelta(seconds=number + 1), chance, made)
        for number, choice in enumerate(choices)
    ]
    for statement in said:
        ordered.heed(statement)
    chance.shuffle(said)
    for statement in said:
        shuffled.heed(statement)
    assert state_of(shuffled) == state_of(ordered)
    end = last + timedelta(days=3)
    for desk in (ordered, shuffled):
        desk.alerts += desk.tick(end)
    told_late = standing(shuffled)  # what was split off and put back again may have been told on the way
    assert {name: told_late.get(name) for name in standing(ordered)} == standing(ordered)


def standing(desk: Desk) -> Any:
    """Return what each incident was last told to be, but for those that a late decision left no ground."""
    last = {one.incident_id: one for one in desk.alerts}
    last = {name: one for name, one in last.items() if "posts that came late" not in one.explanation["en"]}
    return {name: (one.level, one.hazard, str(one.place), one.posts, one.corrections) for name, one in last.items()}


@RELAXED
@given(story=STORIES, chance=st.randoms(use_true_random=False))
def test_when_all_is_over_the_same_incidents_were_told(
    story: list[Any], chance: Any, fresh_desk: FreshDesk, told: Any
) -> None:
    """What differs on the way is only when each revision was made: a late witness is told of late."""
    signals = told(story)
    end = signals[-1].event_time + timedelta(days=3)
    ordered, late = fresh_desk(), fresh_desk()
    ordered.tell(*signals)
    late.tell(*sorted(signals, key=lambda one: one.event_time + timedelta(minutes=10 * chance.random())))
    for desk in (ordered, late):
        desk.alerts += desk.tick(end)
    assert all(level == "resolved" for level, *_ in last_told(late))
    assert last_told(late) == last_told(ordered)


def test_a_witness_who_comes_late_is_told_of_at_once_and_stamped_with_his_time(
    desk: Desk, signal: MakesSignals
) -> None:
    desk.tell(signal(1, 60, ratio=0.3))
    watch, monitoring = desk.tell(signal(2, 20))
    assert (watch.level, monitoring.level) == ("watch", "monitoring")
    assert watch.raised_at == signal(2, 20).event_time
    assert desk.tell(signal(3, 58))[0].level == "watch"


def test_what_is_older_than_the_memory_changes_nothing(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 60 * 30, ratio=0.3))
    before = dict(desk.store.values)
    assert desk.tell(signal(2, 0)) == []
    assert desk.store.values == before


def test_a_late_post_can_show_that_a_witness_only_repeated_it(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 10, cluster_ids=("one",)), signal(2, 12))
    desk.tell(signal(0, 9, cluster_ids=("one",)))
    last = desk.wait(60 * 24)[-1]
    assert (last.posts, last.copies) == (2, 1)
    assert "twitter:1" not in {item.post_key for item in last.evidence}


def test_the_word_alert_once_said_is_not_taken_back(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(signal(1, 10, author_tier=1, cluster_ids=("one",)), signal(2, 12, author_tier=1))
    assert desk.levels[-1] == "alert"
    desk.tell(signal(0, 9, ratio=2.0, cluster_ids=("one",)))
    assert desk.levels[-1] == "alert"
    assert desk.wait(60 * 24)[-1].certainty == "Likely"


def test_nobody_holds_us_up_with_old_times(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 20, ratio=0.3) for number in range(1_500)))
    (late, *_) = desk.tell(signal(9_999, 0, ratio=500.0, author_tier=2))
    counted_at = late.evidence[0].event_time
    assert signal(0, 24).event_time <= counted_at <= signal(0, 26).event_time
