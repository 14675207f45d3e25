"""The wire: a record comes back as it went, its bytes are those of its golden file, and a bad value has a reason."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records import MalformedRecord, Post, ProfileChange, Signal, Statement, Tick, decode, encode
from streams.topics import OnSignals

Named = tuple[str, msgspec.Struct]


def test_stands_on_the_wire_as_in_its_golden_file(named: Named, golden: bytes) -> None:
    assert encode(named[1]) == golden, "the wire has changed: old records on the topics will be dead letters"


def test_is_read_from_its_golden_file(named: Named, golden: bytes) -> None:
    assert decode(golden, type(named[1])) == named[1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_comes_back_as_it_went(any_record: tuple[type[Any], st.SearchStrategy[Any]], data: st.DataObject) -> None:
    kind, strategy = any_record
    record = data.draw(strategy)
    value = encode(record)
    again = decode(value, kind)
    assert again == record
    assert encode(again) == encode(decode(encode(again), kind)), "equal records, equal bytes"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("signal", Signal), ("tick", Tick), ("statement", Statement), ("profile_change", ProfileChange)],
)
def test_what_stands_on_signals_is_told_apart_on_their_topic(
    name: str, kind: type[msgspec.Struct], records: dict[str, msgspec.Struct]
) -> None:
    assert type(decode(encode(records[name]), OnSignals)) is kind


def without(value: bytes, field: str) -> bytes:
    return json.dumps({name: found for name, found in json.loads(value).items() if name != field}).encode()


def with_(value: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(value), **fields}).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda sound: None, "empty", id="no value"),
        pytest.param(lambda sound: b"", "empty", id="empty"),
        pytest.param(lambda sound: b" ", "undecodable", id="blank"),
        pytest.param(lambda sound: b"Le Havre", "undecodable", id="not JSON"),
        pytest.param(lambda sound: sound[:-1], "undecodable", id="cut off"),
        pytest.param(lambda sound: sound + b"}", "undecodable", id="something after it"),
        pytest.param(lambda sound: sound.replace(b"76351", b"\xff"), "undecodable", id="not UTF-8"),
        pytest.param(lambda sound: b"[" * 100_000, "invalid", id="nested without end"),
        pytest.param(lambda sound: b"null", "invalid", id="nothing"),
        pytest.param(lambda sound: b"[]", "invalid", id="a list"),
        pytest.param(lambda sound: without(sound, "author_id"), "invalid", id="missing field"),
        pytest.param(lambda sound: with_(sound, handle="@ann"), "invalid", id="unknown field"),
        pytest.param(lambda sound: with_(sound, text=7), "invalid", id="wrong type"),
        pytest.param(lambda sound: with_(sound, verb="shout"), "invalid", id="not one of the words"),
        pytest.param(lambda sound: with_(sound, id=""), "invalid", id="an id that is none"),
        pytest.param(lambda sound: with_(sound, id="x" * 1025), "invalid", id="an id too long"),
        pytest.param(lambda sound: with_(sound, geo={"lat": 90.01, "lon": 0}), "invalid", id="off the globe"),
        pytest.param(lambda sound: with_(sound, geo={"lat": float("nan"), "lon": 0}), "undecodable", id="no number"),
        pytest.param(lambda sound: with_(sound, posted_at="2012-01-30T07:37:00"), "invalid", id="a time without zone"),
        pytest.param(lambda sound: with_(sound, posted_at="2012-02-30T07:37:00Z"), "invalid", id="no such day"),
        pytest.param(lambda sound: with_(sound, posted_at=1327908000), "invalid", id="a time as a number"),
    ],
)
def test_what_cannot_be_read_says_why(change: Any, reason: str, post: Post) -> None:
    sound = encode(msgspec.structs.replace(post, text="76351"))
    value = change(sound)
    with pytest.raises(MalformedRecord) as refused:
        decode(value, Post)
    assert (refused.value.reason, refused.value.value) == (reason, value or b"")
    assert str(refused.value).startswith("cannot read a Post from ")


@pytest.mark.parametrize("field", ["verb", "x" * 100_000])
def test_a_refusal_is_short_however_long_what_was_found_is(field: str, post: Post) -> None:
    with pytest.raises(MalformedRecord) as refused:
        decode(with_(encode(post), **{field: "a" * 100_000}), Post)
    assert len(str(refused.value)) == MalformedRecord.LONGEST


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_else(value: bytes) -> None:
    with suppress(MalformedRecord):
        decode(value, OnSignals)


def test_times_are_in_utc_on_the_wire(post: Post) -> None:
    value = with_(encode(post), posted_at="2012-01-30T08:37:00+01:00")
    assert decode(value, Post).posted_at == datetime(2012, 1, 30, 7, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01 00:00:00+23:59",
    ],
)
def test_a_time_that_is_none_in_utc_is_refused(moment: str, post: Post) -> None:
    with pytest.raises(MalformedRecord, match="out of range") as refused:
        decode(with_(encode(post), posted_at=moment), Post)
    assert refused.value.reason == "invalid"


def test_however_its_letters_are_written(post: Post) -> None:
    value = with_(encode(post), posted_at="0001-01-01T00:00:00+23:59").replace(b'"0001-', b'"\\u0030001-')
    with pytest.raises(MalformedRecord, match="out of range"):
        decode(value, Post)


def test_the_first_and_the_last_moment_are_times(post: Post) -> None:
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert decode(with_(encode(post), posted_at=moment, text=moment), Post).text == moment


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, 10**300])
def test_a_number_that_no_store_holds_is_refused(number: int, records: dict[str, msgspec.Struct]) -> None:
    with pytest.raises(MalformedRecord) as refused:
        decode(with_(encode(records["signal"]), fingerprint=number), Signal)
    assert refused.value.reason == "invalid"
