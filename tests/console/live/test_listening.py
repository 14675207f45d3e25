"""Listening: what is told of the sources. Nothing that is not heard is told as heard."""

from datetime import timedelta
from typing import get_args

import pytest

from console.live.listening import Listening, listening
from records import SourceStatus
from records.source_status import STALE, State
from tests.console.made import a_status, minutes

NOW = minutes(0)
OLD = NOW - STALE - timedelta(seconds=1)


def heard(*statuses: SourceStatus) -> Listening:
    return listening(statuses, NOW)


def test_without_a_source_we_are_blind() -> None:
    found = heard()
    assert (found.is_blind, found.blind_since) == (True, None)


@pytest.mark.parametrize("state", get_args(State))
def test_a_status_that_nobody_renews_is_no_listening(state: State) -> None:
    assert heard(a_status("bluesky", state, at=OLD)).is_blind


@pytest.mark.parametrize(
    ("state", "is_blind"),
    [
        pytest.param("listening", False, id="listening"),
        pytest.param("unsure", True, id="unsure"),
        pytest.param("blind", True, id="blind"),
        pytest.param("off", True, id="off"),
    ],
)
def test_only_a_source_that_listens_lets_us_see(state: State, is_blind: bool) -> None:
    assert heard(a_status("bluesky", state)).is_blind is is_blind


def test_one_source_that_is_lost_is_told_with_its_way() -> None:
    found = heard(
        a_status("bluesky"),
        a_status("press", "blind", way="press", since=minutes(-42), why="HTTP 503"),
        a_status("x", "off"),
    )
    assert (found.is_blind, found.hearing) == (False, 1)
    assert [(one.source, one.trouble, one.since, one.why) for one in found.deaf] == [
        ("press", "blind", minutes(-42), "HTTP 503")
    ]
    assert found.lost_ways == ("press",)
    assert found.absent_ways == ("page", "people", "authorities")


def test_a_way_with_another_source_that_listens_is_not_lost() -> None:
    assert heard(a_status("bluesky"), a_status("mastodon", "blind")).lost_ways == ()


def test_the_worst_is_told_first() -> None:
    found = heard(
        a_status("a", "unsure"),
        a_status("b", "listening", at=OLD),
        a_status("c", "blind", since=minutes(-9)),
        a_status("d"),
    )
    assert [one.source for one in found.deaf] == ["c", "b", "a"]


def test_we_are_blind_since_the_last_source_was_lost() -> None:
    found = heard(a_status("a", "blind", since=minutes(-9)), a_status("b", "blind", since=minutes(-30)))
    assert found.blind_since == minutes(-9)


@pytest.mark.parametrize(
    ("seconds", "within"),
    [pytest.param(0, 1, id="now"), pytest.param(60, 1, id="a minute"), pytest.param(61, 2, id="more")],
)
def test_the_longest_silence_is_told_in_whole_minutes(seconds: int, within: int) -> None:
    found = heard(a_status("a", last_sign_at=NOW), a_status("b", last_sign_at=NOW - timedelta(seconds=seconds)))
    assert found.heard_within == timedelta(minutes=within)
