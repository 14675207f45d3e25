"""Judging: what is true, false and missed, and how late it came, in figures worked out by hand."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from detectors.backtest import Told, Value
from detectors.judging import outcome_of
from records import Alert, Evidence, Level, Place, Retraction, Signal, words_of
from records.backtest import Outcome, Raised
from records.truth import TrueIncident, Truth

# What conftest.py makes; test files import nothing from each other.
MakesSignals = Any
Places = Callable[..., Place]

MORNING = datetime.fromisoformat("2012-01-30T07:37:00Z")


def minutes_on(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


@pytest.fixture
def told(home: Place) -> Callable[..., Told]:
    """Make a revision: its posts with what they weigh, so many minutes after the morning's start."""

    def made(incident: str, revision: int, level: Level, minutes: float, **changes: Any) -> Told:
        weights: dict[str, float] = changes.pop("weights", {"1": 1.0})
        evidence = [_evidence(post, weight) for post, weight in weights.items()]
        fields: dict[str, Any] = {
            "incident_id": incident,
            "revision": revision,
            "level": level,
            "hazard": "fire",
            "place": home,
            "onset": minutes_on(0),
            "raised_at": minutes_on(minutes),
            "score": 0.5,
            "probability": 0.4,
            "severity": "Unknown",
            "urgency": "Unknown",
            "certainty": "Possible",
            "evidence": tuple(evidence),
            "posts": len(evidence),
            "authors": len(evidence),
            "witnesses": 1,
            "copies": 0,
            "explanation": {},
            "unknowns": (),
            "thresholds": {},
            "profile": "city/2",
            "versions": {},
            "area": "76",
        }
        return Told(minutes_on(minutes), Alert(**{**fields, **changes}))

    return made


def _evidence(post: str, weight: float) -> Evidence:
    return Evidence(
        post_key=f"twitter:{post}",
        event_time=minutes_on(float(post)),
        author_id=f"author {post}",
        likelihood_ratio=20.0,
        contribution=weight,
        is_witness=True,
        text=f"La centrale brûle, {post}",
        url=f"https://example.org/{post}",
    )


def fire(*posts: int, **changes: Any) -> TrueIncident:
    fields: dict[str, Any] = {
        "incident_id": "blaze",
        "hazard": "fire",
        "began_at": minutes_on(-10),
        "first_post_at": minutes_on(0),
        "ended_at": minutes_on(120),
        "post_ids": frozenset(map(str, posts)),
        "label": {"en": "The blaze"},
    }
    return TrueIncident(**{**fields, **changes})


def judged(
    told: Sequence[Told], truth: Truth, signals: Sequence[Value] = (), *, days: float = 2.0, failed: int = 0
) -> Outcome:
    return outcome_of(told, signals, truth, profile="city", version="2", days=days, failed=failed)


def only(outcome: Outcome) -> Raised:
    (raised,) = outcome.raised
    return raised


def test_an_incident_by_its_posts_from_watch_to_end(told: Any, signal: MakesSignals) -> None:
    history = [
        told("i1", 1, "signal", 3.0, weights={"1": 1.0}),
        told("i1", 2, "watch", 5.0, weights={"1": 1.0, "2": 2.0}, score=-0.5, probability=0.2),
        told("i1", 3, "alert", 11.0, weights={"1": 1.0, "2": 2.0, "9": 1.0}, score=1.5, probability=0.9),
        told("i1", 4, "monitoring", 60.0, weights={"1": 1.0, "2": 2.0, "9": 1.0}),
        told("i1", 5, "resolved", 90.0, weights={"1": 1.0, "2": 2.0, "9": 1.0}),
    ]
    truth = Truth(incidents=(fire(1, 2, official_at=minutes_on(35)),), is_complete=True)
    outcome = judged(list(reversed(history)), truth, [signal(1, 1), signal(2, 2), signal(9, 9, 4.0)], failed=1)
    raised, (found,) = only(outcome), outcome.found
    assert (raised.watch_at, raised.alert_at, raised.ended_at) == (minutes_on(5), minutes_on(11), minutes_on(90))
    assert (raised.level, raised.watch_is, raised.alert_is) == ("alert", "true", "true")
    assert (raised.score, raised.probability) == (1.5, 0.9)
    assert raised.speaks_of == ("blaze",)
    assert [item.post_key for item in raised.evidence] == ["twitter:1", "twitter:2"]  # what people were first told of
    assert (found.watch_minutes, found.alert_minutes, found.length_minutes) == (5.0, 11.0, 120.0)
    assert found.lead_minutes == 30.0
    assert (found.raised, found.seen, found.signals) == (("i1",), (), 2)
    assert (outcome.watches, outcome.alerts, outcome.false_watches, outcome.false_alerts) == (1, 1, 0, 0)
    assert (outcome.watches_a_day, outcome.alerts_a_day) == (0.5, 0.5)
    assert (outcome.watch_delay, outcome.alert_delay) == (5.0, 11.0)
    assert (outcome.watch_recall.hits, outcome.watch_recall.cases) == (1, 1)
    assert outcome.failed == 1


def test_what_was_only_ever_a_signal_was_told_to_nobody(told: Any) -> None:
    outcome = judged([told("i1", 1, "signal", 3.0)], Truth(incidents=(fire(1),), is_complete=True))
    assert outcome.raised == ()
    assert outcome.found[0].watch_at is None


@pytest.mark.parametrize(
    ("weights", "watch_is", "alert_is", "alert_minutes"),
    [
        pytest.param({"1": 1.0, "9": 3.0}, "true", "true", 7.0, id="a quarter is enough"),
        pytest.param({"1": 1.0, "9": 3.1}, "true", "false", None, id="a stray post is not"),
        pytest.param({"9": 1.0}, "false", "false", None, id="nothing of it"),
        pytest.param({"1": 0.0, "9": 1.0}, "false", "false", None, id="one that weighs nothing"),
    ],
)
def test_the_word_alert_takes_a_quarter_of_the_weight_a_watch_any(
    told: Any, weights: dict[str, float], watch_is: str, alert_is: str, alert_minutes: float | None
) -> None:
    history = [told("i1", 1, "watch", 5.0, weights=weights), told("i1", 2, "alert", 7.0, weights=weights)]
    outcome = judged(history, Truth(incidents=(fire(1),), is_complete=True))
    raised = only(outcome)
    assert (raised.watch_is, raised.alert_is) == (watch_is, alert_is)
    assert outcome.found[0].alert_minutes == alert_minutes
    assert outcome.false_watches == (watch_is == "false")
    assert outcome.false_alerts == (alert_is == "false")


def test_an_alert_may_become_true_by_a_later_revision_a_watch_may_not(told: Any) -> None:
    history = [
        told("i1", 1, "watch", 5.0, weights={"9": 1.0}),
        told("i1", 2, "alert", 6.0, weights={"9": 1.0}),
        told("i1", 3, "alert", 8.0, weights={"9": 1.0, "1": 1.0}),
    ]
    outcome = judged(history, Truth(incidents=(fire(1),), is_complete=True))
    raised, (found,) = only(outcome), outcome.found
    assert (raised.watch_is, raised.alert_is) == ("false", "true")
    assert raised.alert_at == minutes_on(6)
    assert (found.watch_minutes, found.alert_minutes) == (8.0, 8.0)  # only then anything was said of it


def test_what_nobody_knows_is_unjudged_and_counts_in_no_precision(told: Any) -> None:
    history = [
        told("i1", 1, "watch", 5.0, weights={"1": 1.0}),
        told("i2", 1, "watch", 6.0, weights={"7": 1.0}),
        told("i3", 1, "alert", 8.0, weights={"8": 1.0}),
    ]
    outcome = judged(history, Truth(incidents=(fire(1),)), days=2.0)
    assert [one.watch_is for one in outcome.raised] == ["true", "unjudged", "unjudged"]
    assert (outcome.watch_precision.hits, outcome.watch_precision.cases) == (1, 1)
    assert (outcome.alert_precision.hits, outcome.alert_precision.cases) == (0, 0)
    assert (outcome.watches, outcome.false_watches) == (3, 0)
    assert (outcome.unjudged_watches_a_day, outcome.unjudged_alerts_a_day) == (1.0, 0.5)


def test_what_is_known_to_be_false_is_false_though_not_all_is_known(told: Any) -> None:
    truth = Truth(incidents=(fire(1),), false_ones=(fire(7, 8, incident_id="rumour"),))
    history = [
        told("i1", 1, "watch", 5.0, weights={"7": 1.0, "9": 3.0}),
        told("i2", 1, "alert", 6.0, weights={"8": 1.0, "9": 3.1}),
        told("i3", 1, "watch", 7.0, weights={"7": 9.0, "1": 0.1}),
    ]
    outcome = judged(history, truth)
    # by a quarter; a stray post of a rumour makes nothing false, and what rests on something true is true
    assert [one.watch_is for one in outcome.raised] == ["false", "unjudged", "true"]
    assert (outcome.watch_precision.hits, outcome.watch_precision.cases) == (1, 2)
    assert outcome.false_watches_a_day == 0.5


def test_nothing_raised_is_unjudged_though_all_is_known(told: Any) -> None:
    outcome = judged([told("i1", 1, "watch", 5.0)], Truth(is_complete=True))
    assert (only(outcome).watch_is, only(outcome).alert_is) == ("false", "unjudged")
    assert outcome.watch_delay is None
    assert (outcome.alert_precision.cases, outcome.watch_recall.cases) == (0, 0)


# ----- by place and time -----


def placed(home: Place, **changes: Any) -> TrueIncident:
    fields: dict[str, Any] = {"place": home, "first_post_at": None, "began_at": minutes_on(0)}
    return fire(**{**fields, **changes})


@pytest.mark.parametrize(
    ("true", "raised_as", "is_it"),
    [
        ("fire", "fire", True),
        ("fire", "industrial", True),
        ("fire", "other", True),
        ("fire", "flood", False),
        ("industrial", "fire", True),
        ("industrial", "flood", False),
        ("flood", "flood", True),
        ("flood", "other", True),
        ("flood", "fire", False),
        ("flood", "industrial", False),
        ("other", "flood", True),
        ("other", "industrial", True),
    ],
)
def test_a_hazard_may_be_spoken_of_as_its_kin(told: Any, home: Place, true: str, raised_as: str, is_it: bool) -> None:
    truth = Truth(incidents=(placed(home, hazard=true),), is_complete=True)
    outcome = judged([told("i1", 1, "watch", 5.0, hazard=raised_as)], truth)
    assert (outcome.found[0].watch_minutes == 5.0) is is_it
    assert only(outcome).watch_is == ("true" if is_it else "false")


@pytest.mark.parametrize(
    ("apart_km", "is_there"),
    [pytest.param(16.5, True, id="within both radii and 5 km"), pytest.param(17.5, False, id="beyond")],
)
def test_a_place_is_there_within_both_radii_and_five_kilometres(
    told: Any, home: Place, place_with: Places, apart_km: float, is_there: bool
) -> None:
    north = place_with(place_id="fr:2", lat=home.lat + apart_km / 111.19)  # radii of 6 km: 6 + 6 + 5 = 17
    outcome = judged([told("i1", 1, "watch", 5.0, place=north)], Truth(incidents=(placed(home),)))
    assert bool(outcome.found[0].raised) is is_there


@pytest.mark.parametrize(
    ("raised", "is_then"),
    [
        pytest.param((-40.0, -31.0), False, id="told and over long before"),
        pytest.param((-40.0, -29.0), True, id="half an hour before it was noted"),
        pytest.param((119.0, 125.0), True, id="began while it went on"),
        pytest.param((121.0, 125.0), False, id="began after its end"),
    ],
)
def test_a_revision_is_of_the_time_from_half_an_hour_before_the_beginning_to_the_end(
    told: Any, home: Place, raised: tuple[float, float], is_then: bool
) -> None:
    onset, at = raised
    outcome = judged([told("i1", 1, "watch", at, onset=minutes_on(onset))], Truth(incidents=(placed(home),)))
    assert bool(outcome.found[0].raised) is is_then


def test_without_a_noted_end_a_day_is_its_length_and_it_counts_from_its_beginning(told: Any, home: Place) -> None:
    truth = Truth(incidents=(placed(home, ended_at=None, began_at=minutes_on(10)),))
    (found,) = judged([told("i1", 1, "watch", 25.0)], truth).found
    assert (found.since, found.length_minutes, found.watch_minutes) == (minutes_on(10), 1440.0, 15.0)
    assert found.lead_minutes is None


def test_without_posts_and_place_nothing_is_about_it(told: Any) -> None:
    outcome = judged([told("i1", 1, "watch", 5.0)], Truth(incidents=(fire(),), is_complete=True))
    assert outcome.found[0].raised == ()
    assert only(outcome).watch_is == "false"


# ----- by some of its posts, and by place and time -----


def test_what_rests_on_posts_that_nobody_was_shown_is_of_the_incident_of_its_place_and_time(
    told: Any, home: Place, signal: MakesSignals
) -> None:
    shown = {"place": home, "post_ids": frozenset({"1"}), "first_post_at": None, "began_at": minutes_on(0)}
    history = [told("i1", 1, "watch", 5.0, weights={"3": 1.0})]
    others = [signal(3.0, 3)]
    some = judged(history, Truth(incidents=(fire(**shown, has_other_posts=True),), is_complete=True), others)
    assert (only(some).watch_is, some.found[0].watch_minutes, some.found[0].signals) == ("true", 5.0, 1)
    all_of_it = judged(history, Truth(incidents=(fire(**shown),), is_complete=True), others)
    assert (only(all_of_it).watch_is, all_of_it.found[0].watch_minutes) == ("false", None)
    assert all_of_it.found[0].signals == 0


def test_what_was_rejected_is_known_by_place_and_time_as_well(told: Any, home: Place) -> None:
    rumour = placed(home, incident_id="rumour", post_ids=frozenset({"1"}), has_other_posts=True)
    outcome = judged([told("i1", 1, "watch", 5.0, weights={"3": 1.0})], Truth(false_ones=(rumour,)))
    assert only(outcome).watch_is == "false"


def test_posts_of_a_rumour_do_not_become_true_by_a_fire_that_burns_beside_it(told: Any, home: Place) -> None:
    blaze = placed(home, post_ids=frozenset({"1"}), has_other_posts=True)
    truth = Truth(incidents=(blaze,), false_ones=(placed(home, incident_id="rumour", post_ids=frozenset({"7"})),))
    outcome = judged([told("i1", 1, "alert", 8.0, weights={"7": 1.0}), told("i2", 1, "alert", 9.0)], truth)
    assert [one.alert_is for one in outcome.raised] == ["false", "true"]
    assert outcome.found[0].raised == ("i2",)


# ----- missed, delays, notifications, sources -----


def test_a_missed_incident_counts_with_its_length_and_shows_its_strongest_signals(
    told: Any, signal: MakesSignals
) -> None:
    signals = [signal(number, number, float(number)) for number in range(1, 9)]
    late = fire(20, incident_id="second", ended_at=minutes_on(60), label={})
    truth = Truth(incidents=(fire(*range(1, 8)), late), is_complete=True)
    history = [told("i2", 1, "watch", 30.0, weights={"20": 1.0})]
    outcome = judged(history, truth, signals)
    missed, found = outcome.found
    assert (missed.watch_at, missed.alert_at, missed.raised, missed.signals) == (None, None, (), 7)
    assert [(one.post_key, one.likelihood_ratio) for one in missed.seen] == [
        (f"twitter:{number}", float(number)) for number in (7, 6, 5, 4, 3)
    ]
    assert missed.seen[0].text == "La centrale brûle, 7"
    assert (found.watch_minutes, found.alert_minutes, found.seen) == (30.0, None, ())
    assert outcome.watch_delay == (120.0 + 30.0) / 2
    assert outcome.alert_delay == (120.0 + 60.0) / 2
    assert (outcome.watch_recall.hits, outcome.watch_recall.cases) == (1, 2)
    assert (outcome.alert_recall.hits, outcome.alert_recall.cases) == (0, 2)


def test_to_be_told_after_the_end_is_no_later_than_never(told: Any) -> None:
    truth = Truth(incidents=(fire(1, ended_at=minutes_on(40)),))
    outcome = judged([told("i1", 1, "watch", 50.0)], truth)
    assert outcome.found[0].watch_minutes == 50.0
    assert outcome.watch_delay == 40.0 == judged([], truth).watch_delay


def test_the_lead_is_below_zero_where_the_authority_was_first(told: Any) -> None:
    truth = Truth(incidents=(fire(1, official_at=minutes_on(2)),))
    assert judged([told("i1", 1, "watch", 5.0)], truth).found[0].lead_minutes == -3.0


def test_two_true_incidents_in_one_that_was_raised_are_both_found(told: Any) -> None:
    truth = Truth(incidents=(fire(1), fire(2, incident_id="second")), is_complete=True)
    history = [
        told("i1", 1, "watch", 5.0, weights={"1": 3.0}),
        told("i1", 2, "watch", 9.0, weights={"1": 3.0, "2": 1.0}),
    ]
    outcome = judged(history, truth)
    assert only(outcome).speaks_of == ("blaze", "second")
    assert [one.watch_minutes for one in outcome.found] == [5.0, 9.0]
    assert outcome.watches == 1


def test_only_a_new_level_or_place_is_a_notification(told: Any, place_with: Places) -> None:
    elsewhere = place_with(place_id="fr:76540")
    history = [
        told("i1", 1, "signal", 1.0),
        told("i1", 2, "watch", 2.0),  # 1
        told("i1", 3, "watch", 3.0, weights={"1": 1.0, "2": 1.0}),
        told("i1", 4, "watch", 4.0, place=elsewhere),  # 2
        told("i1", 5, "alert", 5.0, place=elsewhere),  # 3
        told("i1", 6, "monitoring", 6.0, place=elsewhere),
        told("i1", 7, "alert", 7.0, place=elsewhere),
        told("i1", 8, "monitoring", 8.0, place=elsewhere),
        told("i1", 9, "resolved", 9.0, place=elsewhere),  # 4
    ]
    assert only(judged(history, Truth())).notifications == 4
    assert judged(history, Truth()).notifications == 4


def test_what_each_source_gave(told: Any, signal: MakesSignals) -> None:
    """Two true incidents, one on Mastodon alone, one first on Twitter; and a false one on Twitter."""
    signals: list[Signal] = [
        signal(1, 1, source="mastodon"),
        signal(2, 2, source="twitter"),
        signal(3, 3, source="mastodon"),
        signal(4, 4, source="twitter"),
        signal(5, 5, source="silent"),
    ]
    truth = Truth(incidents=(fire(1), fire(2, 3, incident_id="second")), is_complete=True)
    history = [
        told("i1", 1, "watch", 1.0, weights={"1": 2.0}),
        told("i2", 1, "watch", 3.0, weights={"2": 1.0}),
        told("i2", 2, "watch", 4.0, weights={"3": 3.0, "2": 1.0}),
        told("i3", 1, "watch", 5.0, weights={"4": 4.0}),
    ]
    outcome = judged(history, truth, signals)
    shares = {one.source: one for one in outcome.by_source}
    assert list(shares) == ["mastodon", "twitter", "silent"]
    mastodon, twitter, silent = shares.values()
    assert (mastodon.signals, mastodon.true_weight, mastodon.false_weight) == (2, 5.0, 0.0)
    assert (mastodon.first, mastodon.alone) == (1, 1)
    assert (twitter.signals, twitter.true_weight, twitter.false_weight) == (2, 1.0, 4.0)
    assert (twitter.first, twitter.alone) == (1, 0)
    assert (silent.signals, silent.true_weight, silent.first, silent.alone) == (1, 0.0, 0, 0)


def test_an_incident_raised_twice_on_two_sources_rests_on_none_alone(told: Any, signal: MakesSignals) -> None:
    signals = [signal(1, 1, source="mastodon"), signal(2, 2, source="twitter")]
    history = [
        told("i1", 1, "watch", 1.0, weights={"1": 2.0}),
        told("i2", 1, "watch", 3.0, weights={"2": 1.0}),
    ]
    outcome = judged(history, Truth(incidents=(fire(1, 2),)), signals)
    assert outcome.found[0].raised == ("i1", "i2")
    assert {one.source: (one.first, one.alone) for one in outcome.by_source} == {"mastodon": (1, 0), "twitter": (0, 0)}


# ----- words that were taken back -----


@pytest.mark.parametrize(
    "back",
    [
        pytest.param({"post_key": "twitter:1"}, id="the post"),
        pytest.param({"author_id": "author 1"}, id="all of its author"),
        pytest.param({"post_key": "twitter:1", "unless": words_of("autre chose")}, id="it says something else now"),
    ],
)
def test_words_that_were_taken_back_are_shown_nowhere(told: Any, signal: MakesSignals, back: dict[str, Any]) -> None:
    values: list[Value] = [signal(1, 1), signal(2, 2), Retraction(at=minutes_on(20), **back)]
    truth = Truth(incidents=(fire(1, 2),))
    raised = only(judged([told("i1", 1, "watch", 5.0, weights={"1": 1.0, "2": 1.0})], truth, values))
    assert [(item.text, item.url, item.is_removed) for item in raised.evidence] == [
        ("", None, True),
        ("La centrale brûle, 2", "https://example.org/2", False),
    ]
    assert {one.post_key: one.text for one in judged([], truth, values).found[0].seen} == {
        "twitter:1": "",
        "twitter:2": "La centrale brûle, 2",
    }


def test_words_that_an_edited_post_still_says_are_shown(told: Any, signal: MakesSignals) -> None:
    kept = Retraction(at=minutes_on(20), post_key="twitter:1", unless=words_of("La centrale brûle, 1"))
    (found,) = judged([], Truth(incidents=(fire(1),)), [signal(1, 1), kept]).found
    assert [one.text for one in found.seen] == ["La centrale brûle, 1"]
