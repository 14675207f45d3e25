"""Event time never runs ahead of our clock."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records import MalformedRecord, ManualClock, Post, SystemClock
from records.time import in_utc

INSTANTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said_at=INSTANTS, read_at=INSTANTS)
def test_a_post_counts_as_said_when_it_says_unless_that_lies_in_our_future(
    said_at: datetime, read_at: datetime, post: Post
) -> None:
    found = msgspec.structs.replace(post, posted_at=said_at, received_at=read_at).event_time
    assert found <= read_at
    assert found == (said_at if said_at <= read_at else read_at)


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(datetime(2012, 1, 30, tzinfo=UTC))
    before = clock.now()
    assert clock.now() == before
    clock.advance(timedelta(minutes=17))
    assert clock.now() - before == timedelta(minutes=17)


def test_the_system_s_clock_speaks_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_moment_from_outside_is_in_utc_with_a_zone_or_without() -> None:
    seven = datetime(2012, 1, 30, 7, 0, tzinfo=UTC)
    assert in_utc(datetime(2012, 1, 30, 7, 0)) == seven
    found = in_utc(datetime(2012, 1, 30, 8, 0, tzinfo=timezone(timedelta(hours=1))))
    assert (found, found.tzinfo) == (seven, UTC)


def test_a_moment_beyond_the_ends_of_time_is_malformed() -> None:
    with pytest.raises(MalformedRecord, match="not a time") as caught:
        in_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
    assert caught.value.reason == "invalid"
