"""Console feeding: what stands on the topics is read by our own clock."""

from datetime import UTC, datetime, timedelta

import pytest

from records import ProfileChange, SourceStatus, encode
from streams.reader import Written
from streams.topics import DECISIONS, SIGNALS, SOURCES, Topic
from vigie.console_feeding import FED, is_kept, readable

NOW = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
[STATUSES] = [fed for fed in FED if fed.topic is SOURCES]


@pytest.mark.parametrize(
    ("said_at", "written_at", "kept_at"),
    [
        pytest.param(NOW - MINUTE, None, NOW - MINUTE, id="before now"),
        pytest.param(NOW + 120 * MINUTE, None, NOW, id="by a clock that runs ahead"),
        pytest.param(NOW + 120 * MINUTE, NOW - 9 * MINUTE, NOW - 9 * MINUTE, id="as the broker knows"),
        pytest.param(NOW - MINUTE, NOW + 120 * MINUTE, NOW - MINUTE, id="a broker whose clock runs ahead"),
    ],
)
def test_a_state_of_a_source_is_never_of_the_future(
    said_at: datetime, written_at: datetime | None, kept_at: datetime
) -> None:
    status = SourceStatus(source="bluesky", way="network", state="listening", at=said_at, since=NOW - MINUTE)
    [read] = readable(STATUSES, [Written(encode(status), written_at)], NOW)
    assert isinstance(read.record, SourceStatus)
    assert read.record.at == kept_at


def test_what_cannot_be_read_costs_nothing_else() -> None:
    status = SourceStatus(source="bluesky", way="network", state="listening", at=NOW, since=NOW)
    found = readable(STATUSES, [Written(b"{", None), Written(encode(status), None)], NOW)
    assert [one.record for one in found] == [status]


@pytest.mark.parametrize(
    ("topic", "is_so"),
    [
        pytest.param(DECISIONS, True, id="where people decide"),
        pytest.param(SIGNALS, False, id="among the signals, where it stands once a partition"),
    ],
)
def test_a_change_of_the_profile_is_kept_from_where_people_decide(topic: Topic, *, is_so: bool) -> None:
    change = ProfileChange(
        change_id="c",
        name="city",
        version="3",
        toml="name = 'city'",
        proposed_by="one",
        approved_by="another",
        decided_at=NOW,
    )
    [fed] = [fed for fed in FED if fed.topic is topic]
    [read] = readable(fed, [Written(encode(change), NOW)], NOW)
    assert is_kept(fed, read) is is_so
