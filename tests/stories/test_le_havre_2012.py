"""Le Havre, 30 January 2012: one Facebook status after 17 minutes. Vigie must catch that one post."""

import asyncio
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from vigie.demo import Outcome, play, summary
from vigie.story import Story, le_havre_2012

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def story() -> Story:
    return le_havre_2012()


@pytest.fixture(scope="module")
def shown() -> StringIO:
    return StringIO()


@pytest.fixture(scope="module")
def outcome(story: Story, shown: StringIO) -> Outcome:
    return asyncio.run(play(story, Console(file=shown, width=100), language="fr", play_secs=0.0))


def test_the_story_is_as_it_was(story: Story) -> None:
    assert len(story.posts) >= 2000
    assert story.first_post_at - story.began_at == timedelta(minutes=17)
    assert round((story.first_image_at - story.began_at).total_seconds() / 60) == 89


def test_a_watch_stands_within_ten_seconds_of_the_first_witness(outcome: Outcome) -> None:
    assert outcome.watch_delay is not None
    assert timedelta() <= outcome.watch_delay <= timedelta(seconds=10)


def test_no_alert_is_false(outcome: Outcome) -> None:
    assert outcome.false_alerts == ()


def test_the_alert_comes_before_the_first_picture(story: Story, outcome: Outcome) -> None:
    assert outcome.alert_at is not None
    assert outcome.alert_at < story.first_image_at


def test_false_watches_are_few(outcome: Outcome) -> None:
    assert len(outcome.false_watches) <= 4  # of seven hours; the city profile's budget is two a day


def test_the_witness_stands_in_the_evidence(outcome: Outcome) -> None:
    evidence = {item.post_key for alert in outcome.alerts for item in alert.evidence}
    assert "facebook:e0001" in evidence


def test_the_summary_tells_what_went_wrong_too(story: Story, outcome: Outcome) -> None:
    file = StringIO()
    Console(file=file, width=120).print(summary(story, outcome, "fr"))
    for words in ("08:37:00", "première photo", "fausses alertes", "Ce que Vigie a eu faux"):
        assert words in file.getvalue()


def test_watch_and_alert_are_shown_as_they_arise(shown: StringIO, outcome: Outcome) -> None:
    assert "Veille" in shown.getvalue()
    assert "ALERTE" in shown.getvalue()
