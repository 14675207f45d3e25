"""Talk of a hazard all over the country raises what is usual everywhere; a real storm in one area does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.chatter import Chatter

HOUR = 3600.0
DAY = 24 * HOUR


def usual(days: float, per_hour: int = 20) -> Chatter:
    chatter = Chatter()
    for number in range(int(days * 24 * per_hour)):
        chatter.note("fire/FR", f"{number % 90:02}", f"usual {number}", number * HOUR / per_hour)
    return chatter


def test_nothing_is_said_before_anybody_can_know_what_is_usual() -> None:
    chatter = usual(0.2, per_hour=500)
    assert chatter.excess("fire/FR", "76", 0.2 * DAY) == 1.0


def test_what_is_usual_is_one() -> None:
    assert usual(4).excess("fire/FR", "76", 4 * DAY) == pytest.approx(1.0, abs=0.2)


def test_ten_times_as_much_talk_is_told_within_the_hour() -> None:
    chatter = usual(4)
    for number in range(200):
        chatter.note("fire/FR", f"{number % 90:02}", f"talk {number}", 4 * DAY + number * HOUR / 200)
    assert chatter.excess("fire/FR", "76", 4 * DAY + HOUR) == pytest.approx(210 / 30, rel=0.15)
    assert chatter.excess("flood/FR", "76", 4 * DAY + HOUR) == 1.0
    assert chatter.excess("fire/BE", "76", 4 * DAY + HOUR) == 1.0


def test_what_an_area_says_itself_is_left_out() -> None:
    chatter = usual(4)
    for number in range(200):
        chatter.note("fire/FR", "76", f"storm {number}", 4 * DAY + number)
    assert chatter.excess("fire/FR", "76", 4 * DAY + 300) == pytest.approx(1.0, abs=0.2)
    assert chatter.excess("fire/FR", "27", 4 * DAY + 300) > 5


def test_one_account_cannot_blind_us() -> None:
    chatter = usual(4)
    for number in range(500):
        chatter.note("fire/FR", "13", "one", 4 * DAY + number)
    assert chatter.excess("fire/FR", "76", 4 * DAY + 600) == pytest.approx(1.0, abs=0.2)


def test_when_the_talk_is_over_all_is_as_before() -> None:
    chatter = usual(4)
    for number in range(200):
        chatter.note("fire/FR", "13", f"talk {number}", 4 * DAY + number)
    assert chatter.excess("fire/FR", "76", 4 * DAY + 3 * HOUR) == 1.0


@given(st.lists(st.tuples(st.floats(0, 9e5), st.sampled_from(["13", "76"]), st.integers(0, 5)), max_size=40))
def test_no_order_of_posts_gives_less_than_one(posts: list[tuple[float, str, int]]) -> None:
    chatter = Chatter()
    for at, area, author in posts:
        chatter.note("fire/FR", area, str(author), at)
        assert chatter.excess("fire/FR", "76", at) >= 1.0
