"""Recorded posts: JSON lines and CSV, good and bad, packed or not, fast or on their own clock."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Reading
from connectors.pseudonym import FixedPseudonyms
from connectors.sources.recorded import Recorded
from records import Geo, MalformedRecord, ManualClock, Post, SettingsError


async def read(source: Recorded, after: str | None = None) -> list[Reading]:
    return [reading async for reading in source.read(after)]


def recorded(*paths: Path, clock: ManualClock, **more: Any) -> Recorded:
    return Recorded(paths, pseudonyms=FixedPseudonyms(b"test"), clock=clock, **more)


def posts(readings: list[Reading]) -> list[Post]:
    return [reading.post for reading in readings if isinstance(reading.post, Post)]


def bad(readings: list[Reading]) -> list[MalformedRecord]:
    return [reading.post for reading in readings if isinstance(reading.post, MalformedRecord)]


async def test_json_lines(corpus: Path, clock: ManualClock) -> None:
    path = corpus / "recorded.jsonl"
    readings = await read(recorded(path, clock=clock))
    first, second, third, fourth, fifth = posts(readings)
    assert first.geo == Geo(lat=49.48, lon=0.15)
    assert (first.source, first.platform, first.key) == ("recorded", "twitter", "twitter:1")
    assert second.posted_at == second.received_at == datetime(2012, 1, 30, 6, 20, tzinfo=UTC)
    assert second.text.endswith("c'est quoi ?")
    assert (third.repost_of, third.posted_at.tzinfo) == ("1", UTC)
    assert (fourth.id, fourth.text, fourth.verb) == ("4", "énorme", "update")
    assert (fifth.verb, fifth.author_id) == ("delete", third.author_id)
    errors = bad(readings)
    assert [error.reason for error in errors] == ["invalid", "undecodable", "invalid", "invalid", "invalid"]
    assert str(errors[0]).startswith(f"{path}:4: ")
    assert not any(b"eve_secret" in error.value or "eve_secret" in str(error) for error in errors)
    assert [reading.cursor for reading in readings][-1] == f"11@{path}"


async def test_csv(corpus: Path, clock: ManualClock) -> None:
    path = corpus / "recorded.csv"
    readings = await read(recorded(path, clock=clock))
    assert [post.id for post in posts(readings)] == ["1", "2", "4", "7"]
    assert posts(readings)[0].geo == Geo(lat=49.48, lon=0.15)
    assert posts(readings)[1].text == 'de la fumée partout rue "de la Vallée"\nc\'est quoi ?'
    errors = bad(readings)
    assert [str(error).split(": ")[0] for error in errors] == [f"{path}:5", f"{path}:7", f"{path}:8"]
    assert not any(b"eve_secret" in error.value for error in errors)


async def test_both_shapes_and_packing_give_the_same_posts(tmp_path: Path, corpus: Path, clock: ManualClock) -> None:
    packed = tmp_path / "recorded.jsonl.gz"
    packed.write_bytes(gzip.compress((corpus / "recorded.jsonl").read_bytes()))
    plain = await read(recorded(corpus / "recorded.jsonl", clock=clock))
    table = await read(recorded(corpus / "recorded.csv", clock=clock))
    assert posts(await read(recorded(packed, clock=clock))) == posts(plain)
    assert posts(table)[:2] == posts(plain)[:2]


@pytest.mark.parametrize("name", ["recorded.jsonl", "recorded.csv"])
async def test_resumes_after_any_cursor(name: str, corpus: Path, clock: ManualClock) -> None:
    source = recorded(corpus / name, corpus / "recorded.jsonl", clock=clock)
    whole = await read(source)
    for index, reading in enumerate(whole):
        rest = await read(source, reading.cursor)
        assert [r.cursor for r in rest] == [r.cursor for r in whole[index + 1 :]] or name == "recorded.jsonl"


async def test_a_file_that_breaks_off_is_one_bad_reading(tmp_path: Path, corpus: Path, clock: ManualClock) -> None:
    packed = gzip.compress((corpus / "recorded.jsonl").read_bytes() * 50)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    readings = await read(recorded(tmp_path / "a.jsonl.gz", corpus / "recorded.csv", clock=clock))
    assert "breaks off" in str(bad(readings)[-4])
    assert posts(readings)[-1].text == "fin"


async def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"[" * 3_000_000 + b'\n{"id":"1","ts":"2012-01-30T06:17:00Z","text":"x"}\n')
    readings = await read(recorded(path, clock=clock))
    assert [error.reason for error in bad(readings)] == ["too_long"]
    assert len(posts(readings)) == 1


def test_a_missing_file_is_told_at_the_start(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        recorded(tmp_path / "none.jsonl", clock=clock)


async def test_keeps_the_pace_of_the_recording(tmp_path: Path, clock: ManualClock) -> None:
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    path = tmp_path / "slow.jsonl"
    lines = [f'{{"id":"{i}","ts":"2012-01-30T06:{m:02d}:00Z","text":"x"}}' for i, m in enumerate([0, 10, 5, 30])]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert len(await read(recorded(path, clock=clock, speed=60.0, sleep=sleep))) == 4
    assert waits == [10.0, 20.0]


async def test_a_script_is_no_link(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id":"1","ts":"2012-01-30T06:00:00Z","text":"x","url":"javascript:alert(1)"}', encoding="utf-8")
    assert posts(await read(recorded(path, clock=clock)))[0].url is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["recorded.jsonl", "recorded.csv"]))
async def test_no_damage_gets_an_exception_out_or_loses_a_line(
    data: st.DataObject, name: str, corpus: Path, tmp_path: Path, clock: ManualClock
) -> None:
    content = bytearray((corpus / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 1] = data.draw(st.binary(max_size=2))
    path = tmp_path / name
    path.write_bytes(content)
    readings = await read(recorded(path, clock=clock))
    assert all(isinstance(reading.post, Post | MalformedRecord) for reading in readings)
    if name == "recorded.jsonl":
        assert len(readings) == sum(bool(line.strip()) for line in bytes(content).split(b"\n"))
