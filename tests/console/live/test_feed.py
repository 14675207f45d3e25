"""The feed: one line for each content, and no words that somebody took back."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from console.live import feed as module
from console.live.feed import Feed, Line
from records import Retraction, Signal
from records.retraction import words_of
from tests.console.made import MORNING, a_retraction, a_signal, an_alert, minutes, some_evidence

NOW = minutes(60)


def fed(*records: Signal | Retraction) -> Feed:
    feed = Feed()
    feed.take(records, NOW)
    return feed


def only(feed: Feed) -> Line:
    (line,) = feed.lines()
    return line


def test_posts_that_share_a_content_are_one_line() -> None:
    line = only(
        fed(
            a_signal(1, cluster_ids=("t:1",), platform="facebook", author_kind="person"),
            a_signal(2, cluster_ids=("t:1", "u:2"), platform="bluesky", author_kind="press"),
            a_signal(3, cluster_ids=("u:2",), platform="facebook", author_kind="press", is_relay=True),
        )
    )
    assert line.posts == 3
    assert line.platforms == ("bluesky", "facebook")
    assert line.authors == (("press", 2), ("witness", 1))
    assert (line.first_at, line.last_at) == (minutes(1), minutes(3))
    assert line.text.endswith("(2)"), "the newest words that are somebody's own"


def test_a_post_that_two_contents_share_makes_them_one() -> None:
    feed = fed(a_signal(1, cluster_ids=("t:1",)), a_signal(2, cluster_ids=("t:2",)))
    assert len(feed.lines()) == 2
    changes = feed.take([a_signal(3, cluster_ids=("t:1", "t:2"))], NOW)
    assert only(feed).posts == 3
    assert {feed.line(change.key) is None for change in changes} == {True, False}, "one is told, one is gone"


def test_the_order_of_signals_changes_nothing() -> None:
    signals = (
        a_signal(1, cluster_ids=("t:1",)),
        a_signal(2, cluster_ids=("t:2",)),
        a_signal(3, cluster_ids=("t:1", "t:2"), hazard="flood"),
        a_signal(1, cluster_ids=("t:1",)),
    )

    def shown(*records: Signal) -> list[tuple[Any, ...]]:
        return [(line.text, line.posts, line.hazards, line.first_at, line.last_at) for line in fed(*records).lines()]

    assert len({tuple(shown(*order)) for order in permutations(signals)}) == 1


def test_a_signal_read_again_changes_nothing() -> None:
    feed = fed(a_signal(1))
    assert feed.take([a_signal(1)], NOW) == []


@pytest.mark.parametrize(
    ("ratio", "is_shown"), [pytest.param(1.4, False, id="weak"), pytest.param(1.5, True, id="of a witness, evidence")]
)
def test_what_weighs_little_is_not_shown(ratio: float, is_shown: bool) -> None:
    assert bool(fed(a_signal(1, likelihood_ratio=ratio)).lines()) is is_shown


def test_a_post_that_weighs_little_after_an_edit_goes() -> None:
    feed = fed(a_signal(1), a_signal(1, likelihood_ratio=0.5, text="il fait beau"))
    assert feed.lines() == []


@pytest.mark.parametrize(
    "retraction",
    [
        pytest.param(a_retraction("facebook:e0001"), id="the post"),
        pytest.param(Retraction(at=minutes(30), author_id="a000000000000001"), id="its author"),
    ],
)
def test_words_that_are_taken_back_go_at_once_and_do_not_come_back(retraction: Retraction) -> None:
    signal = a_signal(1)
    said: tuple[Signal | Retraction, ...] = (signal, retraction, signal)
    for records in permutations(said):
        assert fed(*records).lines() == []


def test_who_passed_on_what_was_taken_back_is_shown_no_more() -> None:
    own = a_signal(3, cluster_ids=("t:1",), text="de la fumée, je la vois")
    relay = a_signal(2, cluster_ids=("t:1",), is_relay=True)
    line = only(fed(a_signal(1, cluster_ids=("t:1",)), relay, own, a_retraction("facebook:e0001")))
    assert (line.posts, line.text) == (1, own.text)


def test_a_post_that_was_changed_shows_its_new_words_alone() -> None:
    new = a_signal(1, text="plus de fumée du tout", received_at=minutes(20))
    change = a_retraction("facebook:e0001", unless=words_of(new.text))
    said: tuple[Signal | Retraction, ...] = (a_signal(1), change, new)
    for records in permutations(said):
        assert [line.text for line in fed(*records).lines()] == [new.text]


def test_what_was_said_long_ago_is_not_shown_at_all() -> None:
    assert Feed().take([a_signal(1)], MORNING + timedelta(hours=25)) == []


def test_what_is_old_is_forgotten() -> None:
    feed = fed(a_signal(1))
    (change,) = feed.take([], MORNING + timedelta(hours=25))
    assert (feed.lines(), feed.line(change.key)) == ([], None)


def test_no_more_than_so_many_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 3)
    feed = fed(*(a_signal(number) for number in range(1, 8)))
    assert [line.text[-3:] for line in feed.lines()] == ["(7)", "(6)", "(5)"]


def test_a_line_that_everybody_repeats_still_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_POSTS", 3)
    line = only(fed(*(a_signal(number, cluster_ids=("t:1",)) for number in range(1, 11))))
    assert line.posts == 10


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        pytest.param({"author_kind": "unknown", "witness_probability": 0.8}, "witness", id="unknown, was there"),
        pytest.param({"author_kind": "person", "witness_probability": 0.2}, "person", id="person, was not"),
        pytest.param({"author_kind": "press", "witness_probability": 0.9}, "press", id="press, was there"),
        pytest.param({"witness_probability": 0.9, "is_relay": True}, "unknown", id="passes it on"),
    ],
)
def test_who_speaks_is_told(changes: dict[str, Any], category: str) -> None:
    assert only(fed(a_signal(1, **changes))).authors == ((category, 1),)


def test_long_words_are_cut() -> None:
    line = only(fed(a_signal(1, text="feu " * 200)))
    assert len(line.text) == module.SHOWN
    assert line.text.endswith("…")


def test_what_an_author_said_before_he_left_does_not_come_late() -> None:
    said = a_signal(1, author_id="a1", event_time=minutes(1), received_at=minutes(9))
    assert fed(Retraction(at=minutes(5), author_id="a1"), said).lines() == []


def test_a_retraction_is_remembered_without_the_alert_that_shows_the_words() -> None:
    feed = fed(replace(a_retraction("facebook:e0001", at=minutes(2)), told=an_alert(evidence=(some_evidence(1),))))
    assert [one.told for one in feed._gone.values()] == [None]


def test_a_retraction_of_a_post_looks_at_no_other_line(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = fed(*(a_signal(number, cluster_ids=(f"t:{number}",)) for number in range(5)))
    looked: list[str] = []
    takes = module._takes

    def noted(retraction: Retraction, signal: Signal) -> bool:
        looked.append(signal.post_key)
        return takes(retraction, signal)

    monkeypatch.setattr(module, "_takes", noted)
    feed.take([a_retraction("elsewhere:1", at=minutes(2)), a_retraction("facebook:e0003", at=minutes(2))], NOW)
    assert looked == ["facebook:e0003"]
    feed.take([a_retraction("facebook:e0003", at=minutes(2))], NOW)
    assert looked == ["facebook:e0003"], "it stands on every partition"
