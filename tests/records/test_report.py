"""Report: what somebody who fills in a report states, there and back; from who is not trusted it says nothing."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from records import Post, Report, report_in
from records.report import CREDIBILITIES
from records.signal import Hazard

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)


def post_with(*tags: str, is_trusted: bool = True) -> Post:
    return Post(
        source="intake",
        id="r1",
        posted_at=NOW,
        received_at=NOW,
        author_id="a1",
        text="",
        rule_tags=tags,
        is_trusted=is_trusted,
    )


@pytest.mark.parametrize("is_first_hand", [True, False], ids=["seen", "heard of"])
@pytest.mark.parametrize("credibility", CREDIBILITIES)
@pytest.mark.parametrize("hazard", get_args(Hazard))
def test_what_is_stated_is_read_again(hazard: Hazard, credibility: str, is_first_hand: bool) -> None:
    stated = Report(hazard, credibility, is_first_hand)  # type: ignore[arg-type]
    assert report_in(post_with("fire-rule", *stated.tags)) == stated


@pytest.mark.parametrize(
    ("tags", "stated"),
    [
        pytest.param((), None, id="no tag"),
        pytest.param(("fire",), None, id="a rule of a platform"),
        pytest.param(("said:volcano",), None, id="no hazard of ours"),
        pytest.param(("said:fire",), Report("fire"), id="nothing but the hazard"),
        pytest.param(("said:fire", "credibility:absolute"), Report("fire"), id="no credibility of ours"),
        pytest.param(("said:fire", "said:flood"), Report("fire"), id="twice: the first holds"),
    ],
)
def test_tags_that_nobody_here_makes_say_nothing(tags: tuple[str, ...], stated: Report | None) -> None:
    assert report_in(post_with(*tags)) == stated


def test_who_is_not_trusted_states_nothing() -> None:
    assert report_in(post_with(*Report("fire", "high").tags, is_trusted=False)) is None
