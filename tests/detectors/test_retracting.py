"""What was deleted loses its words everywhere, in state and table too; that it was said has counted, and stays."""

from collections.abc import Callable
from typing import Any

import pytest

from records import Retraction, words_of

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any

WORDS = "La centrale brûle, 1"


@pytest.fixture
def retract(desk: Desk, signal: MakesSignals) -> Callable[..., list[Any]]:
    """Have a post, or an author, taken back."""

    def taken_back(**what: Any) -> list[Any]:
        retraction = Retraction(at=signal(0, 60).event_time, **what)
        alerts: list[Any] = desk.detector.retract(retraction, desk.shelf)
        desk.write()
        desk.alerts += alerts
        return alerts

    return taken_back


def everything(desk: Desk) -> bytes:
    """Return all that the table holds."""
    return b"".join(desk.store.values.values())


def test_its_words_its_link_and_its_author_are_gone_and_the_incident_stays(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10, url="https://example.org/1"), signal(2, 12))
    assert WORDS.encode() in everything(desk)
    (revision,) = retract(post_key="twitter:1")
    (gone,) = [item for item in revision.evidence if item.post_key == "twitter:1"]
    assert (gone.text, gone.url, gone.author_id, gone.is_removed) == ("", None, "removed", True)
    last = [alert for alert in desk.alerts if alert is not revision][-1]
    assert (revision.level, revision.posts, revision.revision) == (last.level, last.posts, last.revision + 1)
    for trace in (WORDS, "example.org/1", '"author 1"', "author 1"):
        assert trace.encode() not in everything(desk)
    assert "La centrale brûle, 2".encode() in everything(desk)


def test_it_goes_on_to_count_as_if_nothing_had_been_taken_back(
    desk: Desk, fresh_desk: Callable[..., Any], signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    other = fresh_desk()
    for one in (desk, other):
        one.tell(signal(1, 10, author_tier=1))
    retract(post_key="twitter:1")
    (alert,) = desk.tell(signal(2, 12, author_tier=1))
    (same,) = other.tell(signal(2, 12, author_tier=1))
    assert (alert.level, alert.score, alert.authors) == (same.level, same.score, same.authors)
    assert desk.tell(signal(3, 13, author_id="author 1")) == []
    assert WORDS.encode() not in everything(desk)


def test_all_that_an_author_said_is_gone(
    desk: Desk, signal: MakesSignals, place_with: Callable[..., Any], retract: Callable[..., list[Any]]
) -> None:
    away = place_with(place_id="fr:76540", name="Rouen", insee="76540", lat=49.44, lon=1.1)
    desk.tell(signal(1, 10), signal(5, 12, author_id="author 1", place=away))
    assert len(retract(author_id="author 1")) == len({alert.incident_id for alert in desk.alerts})
    assert b"La centrale" not in everything(desk)


def test_taken_back_twice_it_changes_nothing(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10))
    retract(post_key="twitter:1")
    before = dict(desk.store.values)
    assert retract(post_key="twitter:1") == []
    assert retract(post_key="twitter:404") == []
    assert desk.store.values == before


def test_a_restarted_worker_takes_back_what_it_has_not_read_yet(
    desk: Desk, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    desk.tell(signal(1, 10))
    reborn = fresh_desk(desk.store)
    reborn.shelf = type(desk.shelf)(reborn.store, keys=("fire/76", "flood/76"))
    retraction = Retraction(at=signal(0, 60).event_time, post_key="twitter:1")
    (revision,) = reborn.detector.retract(retraction, reborn.shelf)
    reborn.write()
    assert revision.evidence[0].is_removed
    assert WORDS.encode() not in everything(reborn)


def test_what_lies_behind_the_checkpoint_and_what_is_over_is_taken_back_too(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10))
    desk.tell(*(signal(200 + number, 10 + 60 * number) for number in range(1, 9)))
    desk.wait(60 * 12)
    assert any("/base/incident" in key and WORDS.encode() in value for key, value in desk.store.values.items())
    (revision,) = retract(post_key="twitter:1")
    assert revision.level in ("monitoring", "resolved")
    assert WORDS.encode() not in everything(desk)


def test_a_late_post_afterwards_brings_no_words_back(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10), signal(2, 12))
    retract(post_key="twitter:1")
    new = desk.tell(signal(3, 5, author_tier=2))
    assert WORDS not in str(new)
    assert WORDS.encode() not in everything(desk)
    desk.wait(60 * 24)
    assert WORDS not in str(desk.alerts[-1])


def test_what_a_state_has_told_and_forgotten_is_told_once_more_without_the_words(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    told = desk.tell(signal(1, 10))[-1]
    assert retract(post_key="twitter:1", told=told) == [], "not forgotten: this state has told it by itself"
    desk.wait(60 * 24 * 3)
    assert told.incident_id not in str(list(desk.store.values)), "forgotten"
    last = desk.alerts[-1]
    (revision,) = retract(post_key="twitter:1", told=last)
    assert (revision.incident_id, revision.revision, revision.level) == (
        last.incident_id,
        last.revision + 1,
        last.level,
    )
    assert [(item.text, item.is_removed) for item in revision.evidence] == [("", True)]


def test_a_state_that_there_never_was_takes_back_what_it_is_said_to_have_told(
    desk: Desk, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    told = fresh_desk().tell(signal(1, 10))[-1]
    retraction = Retraction(at=signal(0, 60).event_time, author_id="author 1", told=told)
    (revision,) = desk.detector.retract(retraction, desk.shelf)
    assert revision.evidence[0].is_removed
    desk.write()
    assert desk.store.values == {}, "and goes on not to be there"


def test_an_alert_of_a_hazard_that_the_profile_has_no_more_is_taken_back_too(
    desk: Desk, fresh_desk: Callable[..., Any], signal: MakesSignals
) -> None:
    told = fresh_desk().tell(signal(1, 10))[-1]
    del desk.detector._watched[told.hazard]  # as of a profile without it
    retraction = Retraction(at=signal(0, 60).event_time, author_id="author 1", told=told)
    (revision,) = desk.detector.retract(retraction, desk.shelf)
    assert revision.evidence[0].is_removed


def test_nobody_s_words_are_taken_where_nobody_is_named(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10, author_id=""))
    assert retract(post_key="", author_id="") == []
    assert WORDS.encode() in everything(desk)
    (revision,) = retract(post_key="twitter:1")
    assert revision.evidence[0].is_removed


def test_an_edit_read_again_leaves_what_the_post_says_now(
    desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]
) -> None:
    desk.tell(signal(1, 10))
    assert retract(post_key="twitter:1", unless=words_of(WORDS)) == []
    assert WORDS.encode() in everything(desk)
    (revision,) = retract(post_key="twitter:1", unless=words_of("Fausse alerte"))
    assert revision.evidence[0].is_removed


def test_what_nobody_holds_touches_nothing(desk: Desk, signal: MakesSignals, retract: Callable[..., list[Any]]) -> None:
    desk.tell(signal(1, 10))
    writes = desk.store.writes
    for number in range(100):
        assert retract(post_key=f"twitter:unknown-{number}") == []
    assert desk.store.writes == writes


def test_thousands_of_posts_of_one_author_are_rewritten_beside_the_changes(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*(signal(number, number / 10, author_id="author 1", ratio=20.0) for number in range(1, 1500)))
    desk.detector.retract(Retraction(at=signal(0, 160).event_time, author_id="author 1"), desk.shelf)
    rewritten, changes = desk.shelf.rewritten(), desk.shelf.changes()
    assert len(rewritten) == 1499
    assert len(changes) < 20, "what must be kept together stays small"
