"""Whether a source is listened to, and what we are blind to where none is."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.blindness import blindness
from connectors.contract import Capabilities
from connectors.watch import Watch
from records import ManualClock, SourceStatus, SourceUnavailable
from records.source_status import STALE

QUIET = timedelta(minutes=5)


@pytest.fixture
def watch(witness: Any, clock: ManualClock) -> Watch:
    made = Watch(witness, clock)
    made.add("bluesky", "network", Capabilities(quiet=QUIET))
    return made


def status(watch: Watch, name: str = "bluesky") -> SourceStatus:
    return watch.statuses()[name]


def test_a_source_is_blind_until_it_gives_a_sign_of_life(watch: Watch) -> None:
    assert (status(watch).state, status(watch).why) == ("blind", "not heard of yet")
    watch.counted("bluesky", "not_a_post", 1)
    assert (status(watch).state, status(watch).last_post_at) == ("listening", None)


def test_quiet_with_heartbeats_is_listening_and_without_is_blind(watch: Watch, clock: ManualClock) -> None:
    watch.counted("bluesky", "kept", 1)
    for _ in range(10):
        clock.advance(timedelta(minutes=4))
        watch.counted("bluesky", "not_a_post", 1)
    assert status(watch).state == "listening"
    lived_at = clock.now()
    clock.advance(timedelta(minutes=6))
    assert (status(watch).state, status(watch).since) == ("blind", lived_at)
    assert status(watch).why == "no sign of life for more than 5 minutes"


def test_what_cannot_be_read_is_blind_since_then_and_says_why(watch: Watch, clock: ManualClock) -> None:
    watch.counted("bluesky", "kept", 1)
    clock.advance(timedelta(minutes=1))
    failed_at = clock.now()
    watch.unavailable("bluesky", SourceUnavailable("refused the connection (503)"), retry_secs=1.0)
    clock.advance(timedelta(minutes=1))
    watch.unavailable("bluesky", SourceUnavailable("refused the connection (503)"), retry_secs=2.0)
    found = status(watch)
    assert (found.state, found.since, found.failures) == ("blind", failed_at, 2)
    assert found.why == "refused the connection (503)"
    watch.counted("bluesky", "gated", 1)
    assert (status(watch).state, status(watch).why) == ("listening", "")


def test_one_that_waits_to_be_told_is_unsure_when_nobody_does(watch: Watch, clock: ManualClock) -> None:
    watch.add("staff", "people", Capabilities(quiet=timedelta(hours=24), is_told=True))
    watch.serves("staff")
    assert status(watch, "staff").state == "unsure"
    watch.counted("staff", "kept", 1)
    assert status(watch, "staff").state == "listening"
    clock.advance(timedelta(hours=25))
    assert status(watch, "staff").state == "unsure"


def test_counts_lags_gaps_and_costs_are_told(watch: Watch, witness: Any) -> None:
    class Dear:
        spent_usd, ceiling_usd = 12.5, 50.0

    watch.add("x", "network", Capabilities(), paid=Dear())
    watch.counted("x", "kept", 3)
    watch.counted("x", "refused", 2, reason="invalid")
    watch.lagged("x", 4.5)
    watch.gap("x", 60.0)
    watch.gap("x", 30.0)
    found = status(watch, "x")
    assert (found.read, found.refused, found.lag_secs, found.gap_secs) == (5, 2, 4.5, 90.0)
    assert (found.spent_usd, found.ceiling_usd) == (12.5, 50.0)
    assert (witness.outcomes.total(), witness.gaps, witness.lags) == (5, [60.0, 30.0], [4.5])


def test_news_is_told_at_once_and_the_rest_once_a_minute(watch: Watch, clock: ManualClock) -> None:
    assert [one.state for one in watch.news()] == ["blind"]
    assert watch.news() == []
    watch.counted("bluesky", "kept", 1)
    assert [one.state for one in watch.news()] == ["listening"]
    clock.advance(timedelta(seconds=59))
    assert watch.news() == []
    clock.advance(timedelta(seconds=1))
    assert [one.state for one in watch.news()] == ["listening"]


def test_a_source_that_was_read_to_its_end_is_off(watch: Watch) -> None:
    watch.ended("bluesky", "read to its end")
    assert (status(watch).state, status(watch).why) == ("off", "read to its end")


def test_what_nobody_listens_to_is_said_of_every_way(watch: Watch, clock: ManualClock) -> None:
    blind = {one.way: one for one in blindness(watch.statuses().values(), clock.now())}
    assert set(blind) == {"network", "page", "press", "people", "authorities"}
    assert (blind["press"].since, blind["press"].why) == (None, "no source of this kind is set")
    assert (blind["network"].sources, blind["network"].since) == (("bluesky",), clock.now())
    watch.counted("bluesky", "kept", 1)
    assert "network" not in {one.way for one in blindness(watch.statuses().values(), clock.now())}


def test_one_source_that_listens_is_enough_for_a_way(watch: Watch, clock: ManualClock) -> None:
    watch.add("mastodon", "network", Capabilities())
    watch.counted("mastodon", "not_a_post", 1)
    watch.unavailable("bluesky", SourceUnavailable("gone"), retry_secs=1.0)
    assert "network" not in {one.way for one in blindness(watch.statuses().values(), clock.now())}


def test_a_status_that_nobody_renews_is_worth_nothing(watch: Watch, clock: ManualClock) -> None:
    watch.counted("bluesky", "kept", 1)
    old = list(watch.statuses().values())
    told_at = clock.now()
    clock.advance(STALE + timedelta(seconds=1))
    (network,) = [one for one in blindness(old, clock.now()) if one.way == "network"]
    assert (network.since, network.why) == (told_at, "the process that reads it says nothing any more")


def test_unsure_is_told_apart_and_last(watch: Watch, clock: ManualClock) -> None:
    watch.add("staff", "people", Capabilities(is_told=True))
    watch.serves("staff")
    last = blindness(watch.statuses().values(), clock.now())[-1]
    assert (last.way, last.is_unsure, last.why) == ("people", True, "nobody has told us anything")


def test_a_source_that_is_off_counts_as_none(watch: Watch, clock: ManualClock) -> None:
    watch.ended("bluesky", "read to its end")
    (network,) = [one for one in blindness(watch.statuses().values(), clock.now()) if one.way == "network"]
    assert (network.since, network.why) == (None, "every source of this kind has been read to its end")


def test_one_that_waits_to_be_told_hides_none_that_cannot_be_read(watch: Watch, clock: ManualClock) -> None:
    watch.add("vendor", "network", Capabilities(is_told=True))
    watch.serves("vendor")
    watch.unavailable("bluesky", SourceUnavailable("gone"), retry_secs=1.0)
    (network,) = [one for one in blindness(watch.statuses().values(), clock.now()) if one.way == "network"]
    assert (network.why, network.is_unsure) == ("gone", False)


def test_what_is_refused_is_no_sign_of_life(watch: Watch, clock: ManualClock) -> None:
    watch.add("staff", "people", Capabilities(is_told=True))
    watch.serves("staff")
    watch.counted("staff", "refused", 3, reason="unsigned")
    found = status(watch, "staff")
    assert (found.state, found.refused, found.last_sign_at) == ("unsure", 3, None)


def test_a_part_of_a_source_that_fails_is_told_with_it_and_does_not_make_it_blind(watch: Watch) -> None:
    watch.add("press", "press", Capabilities())
    watch.counted("press", "not_a_post", 1)
    watch.unavailable("press/Le Journal", SourceUnavailable("503"), retry_secs=1.0)
    watch.gap("press/Le Journal", 30.0)
    found = status(watch, "press")
    assert (found.state, found.failures, found.gap_secs) == ("listening", 1, 30.0)


def test_when_the_process_ends_nobody_listens_and_that_is_said(watch: Watch) -> None:
    watch.counted("bluesky", "kept", 1)
    watch.stopped()
    assert (status(watch).state, status(watch).why) == ("blind", "the process that reads it was stopped")


def test_a_source_that_broke_is_blind_until_the_process_is_started_anew(watch: Watch) -> None:
    watch.counted("bluesky", "kept", 1)
    watch.broken("bluesky", "sources.x.rules: refused")
    assert (status(watch).state, status(watch).why) == ("blind", "sources.x.rules: refused")


def test_a_source_that_is_asked_seldom_may_be_quiet_for_longer() -> None:
    hourly = Capabilities().asked_every(3600)
    assert hourly.quiet == timedelta(hours=2.5)
    assert Capabilities().asked_every(30).quiet == Capabilities().quiet
