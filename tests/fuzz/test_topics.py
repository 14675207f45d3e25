"""Whatever stands on a topic: it is a record or malformed, and no record that can be read stops what reads it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox
from console.archive.taking import Record, take
from console.live.hub import Change
from detectors.detector import Shelf
from detectors.neighbours import Neighbours
from detectors.standing import Standing
from records import (
    Alert,
    MalformedRecord,
    ManualClock,
    Notification,
    ProfileChange,
    Signal,
    Statement,
    Tick,
    decode,
    encode,
)
from streams.claims import changes
from streams.shares import begin, made_of, placed
from streams.showing import Showing
from streams.state import DictState
from streams.stated import statements
from streams.topics import ALERTS, CONTEXT, POSTS, SIGNALS, TOPICS, Topic
from streams.wiring import Steps, departed, last_versions, tick_from
from tests.console.conftest import empty_archive, sqlite_engine
from tests.console.made import MORNING
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import hostile
from tests.fuzz.told import KINDS, KNOWN, kinds_of, read_as, values_of
from vigie.assembly import steps
from vigie.settings import Settings

__all__ = ["empty_archive", "sqlite_engine"]  # fixtures
LATE = datetime(2031, 1, 1, tzinfo=UTC)
REASONS = {"empty", "undecodable", "invalid"}


@cache
def the_steps() -> Steps:
    return steps(Settings())


def readable(topic: Topic) -> st.SearchStrategy[Any]:
    """Return hostile records of a topic: those of its hostile values that can be read."""
    return hostile(values_of(topic)).map(lambda value: _read(topic, value)).filter(lambda record: record is not None)


def _read(topic: Topic, value: bytes) -> Any:
    try:
        return decode(value, read_as(topic))
    except MalformedRecord as error:
        refused = error
    assert refused.reason in REASONS
    assert len(str(refused)) <= MalformedRecord.LONGEST
    return None


def test_every_kind_of_record_on_a_topic_is_fuzzed() -> None:
    assert KNOWN == KINDS


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
@fuzzing(150)
@given(data=st.data())
def test_a_value_is_a_record_or_malformed(topic: Topic, data: st.DataObject) -> None:
    check_read(topic, data.draw(hostile(values_of(topic))))


@pytest.mark.parametrize(("name", "path"), found("topics"), ids=name_of)
def test_a_value_that_was_found_stays_mended(name: str, path: Path) -> None:
    check_read(next(topic for topic in TOPICS if topic.name == name), path.read_bytes())


def check_read(topic: Topic, value: bytes) -> None:
    """Look at what is read of a value."""
    record = _read(topic, value)
    if record is None:
        return
    again = encode(record)
    assert decode(again, read_as(topic)) == record
    assert encode(decode(again, read_as(topic))) == again
    assert record.key is not None


@fuzzing(40)
@given(posts=st.lists(readable(POSTS), min_size=1, max_size=4))
def test_no_post_stops_the_agent_that_enriches(posts: list[Any]) -> None:
    read = begin(the_steps().enrich, posts)()
    results = placed(the_steps().enrich, posts, read)
    assert not [one for one in results if isinstance(one, Exception)], "a post became a dead letter that can be read"
    signals = [signal for one in results if not isinstance(one, Exception) for signal in one.signals]
    retractions = [one.retraction for one in results if not isinstance(one, Exception) and one.retraction]
    assert [decode(encode(one), type(one)) for one in (*signals, *retractions)] == [*signals, *retractions]
    departed(signals, retractions)
    claims = [() if isinstance(one, Exception) else one.claims for one in results]
    for claimed in changes(zip(posts, claims, strict=True)).values():
        assert claimed is None or decode(encode(claimed), type(claimed)) == claimed
    assert all(made_of(one) for one in read if one is not None and not isinstance(one, Exception))
    assert {last_versions(posts)(number) for number in range(len(posts))} <= {True, False}


@fuzzing(40)
@given(values=st.lists(readable(SIGNALS), min_size=1, max_size=4))
def test_no_evidence_stops_the_agent_that_detects_nor_the_worker_after_it(values: list[Any]) -> None:
    table, detect = DictState(), the_steps().detect
    first = detect(values, Shelf(table))
    assert not [failed for failed in first.failed if not isinstance(values[failed.number], ProfileChange)]
    table.keep(first.changes)
    assert [decode(encode(alert), Alert) for alert in first.alerts] == first.alerts
    keys = sorted({value.key for value in values if isinstance(value, Signal | Tick | Statement)})
    Showing(detect.detector).found(keys, Shelf(table))
    for key in keys:
        detect.detector.next_due(key, Shelf(table))
    table.keep(detect([tick_from(key, LATE) for key in keys], Shelf(table)).changes)
    for key in keys:
        Standing().look(key, Shelf(table))


@fuzzing(40)
@given(bulletins=st.lists(readable(CONTEXT), min_size=1, max_size=3))
def test_no_statement_of_an_authority_stops_the_agent_that_hands_it_on(bulletins: list[Any]) -> None:
    for one in statements(bulletins, the_steps().detect.detector.profile.hazards):
        assert decode(encode(one), Statement) == one


@fuzzing(40)
@given(alerts=st.lists(readable(ALERTS), min_size=1, max_size=3))
async def test_no_alert_stops_the_agent_that_notifies(alerts: list[Any]) -> None:
    neighbours = Neighbours(the_steps().detect.detector.profile)
    joined = [neighbours.joined(alert) for alert in alerts]
    with TemporaryDirectory() as folder:
        outbox = Outbox(
            Path(folder) / "outbox.sqlite", [JsonLines(Path(folder) / "alerts.jsonl")], clock=ManualClock(MORNING)
        )
        await outbox.enqueue(joined)
        await outbox.drain()
        assert not outbox.troubles()
        assert {state for _, state in outbox.counts()} <= {"sent", "superseded"}
        await outbox.report(_nowhere, most=100)
        outbox.close()


async def _nowhere(notifications: Sequence[Notification]) -> None:
    assert [decode(encode(one), Notification) for one in notifications] == list(notifications)


@fuzzing(40)
@given(data=st.data())
async def test_no_record_stops_the_archive_and_each_is_kept_or_passed_over(
    sqlite_engine: AsyncEngine, data: st.DataObject
) -> None:
    archived = [topic for topic in TOPICS if set(kinds_of(topic)) & set(get_args(Record))]
    topics = data.draw(st.lists(st.sampled_from(archived), min_size=1, max_size=4))
    records = [record for record in (data.draw(readable(topic)) for topic in topics) if isinstance(record, Record)]
    first = await take(sqlite_engine, records, MORNING)
    assert {type(change) for change in first} <= {Change}
    assert await take(sqlite_engine, records, MORNING) == [], "what is known changes nothing"
