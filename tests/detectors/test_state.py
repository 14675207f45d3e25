"""What is kept stays small: writes per signal, and memory once it is quiet."""

from typing import Any

import pytest

MOST_WRITES = 5  # a signal, on average; what is old goes in bulk
MOST_AT_ONCE = 2_050  # what the shelf lets go at most, and a few more
MOST_BYTES = 12_000


@pytest.mark.parametrize("gap", [0.02, pytest.param(1.0, marks=pytest.mark.long)])
def test_a_signal_writes_no_more_after_ten_thousand(gap: float, desk: Any, signal: Any) -> None:
    writes, sizes = [], []
    for number in range(10_000):
        made = signal(number, number * gap, url="https://example.org/post", text="x" * 3_000)
        before = desk.store.writes, desk.store.bytes
        desk.tell(made)
        writes.append(desk.store.writes - before[0])
        sizes.append(desk.store.bytes - before[1])
    assert sum(writes[9_000:]) <= MOST_WRITES * 1_000
    assert max(writes) <= MOST_AT_ONCE
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes[9_000:]) <= 1.05 * sum(sizes[2_000:3_000])


def test_what_is_remembered_is_forgotten_in_time(desk: Any, signal: Any) -> None:
    desk.tell(*(signal(number, number / 50) for number in range(5_000)))
    at_the_height = len(desk.store.values)
    assert at_the_height > 5_000
    desk.wait(60 * 48)
    assert desk.next_due() is None
    assert len(desk.store.values) < 50
    assert not [key for key in desk.store.values if "/incident/" in key or "/told/" in key or "/entry/" in key]


def test_a_steady_stream_does_not_grow_without_end(desk: Any, signal: Any) -> None:
    sizes = []
    for number in range(3_000):
        desk.tell(signal(number, number * 3, ratio=0.5, cluster_ids=()))
        sizes.append(len(desk.store.values))
    assert max(sizes[1_500:]) <= max(sizes[:1_500])


def test_an_author_of_a_thousand_posts_takes_bounded_room(desk: Any, signal: Any) -> None:
    desk.tell(*(signal(number, number / 100, author_id="one") for number in range(1_000)))
    assert max(len(value) for value in desk.store.values.values()) < 2_000


def test_the_state_holds_no_author_but_those_shown(desk: Any, signal: Any) -> None:
    desk.tell(*(signal(number, number, ratio=0.5) for number in range(50)))
    desk.tell(signal(99, 50, ratio=50.0, is_relay=True))
    assert not [key for key, value in desk.store.values.items() if "author" in key or b"author" in value]


def test_no_text_is_left_once_it_is_over(desk: Any, signal: Any) -> None:
    desk.tell(signal(1, 0))
    assert any(b"La centrale" in value for value in desk.store.values.values())
    desk.wait(60 * 24)
    assert not [key for key, value in desk.store.values.items() if b"La centrale" in value]


def test_two_hazards_at_one_place_are_two_incidents(desk: Any, signal: Any) -> None:
    desk.tell(signal(1, 0), signal(2, 1, hazard="industrial"))
    assert len({alert.incident_id for alert in desk.alerts}) == 2


def test_a_hazard_that_is_not_watched_is_let_be(desk: Any, signal: Any) -> None:
    del desk.detector._watched["fire"]
    assert desk.tell(signal(1, 0)) == []
    assert desk.store.values == {}
