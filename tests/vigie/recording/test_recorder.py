"""The recorder: nothing twice and nothing lost, whatever dies; what was taken back is gone from every file."""

import asyncio
import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from records import ManualClock, Retraction, Signal, Tick, encode
from vigie import recorder as module
from vigie.recorder import MARKED_EVERY, Recorder
from vigie.recording import facts_in
from vigie.recordings import Recordings
from vigie.unnaming import NOBODY

# What conftest.py makes; test files import nothing from each other.
Heard = Callable[..., Signal]
Line = Any
MakeRecorder = Callable[..., Recorder]
DAY = timedelta(days=1)


def recorded(recordings: Recordings) -> list[Any]:
    return [row.record for row in recordings.rows()]


def keys(recordings: Recordings) -> list[str]:
    return [one.post_key for one in recorded(recordings) if isinstance(one, Signal)]


def everything(recordings: Recordings) -> str:
    """Return all that stands in all files, rows and what is said of them."""
    tables = [pq.read_table(path) for path in recordings.all]
    return "\n".join(f"{table.to_pylist()} {table.schema.metadata}" for table in tables)


def test_what_stood_on_the_topic_stands_in_the_days_file(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1), heard(2)) + line.of(heard(3), partition=2))
    recorder.write()
    assert [path.name for path in recordings.days] == ["2012-01-30.parquet"]
    assert [(row.partition, row.offset) for row in recordings.rows()] == [(0, 0), (0, 1), (2, 0)]
    assert recordings.days[0].stat().st_mode & 0o077 == 0
    recorder.take(line.of(heard(4)))
    recorder.write()
    assert keys(recordings) == [f"bluesky:post-{number}" for number in (1, 2, 3, 4)]


def test_a_restart_goes_on_where_the_files_end(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, clock: ManualClock
) -> None:
    first = recorder_for()
    before = line.of(heard(1), heard(2))
    first.take(before)
    first.write()
    first.take(line.of(heard(3)))  # and is killed
    clock.advance(DAY)
    second = recorder_for()
    assert second._marks == {0: before[-1].mark}
    second.take(line.of(heard(4)))
    second.write()
    assert len(recordings.days) == 2
    assert recorder_for()._marks[0].offset == 3


def test_what_another_broker_has_once_more_is_known_again_whatever_it_is_called_by_now(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, split: Callable[..., Any]
) -> None:
    recorder = recorder_for()
    told = [heard(1), heard(2), heard(2), split("bluesky:post-7")]
    recorder.take(line.of(*told))
    recorder.take(line.of(Retraction(at=heard(1).event_time, post_key="bluesky:post-1")))
    recorder.write()
    again = recorder_for()
    line.offsets.clear()
    again.take(line.of(*told, heard(5), is_anew=True))
    again._caught_up()
    again.take(line.of(heard(6), heard(6), is_anew=True))  # what comes from then on is all new
    again.write()
    assert keys(recordings)[1:] == [f"bluesky:post-{number}" for number in (2, 2, 5, 6, 6)]
    assert keys(recordings)[0].startswith(NOBODY)


def test_what_the_topic_let_go_of_before_it_was_read_is_counted(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    line.offsets[0] = 11
    recorder.take(line.of(heard(2), is_anew=True))
    recorder.write()
    assert recorder.state["lost"] == 10
    assert facts_in(recordings.days[0]).lost == 10
    assert recorder_for().state["lost"] == 10


def test_of_a_deleted_post_nothing_and_of_its_author_nothing_is_left_in_the_file_that_held_it(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, clock: ManualClock
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1, author_id="jeanne"), heard(2, author_id="jeanne"), heard(3, author_id="paul")))
    recorder.write()
    clock.advance(2 * DAY)
    recorder.take(line.of(heard(4)))
    gone = Retraction(at=heard(1).event_time, post_key="bluesky:post-1")
    for partition in range(4):
        recorder.take(line.of(gone, partition=partition))
    recorder.write()
    assert len(recordings.days) == 2
    assert "jeanne" not in everything(recordings)
    assert "bluesky:post-1" not in everything(recordings)
    first, second, third, _, retraction = recorded(recordings)
    assert first.author_id == second.author_id != third.author_id == "paul"  # one voice is one voice still
    assert first.author_id.startswith(NOBODY)
    assert second.post_key == "bluesky:post-2"
    assert retraction.post_key == first.post_key  # where it was taken back, by the name that it has now


def test_a_post_and_its_deletion_in_one_span_leave_no_name_either(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1), Retraction(at=heard(1).event_time, post_key="bluesky:post-1")))
    recorder.write()
    assert "author-1" not in everything(recordings)
    assert "post-1" not in everything(recordings)
    assert len(recorded(recordings)) == 2


def test_who_has_left_has_no_name_in_any_file_and_his_posts_have_none(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, clock: ManualClock, tmp_path: Path
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1, author_id="jeanne"), heard(2)))
    recorder.write()
    recordings.export(tmp_path / "case.parquet", None, None)
    recordings.take_in(tmp_path / "case.parquet", clock.now())
    clock.advance(DAY)
    recorder.take(line.of(heard(3, author_id="jeanne"), heard(4, cluster_ids=("r:post-1", "t:1"))))
    recorder.write()
    recorder.take(line.of(Retraction(at=clock.now(), author_id="jeanne")))
    recorder.write()
    whole = everything(recordings)
    assert not [name for name in ("jeanne", "post-1'", "post-3'") if name in whole]
    first, _, third, *_ = [one for one in recorded(recordings) if isinstance(one, Signal)]
    assert first.author_id == third.author_id
    assert "bluesky:post-2" in whole


def test_what_others_share_with_a_deleted_post_or_decide_on_it_does_not_name_it(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, split: Callable[..., Any]
) -> None:
    recorder = recorder_for()
    reposts = [heard(number, is_relay=True, cluster_ids=("r:post-1", f"t:{number}")) for number in (2, 3)]
    recorder.take(line.of(heard(1), *reposts, split("bluesky:post-1", "bluesky:post-3")))
    recorder.write()
    recorder.take(line.of(Retraction(at=heard(1).event_time, post_key="bluesky:post-1")))
    recorder.write()
    assert "post-1'" not in everything(recordings)
    assert '"bluesky:post-1"' not in everything(recordings)
    original, one, other, statement, _ = recorded(recordings)
    assert one.cluster_ids[0] == other.cluster_ids[0]
    assert one.cluster_ids[1] == "t:2"
    assert statement.said.post_keys == (original.post_key, "bluesky:post-3")


def test_where_somebody_stood_who_deleted_that_is_known_to_a_kilometre(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    def tagged(number: int, **changes: Any) -> Signal:
        one = heard(number)
        changes = {"lat": 49.49123, "lon": 0.10876, "radius_km": 0.1, "source": "geotag", "h3": "8a1"} | changes
        return replace(one, place=replace(one.place, level="point", **changes))

    recorder = recorder_for()
    sea = tagged(2, place_id="point:49.491,0.109", name="49.491, 0.109")
    recorder.take(line.of(tagged(1), sea, tagged(3), tagged(4, source="text")))
    recorder.write()
    for number in (1, 2, 4):
        recorder.take(line.of(Retraction(at=heard(1).event_time, post_key=f"bluesky:post-{number}")))
    recorder.write()
    at_home, at_sea, there, named = [one.place for one in recorded(recordings) if isinstance(one, Signal)]
    assert (at_home.lat, at_home.lon, at_home.radius_km, at_home.h3) == (49.49, 0.11, 1.0, None)
    assert (at_home.place_id, at_home.name) == ("fr:76351", "Le Havre")
    assert (at_sea.place_id, at_sea.name) == ("point:49.49,0.11", "49.49, 0.11")
    assert (there.lat, there.h3) == (49.49123, "8a1")  # nobody has taken it back
    assert (named.lat, named.h3) == (49.49123, "8a1")  # a place of the gazetteer


def test_an_edited_post_keeps_its_name_for_no_word_of_it_was_kept(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1), Retraction(at=heard(1).event_time, post_key="bluesky:post-1", unless="ab12")))
    recorder.write()
    post, edit = recorded(recordings)
    assert (post.author_id, edit.post_key, edit.unless) == ("author-1", "bluesky:post-1", "")


def test_of_what_is_taken_back_only_what_was_recorded_is_recorded_once_a_partition(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    for partition in range(4):
        recorder.take(line.of(Retraction(at=heard(1).event_time, post_key="bluesky:strange"), partition=partition))
    recorder.write()
    assert not recordings.days
    recorder.take(line.of(heard(1), partition=3))
    for partition in range(4):
        recorder.take(line.of(Retraction(at=heard(1).event_time, post_key="bluesky:post-1"), partition=partition))
    recorder.write()
    assert [row.partition for row in recordings.rows() if isinstance(row.record, Retraction)] == [3]


def test_one_whose_own_partition_comes_later_stands_where_the_first_came(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1), partition=3))
    gone = Retraction(at=heard(1).event_time, post_key="bluesky:post-1")
    recorder.take(line.of(gone, partition=0))
    recorder.write()
    recorder.take(line.of(gone, partition=3))
    recorder.write()
    assert [row.partition for row in recordings.rows() if isinstance(row.record, Retraction)] == [3]


def test_what_was_taken_back_while_nobody_listened_is_forgotten_at_the_start(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    recorder.write()
    recorder_for().forget([Retraction(at=heard(1).event_time, post_key="bluesky:post-1")])
    assert "author-1" not in everything(recordings)


def test_where_it_is_off_nothing_new_is_recorded_and_what_stands_still_forgets(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    recorder.write()
    off = recorder_for(is_on=False)
    off.take(line.of(heard(2), Retraction(at=heard(1).event_time, post_key="bluesky:post-1")))
    off.write()
    assert "author-" not in everything(recordings)
    assert len(keys(recordings)) == 1


def test_a_full_disk_costs_nothing_but_time(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    with monkeypatch.context() as patched:
        patched.setattr("vigie.recordings.write_private", full)
        recorder._tried_to_write()
    assert recorder.state == {"is_failing": True, "written": 0, "waiting": 1, "lost": 0, "failed": 1}
    recorder.take(line.of(heard(2)))
    recorder._tried_to_write()
    assert recorder.state == {"is_failing": False, "written": 2, "waiting": 0, "lost": 0, "failed": 1}
    assert keys(recordings) == ["bluesky:post-1", "bluesky:post-2"]


def test_a_bug_in_writing_ends_neither_the_recorder_nor_what_it_holds(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    with monkeypatch.context() as patched:
        patched.setattr(module, "table_of", lambda _: 1 / 0)
        recorder._tried_to_write()
    assert recorder.trouble == "division by zero"
    recorder._tried_to_write()
    assert keys(recordings) == ["bluesky:post-1"]


def test_what_cannot_be_written_for_long_waits_on_the_topic(
    recorder_for: MakeRecorder, line: Line, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 2)
    recorder = recorder_for()
    recorder.take(line.of(heard(1), heard(2)))
    assert not recorder._has_room.is_set()
    recorder.write()
    assert recorder._has_room.is_set()


def test_a_file_that_cannot_be_read_is_left_alone_and_the_day_goes_on_beside_it(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    recorder.write()
    recordings.days[0].write_bytes(b"torn")
    recorder.take(line.of(heard(2)))
    recorder.write()
    recorder.take(line.of(heard(3)))
    recorder.write()
    assert [path.name for path in recordings.days] == ["2012-01-30.parquet", "2012-01-30-2.parquet"]
    assert [one.trouble != "" for one in recordings.shown()] == [True, False]
    assert [one.signals for one in recordings.shown()] == [0, 2]


def test_a_day_goes_on_beside_a_file_that_is_full_and_what_is_taken_back_goes_from_both(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vigie.recordings.MOST_ROWS", 2)
    recorder = recorder_for()
    for number in range(1, 6):
        recorder.take(line.of(heard(number)))
        recorder.write()
    assert [path.name for path in recordings.days] == [f"2012-01-30{which}.parquet" for which in ("", "-2", "-3")]
    assert keys(recordings) == [f"bluesky:post-{number}" for number in range(1, 6)]
    again = recorder_for()
    again.take(line.of(heard(6)))
    again.write()
    assert len(recordings.days) == 3, "how far it had read stands in the newest"
    assert again._marks[0].offset == 5
    assert keys(recordings) == [f"bluesky:post-{number}" for number in range(1, 7)]


def test_how_far_it_has_read_is_written_also_where_nothing_was_to_record(
    recorder_for: MakeRecorder, line: Line, heard: Heard, clock: ManualClock
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(heard(1)))
    recorder.write()
    recorder.take(line.of(*[Tick(hazard="fire", area="76", at=clock.now())] * 5))
    recorder.write()
    assert recorder_for()._marks[0].offset == 0
    clock.advance(MARKED_EVERY)
    recorder.write()
    assert recorder_for()._marks[0].offset == 5


def test_what_nobody_can_read_is_passed_over(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard
) -> None:
    recorder = recorder_for()
    recorder.take(line.of(b"{", encode(heard(1))))
    recorder.write()
    assert keys(recordings) == ["bluesky:post-1"]


def test_nothing_is_kept_for_longer_than_promised(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, clock: ManualClock, tmp_path: Path
) -> None:
    recorder = recorder_for(keep_days=30)
    recorder.take(line.of(heard(1)))
    recorder.write()
    recordings.export(tmp_path / "case.parquet", None, None)
    clock.advance(29 * DAY)
    recordings.take_in(tmp_path / "case.parquet", clock.now())  # counts from then on
    recorder.take(line.of(heard(2)))
    recorder.write()
    assert len(recordings.days) == 2
    clock.advance(DAY + timedelta(seconds=1))
    recorder.write()
    assert [path.name for path in recordings.all] == ["2012-02-28.parquet", "2012-02-29.parquet", "case.parquet"]
    clock.advance(31 * DAY)
    recorder.write()
    assert [path.name for path in recordings.all] == ["2012-03-31.parquet"]  # how far it has read, and nothing else
    assert not recorded(recordings)


async def test_it_ends_though_somebody_in_between_loses_that_it_was_asked_to(
    recorder_for: MakeRecorder, recordings: Recordings, line: Line, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_for()
    losses: list[int] = []

    async def deaf() -> None:
        while len(losses) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                losses.append(1)
        await asyncio.Event().wait()

    monkeypatch.setattr(recorder, "_read", deaf)
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0.1)
    recorder.take(line.of(heard(1)))
    task.cancel()
    async with asyncio.timeout(30):
        await asyncio.gather(task, return_exceptions=True)
    assert keys(recordings) == ["bluesky:post-1"]


def test_a_second_one_in_the_same_folder_does_not_record(recordings: Recordings) -> None:
    with recordings.alone() as first:
        assert first
        with recordings.alone() as second:
            assert not second
    with recordings.alone() as third:
        assert third
